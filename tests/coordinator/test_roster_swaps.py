"""A whole roster is replaced, member by member, while members die, messages get lost and one member lies."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from coordinator.effects import Generate, Send
from coordinator.events import Asked
from coordinator.messages import Records
from coordinator.records import Cost, Preference
from coordinator.signed import Kind, NodeId, Signed
from coordinator.voting import Nominate, decode, encode
from tests.coordinator.keys import found, member
from tests.coordinator.network import Network
from tests.coordinator.rosters import at_epoch, check_certificate, check_rosters, decide, swap


@pytest.mark.parametrize("seed", range(12))
def test_three_members_are_swapped_one_after_another_under_loss_crashes_and_a_liar(seed: int) -> None:
    """Agreement at every step; liveness once healed; every decision proven by the roster of its slot."""

    def varied(node: NodeId, request: Generate) -> tuple[str, ...]:
        return tuple(str(network.rng.choice([7, 7, 8])) for _ in range(request.samples))

    network = Network(found(4), varied, seed, delay_ms=(1, 100))
    network.start()
    network.run(for_ms=3_000)
    network.loss = network.rng.choice([0.0, 0.1, 0.25])
    if seed % 2:
        network.on_send = two_faced(network)
    for step in range(3):
        swap_one(network, step)
    network.loss = 0.0
    sitting = [member(number).node for number in range(3, 7)]
    last = decide(network, sitting[-1], "what is 5 + 4?", sitting)
    check_certificate(network, sitting[-1], last, epoch=3)
    network.check_agreement(member(0).node)
    network.check_words(member(0).node)
    check_rosters(network)


def two_faced(network: Network) -> Callable[[NodeId, Send], list[Send]]:
    """The first member, until it is replaced, tells every second one of a nomination that nobody else hears of, and
    prefers otherwise."""
    liar = member(0).node

    def lie(sender: NodeId, send: Send) -> list[Send]:
        if sender != liar or not isinstance(send.message, Records) or network.ids.index(send.to) % 2:
            return [send]
        return [Send(send.to, Records(tuple(other(record) for record in send.message.records)))]

    def other(record: Signed) -> Signed:
        if record.author != liar:
            return record
        if record.kind is Kind.PREFERENCE:
            about = Preference.decode(record.body).question
            return network.signer(liar).sign(Kind.PREFERENCE, Preference(about, (("9", 5),), Cost()).encode())
        said = decode(record.body) if record.kind is Kind.STATEMENT else None
        if not isinstance(said, Nominate):
            return record
        return network.signer(liar).sign(Kind.STATEMENT, encode(replace(said, votes=(b"x" * 32,), accepted=())))

    return lie


def swap_one(network: Network, step: int) -> None:
    """In place of the oldest member a new one, while members die and return and a question is open."""
    stay = [member(number).node for number in range(step + 1, step + 4)]
    new = network.add(member(4 + step))
    network.start(new)
    proposer = network.rng.choice(stay)
    change = swap(network, proposer, add=[4 + step], remove=[step])
    network.change(proposer, change, *[one for one in stay if one != proposer])
    network.crash_chance = 0.005
    network._step(stay[0], Asked(network.question(f"what is {step} + 4?")))
    network.run(lambda: at_epoch(network, step + 1, [*stay, new]), 60_000)
    network.crash_chance = 0.0
    assert network.run(lambda: at_epoch(network, step + 1, [*stay, new]), 120_000), f"epoch {step + 1} never began"
    network.check_agreement(member(0).node)
