"""The story of a run reads right: who said what to whom, in the papers' letters, and nothing twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from coordinator.effects import SaveEntry, SaveVoting, Send
from coordinator.events import Received, Tick
from coordinator.messages import Records, Status
from coordinator.signed import Kind, NodeId, Signed
from coordinator.voting import Ballot, Confirm, Externalize, Nominate, Prepare, Statement, encode
from node.lab.simulation import story
from node.lab.simulation.faults import Crash, Cut, Disk
from node.lab.simulation.keys import Keyring
from node.lab.simulation.plan import Ask, Liar, Plan, World
from node.lab.simulation.play import play
from node.lab.simulation.watch import Watch
from tests.datadriven import run_script

SCRIPT = Path(__file__).parents[3] / "testdata" / "simulation" / "story.txt"
AGENDA, OTHER = bytes(range(32)), bytes(range(1, 33))
PLAN = Plan(scenario="told", seed=4, world=World.MOOT, members=4, nodes=4, liars=(Liar(3, "two-faced"),))
NODES = Keyring(4, 4, ed25519=False).ids


def record(author: NodeId, statement: Statement | bytes) -> Signed:
    body = statement if isinstance(statement, bytes) else encode(statement)
    return Signed(Kind.STATEMENT, author, body, b"s" * 64)


def nominate(author: NodeId, *votes: bytes, slot: int = 5) -> Signed:
    return record(author, Nominate(author, slot, b"q" * 32, votes, ()))


def told_by_a_moot() -> Watch:
    watch = Watch(kept=True)
    n0, n1, n2, n3 = NODES
    own = Records((nominate(n0, AGENDA),))
    both = Prepare(n3, 5, b"q" * 32, Ballot(2, OTHER), Ballot(2, OTHER), Ballot(1, AGENDA), 1, 2)
    watch.tell(90, 0, 4, "effect", Send(n1, Records((nominate(n0, OTHER, slot=4),))))
    watch.tell(95, 0, None, "started", 17, 5)
    for to in (n1, n2, n3):
        watch.tell(100, 0, 5, "effect", Send(to, own))
    watch.tell(100, 0, 5, "effect", SaveVoting(5, b"state", (nominate(n0, AGENDA),)))
    watch.tell(105, 1, 5, "event", Received(n0, own))
    watch.tell(106, 1, 5, "event", Received(n0, Records((record(n3, both), record(n3, b"no statement")))))
    watch.tell(107, 1, 5, "event", Received(n0, Status(5, (AGENDA,))))
    watch.tell(108, 1, 5, "event", Tick())
    watch.tell(110, -1, None, "fault", Cut(110, 50, (1, 3), one_way=True))
    watch.tell(120, 1, 5, "event", Received(n2, own))
    watch.tell(130, 1, None, "stopped", 40)
    watch.tell(170, 1, None, "started", 18, 5)
    watch.tell(180, 1, 5, "event", Received(n2, own))
    confirm = record(n0, Confirm(n0, 5, b"q" * 32, Ballot(3, OTHER), 3, 2, 3))
    watch.tell(190, 2, 6, "effect", Send(n1, Records((confirm, nominate(n2, AGENDA, slot=6)))))
    watch.tell(200, 0, 5, "effect", SaveEntry(5, OTHER, b"agenda", ()))
    watch.tell(210, 0, None, "stopped", 1)
    return watch


def told_by_slots() -> Watch:
    watch = Watch(kept=True)
    watch.tell(5, 1, 0, "says", Nominate(b"n1", 0, b"q" * 32, (b"A", b"AB"), (b"A",)))
    watch.tell(6, 3, 0, "hears", Nominate(b"n1", 0, b"q" * 32, (b"A", b"AB"), (b"A",)))
    watch.tell(7, 0, 0, "dies", Disk.KEPT.value)
    watch.tell(9, 2, 0, "says", Prepare(b"n2", 0, b"q" * 32, Ballot(1, b"AB")))
    watch.tell(12, 2, 0, "hears", Externalize(b"n3", 0, b"q" * 32, Ballot(1, b"AB"), 4))
    watch.tell(13, 2, 1, "says", Nominate(b"n2", 1, b"q" * 32, (b"C",), ()))
    watch.tell(14, 2, 0, "decides", b"AB")
    return watch


def execute(command: str) -> list[str]:
    which, form, number = command.split()
    watch = {"moot": told_by_a_moot, "slots": told_by_slots}[which]()
    if form == "slot":
        return list(story.of_slot(PLAN, watch, int(number)))
    return list(story.of_end(PLAN, watch, int(number)))


def test_a_known_run_reads_as_recorded(rewrite: bool) -> None:
    run_script(SCRIPT, execute, rewrite=rewrite)


@pytest.mark.parametrize("world", list(World))
def test_what_worlds_tell_is_understood(world: World) -> None:
    """If a world told of statements in another form, its stories would be empty."""
    plan = replace(PLAN, world=world, slots=2, asks=(Ask(4_000, 0),), faults=(Crash(1, 1, 0, 50),), heal_ms=9_000)
    watch = Watch(kept=True)
    assert play(plan, watch).violation is None
    lines = list(story.of_slot(plan, watch, 0))
    text = "\n".join(lines)
    assert text.startswith("told, seed 4: 4 members, n0 to n3\n  n3! lies: two-faced\n")
    for word in ("NOMINATE X={", "PREPARE b=(1,", "CONFIRM b=(", "EXTERNALIZE c=("):
        assert word in text
    deciders = {line.split()[2] for line in lines if " decides " in line}
    assert {"n0", "n1", "n2"} <= deciders
    assert "n3! " in text
    assert len(list(story.of_end(plan, watch, 3))) <= 2 + 3 * 5
