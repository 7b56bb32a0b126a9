"""A moot from question to certificate, on virtual time. What fails here fails for the people who ask."""

import pytest

from coordinator.effects import Generate, Send
from coordinator.ledger.agenda import Agenda
from coordinator.ledger.certificate import certificate_of, verify
from coordinator.ledger.resolution import Stand
from coordinator.messages import Records
from coordinator.records import Cost, Preference
from coordinator.signed import Kind, NodeId
from tests.coordinator.network import FakeVerifier, Network, found, seven


def test_five_members_decide_and_anyone_can_verify_it() -> None:
    network = Network(found(5), seven)
    network.start()
    question = network.ask(network.ids[0], "what is 3 + 4?")
    assert network.run(lambda: network.decided(question), 5_000)
    network.check_agreement()
    resolution = network.resolution(network.ids[3], question)
    assert resolution.outcome is not None and resolution.outcome.answer == "7"
    assert resolution.answered == 5
    assert resolution.cost == Cost(25, 5 * len("what is 3 + 4?"), 25, 5_000), "the bill is what the models counted"
    entry = network.entry(network.ids[1], 0)
    certificate = certificate_of(Agenda.decode(entry.agenda), question, entry.statements, network.genesis)
    verified = verify(certificate, network.genesis, FakeVerifier(network.genesis.moot_id).verify)
    assert verified.resolution.outcome is not None
    assert len(verified.signers) >= 4


def test_an_idle_moot_votes_on_nothing() -> None:
    network = Network(found(4), seven)
    network.start()
    network.run(for_ms=60_000)
    assert all(not disk.voting and not disk.entries for disk in network.disks.values())


def test_the_asker_may_die_once_one_member_has_the_question() -> None:
    network = Network(found(5), seven)
    network.start()
    network.run(for_ms=3_000)
    asker = network.ids[0]
    told: list[NodeId] = []

    def only_one_hears(sender: NodeId, send: Send) -> list[Send]:
        if sender != asker or not isinstance(send.message, Records):
            return [send]
        told.append(send.to)
        return [send] if send.to == told[0] else []

    network.on_send = only_one_hears
    question = network.ask(asker, "what is 3 + 4?")
    network.crash(asker)
    network.see_each_other()
    assert network.run(lambda: network.decided(question), 10_000)
    network.check_agreement()


def test_a_member_that_was_away_catches_up_and_checks_every_proof() -> None:
    network = Network(found(5), seven)
    network.start()
    network.run(for_ms=3_000)
    away = network.ids[4]
    network.crash(away)
    network.see_each_other()
    questions = []
    for number in range(8):
        questions.append(network.ask(network.ids[0], f"what is {number} + 4?"))
        assert network.run(lambda: network.decided(questions[-1]), 10_000)
    network.start(away)
    assert network.run(lambda: network.decided(questions[-1]), 10_000)
    assert network.disks[away].height == network.disks[network.ids[0]].height == 8
    network.check_agreement()


def test_a_question_that_misses_its_turnout_ends_without_a_guess() -> None:
    def two_answer(node: NodeId, request: Generate) -> tuple[str, ...] | None:
        return ("7",) * request.samples if node in network.ids[:2] else None

    network = Network(found(5), two_answer)
    network.start()
    question = network.ask(network.ids[0], "what is 3 + 4?", deadline_ms=2_000)
    assert network.run(lambda: network.decided(question), 10_000)
    resolution = network.resolution(network.ids[2], question)
    assert resolution.outcome is None
    assert resolution.reason == "no quorum: 2 of 5 members answered by the deadline"


def test_without_a_quorum_the_asker_is_told_and_nothing_is_decided() -> None:
    network = Network(found(5), seven)
    network.start()
    network.run(for_ms=3_000)
    for node in network.ids[2:]:
        network.crash(node)
    network.see_each_other()
    question = network.ask(network.ids[0], "what is 3 + 4?", deadline_ms=2_000)
    assert network.run(lambda: network.ended[network.ids[0]].get(question, 0) is None, 5_000)
    assert network.disks[network.ids[0]].height == 0
    network.start(*network.ids[2:])
    assert network.run(lambda: network.decided(question), 20_000), "members that return end it after all"
    network.check_agreement()


def test_questions_that_are_ready_together_share_a_slot() -> None:
    network = Network(found(5), seven)
    network.start()
    network.run(for_ms=3_000)
    questions = [network.ask(network.ids[number % 5], f"what is {number} + 1?") for number in range(40)]
    assert network.run(lambda: all(network.decided(one) for one in questions), 30_000)
    assert network.disks[network.ids[0]].height < 20
    network.check_agreement()


def test_who_signs_two_preferences_is_shown_and_not_counted() -> None:
    network = Network(found(5), seven)
    network.start()
    network.run(for_ms=3_000)
    liar = network.ids[2]
    signer = network.signer(liar)

    def two_faced(sender: NodeId, send: Send) -> list[Send]:
        if sender != liar or not isinstance(send.message, Records):
            return [send]
        records = list(send.message.records)
        for record in send.message.records:
            if record.kind is Kind.PREFERENCE and record.author == liar:
                other = Preference(Preference.decode(record.body).question, (("9", 5),), Cost())
                records.append(signer.sign(Kind.PREFERENCE, other.encode()))
        return [Send(send.to, Records(tuple(records)))]

    network.on_send = two_faced
    question = network.ask(network.ids[0], "what is 3 + 4?")
    assert network.run(lambda: network.decided(question), 10_000)
    resolution = network.resolution(network.ids[1], question)
    stands = {network.genesis.roster.by_node[part.member].name: part.stand for part in resolution.parts}
    assert stands["n2"] is Stand.CONTRADICTED
    assert resolution.outcome is not None and resolution.outcome.answer == "7"


def test_a_member_with_a_wiped_disk_does_not_vote_where_it_may_have_voted() -> None:
    network = Network(found(4), seven)
    network.start()
    network.run(for_ms=3_000)
    node = network.ids[3]
    said: list[bytes] = []

    def note(sender: NodeId, send: Send) -> list[Send]:
        if sender == node and isinstance(send.message, Records):
            said.extend(one.body for one in send.message.records if one.kind is Kind.STATEMENT and one.author == node)
        return [send]

    network.on_send = note
    # Nobody hears of the third member, so the slot stays open until it is back.
    question = network.ask(network.ids[0], "what is 3 + 4?")
    network.run(lambda: bool(said), 5_000)
    network.crash(node)
    network.disks[node] = type(network.disks[node])()
    before = len(said)
    network.start(node)
    assert network.run(lambda: network.decided(question), 20_000)
    assert len(said) == before, "it spoke in a slot of which it has forgotten its statements"
    second = network.ask(network.ids[0], "what is 3 + 5?")
    assert network.run(lambda: network.decided(second), 20_000)
    assert len(said) > before, "it votes again in the next slot"
    network.check_agreement()


@pytest.mark.parametrize("seed", range(30))
def test_agreement_and_liveness_under_loss_and_restarts(seed: int) -> None:
    """Safety while faults last, liveness once healed."""

    def varied(node: NodeId, request: Generate) -> tuple[str, ...]:
        return tuple(str(network.rng.choice([7, 7, 8])) for _ in range(request.samples))

    network = Network(found(4 + seed % 3), varied, seed, delay_ms=(1, 150))
    network.start()
    network.loss = network.rng.choice([0.0, 0.1, 0.3])
    questions = []
    for number in range(6):
        up = [node for node in network.ids if node in network.nodes]
        questions.append(network.ask(network.rng.choice(up), f"what is {number} + 4?"))
        network.run(for_ms=network.rng.randint(10, 1_500))
        if network.rng.random() < 0.6:
            victim = network.rng.choice(sorted(network.nodes))
            network.crash(victim)
            network.see_each_other()
            network.run(for_ms=network.rng.randint(10, 1_000))
            network.start(victim)
        network.check_agreement()
    network.loss = 0.0
    network.start(*[node for node in network.ids if node not in network.nodes] or [network.ids[0]])
    held = [
        one
        for one in questions
        if any(one in core.questions.sessions or one in core.ledger.decided for core in network.nodes.values())
    ]
    assert network.run(
        lambda: all(one in core.ledger.decided for core in network.nodes.values() for one in held), 120_000
    )
    network.check_agreement()
