"""A member that returns: soon a voter again, and never a voter where its disk has forgotten what it said."""

import copy
from functools import partial

import pytest

from coordinator.catch_up import ENTRIES_WAIT_MS
from coordinator.effects import Send
from coordinator.messages import Entries
from coordinator.signed import Kind, NodeId
from coordinator.voting import decode
from tests.coordinator.network import Network, found, seven


def test_a_member_that_returns_to_an_idle_moot_soon_votes_though_its_greetings_were_lost() -> None:
    """Else it would wait for a chance exchange each ten seconds, and a moot with one more away would stand still."""
    network = Network(found(5), seven)
    network.start()
    network.run(for_ms=3_000)
    away = network.ids[4]
    network.crash(away)
    network.run(for_ms=60_000)
    lost_until_ms = network.now_ms + 500

    def lose(sender: NodeId, send: Send) -> list[Send]:
        return [] if network.now_ms < lost_until_ms and away in (sender, send.to) else [send]

    network.on_send = lose
    network.start(away)
    assert network.run(lambda: not network.nodes[away].assembly.watching, 6_000)


@pytest.mark.parametrize("member", range(4))
def test_a_member_with_an_old_disk_fetches_the_ledger_before_it_votes(member: int) -> None:
    """It has voted in the slots that its disk has lost; a second, different word there would be evidence against it."""
    network = Network(found(4), seven)
    network.start()
    network.run(for_ms=3_000)
    node, other = network.ids[member], network.ids[member - 1]
    old = copy.deepcopy(network.disks[node])
    for number in range(3):
        question = network.ask(other, f"what is {number} + 4?")
        assert network.run(partial(network.decided, question), 10_000)
    assert network.run(lambda: not any(core.ledger.unproven for core in network.nodes.values()), 10_000)
    network.crash(node)
    network.disks[node] = old
    entries_from_ms = network.now_ms + ENTRIES_WAIT_MS - 200

    def note(sender: NodeId, send: Send) -> list[Send]:
        if isinstance(send.message, Entries) and network.now_ms < entries_from_ms:
            return []  # Even when they are slow to come.
        return [send]

    network.on_send = note
    said_before = set(network.sent[node])
    network.start(node)
    for text in ("what is 8 + 4?", "what is 9 + 4?"):
        question = network.ask(other, text)
        assert network.run(partial(network.decided, question), 20_000)
        assert network.run(lambda: not network.nodes[node].assembly.watching, 6_000)
    said = [record for name, record in network.sent[node].items() if name not in said_before]
    slots = [decode(record.body).slot for record in said if record.kind is Kind.STATEMENT]
    assert slots, "it never voted again"
    assert min(slots) >= 3, "it voted in a slot that was decided before its disk was put back"
    network.check_words()
