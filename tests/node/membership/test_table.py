"""The table of members, its choices, its deadlines and the walk: what keeps a node among ten thousand quick."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.signed import NodeId, Signed
from node.membership.deadlines import Deadlines
from node.membership.events import Send, Status
from node.membership.members import Known, believed
from node.membership.messages import Ping
from node.membership.own import first_record
from node.membership.table import HEARD_MAX, SCAN_MAX, Members
from node.membership.walk import Walk
from tests.node.membership.solo import EPOCH, SELF, WALL_MS, Solo

SIGNED = Solo()


def node_id(index: int) -> NodeId:
    return b"n%04d" % index


def records(count: int) -> list[Signed]:
    return [SIGNED.record(node_id(index)) for index in range(count)]


def table_of(count: int, *, known: bool) -> Members:
    """`count` others, there from the beginning or met one after the other."""
    if known:
        return Members(SELF, 0, Known([SIGNED.record(SELF), *records(count)]))
    table = Members(SELF, 0)
    for signed in records(count):
        table.add(believed(signed, Status.ALIVE, True), 0)
    return table


operations = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["meet", "suspect", "dead", "left", "alive", "hear", "forget", "compact"]),
    ),
    max_size=60,
)


@given(operations, st.booleans())
def test_counts_are_those_of_the_members(script: list[tuple[int, str]], known: bool) -> None:
    """A count that drifts makes suspicions too short, or a group that is told in vain."""
    table = table_of(3, known=known)
    present = {node_id(index) for index in range(3)}
    for now_ms, (index, what) in enumerate(script):
        signed = SIGNED.record(node_id(index))
        member = table.get(node_id(index))
        assert (member is not None) == (node_id(index) in present)
        match what:
            case "compact":
                table.compact()
            case "meet" if member is None:
                place = table.add(believed(signed, Status.ALIVE, False), now_ms)
                assert table.at(place) == table.get(node_id(index))
                present.add(node_id(index))
            case "forget" if member is not None:
                table.remove(node_id(index))
                present.discard(node_id(index))
            case "hear" if member is not None:
                table.hear(member, now_ms)
            case "suspect" | "dead" | "left" | "alive" if member is not None:
                table.put(believed(signed, Status["SUSPECT" if what == "suspect" else what.upper()], True), now_ms)
        members = list(table)
        assert {member.node for member in members} == present
        assert len(members) == len(table) == len(present)
        for status in Status:
            assert table.count(status) == sum(member.status is status for member in members)
        assert table.live == sum(member.live for member in members)
        assert table.verified_alive == sum(member.verified and member.status is Status.ALIVE for member in members)
        assert list(table.tombs_ms) == sorted(table.tombs_ms, key=lambda node: (table.tombs_ms[node], node))
        assert table.tombs_ms.keys() == {member.node for member in members if not member.live}


def test_what_is_known_from_the_start_is_shared_and_stays_as_it_was() -> None:
    """Ten thousand tables of ten thousand members fit in memory only while they are one; none may change another's."""
    known = Known([SIGNED.record(SELF), *records(100)])
    one, other = Members(SELF, 0, known), Members(node_id(0), 0, known)
    assert one.get(node_id(7)) is other.get(node_id(7))
    assert one.get(SELF) is None
    assert other.get(node_id(0)) is None
    one.put(believed(SIGNED.record(node_id(7)), Status.DEAD, True), 5)
    one.remove(node_id(8))
    assert (one.count(Status.DEAD), other.count(Status.DEAD)) == (1, 0)
    assert other.get(node_id(8)) is not None
    assert (len(one), len(other)) == (99, 100)


@pytest.mark.parametrize("bad", [[SIGNED.record(b"b"), SIGNED.record(b"b", 1)], [SIGNED.record(b"b", 0, Status.LEFT)]])
def test_a_beginning_is_one_living_record_of_each(bad: list[Signed]) -> None:
    with pytest.raises(ValueError, match="one record of each"):
        Known(bad)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("size", [10, SCAN_MAX + 50])
def test_a_choice_is_even_and_fits(size: int, known: bool) -> None:
    """Each member that fits is as likely as any other, whichever way the choice is made."""
    table, rng = table_of(size, known=known), random.Random(3)
    drawn: Counter[NodeId] = Counter()
    for _ in range(400 * size):
        chosen = [member.node for member in table.sample(rng, 2, lambda member: member.node[-1:] != b"0")]
        assert len(set(chosen)) == 2
        drawn.update(chosen)
    fitting = [node_id(index) for index in range(size) if index % 10]
    assert sorted(drawn) == fitting
    mean = 2 * 400 * size / len(fitting)
    assert all(abs(count - mean) < 6 * mean**0.5 for count in drawn.values())


def test_a_choice_finds_the_only_one_that_fits() -> None:
    """Drawing at random would miss it for ever."""
    table = table_of(500, known=True)
    assert [m.node for m in table.sample(random.Random(0), 3, lambda m: m.node == node_id(321))] == [node_id(321)]


def test_only_the_lately_heard_are_noted() -> None:
    """Or the notes of one node among ten thousand grow to ten thousand entries."""
    table = table_of(HEARD_MAX + 10, known=True)
    for now_ms, member in enumerate(list(table)):
        table.hear(member, now_ms)
    assert len(table.heard_ms) == HEARD_MAX
    assert list(table.heard_ms.values()) == list(range(10, HEARD_MAX + 10))


def test_a_core_that_knows_everyone_probes_and_tells_nobody_what_they_know() -> None:
    """A simulation of a moot in its middle must not begin with everyone announcing itself."""
    own = first_record(
        SIGNED.verifier.signer(SELF), SIGNED.settings, epoch=EPOCH, address="a:1", meta=b"", wall_ms=WALL_MS
    )
    solo = Solo(known=Known([own, *records(200)]))
    solo.answering = frozenset(node_id(index) for index in range(200))
    assert solo.core.count(Status.ALIVE) == 200
    effects = solo.advance(3_000)
    pings = [effect.message for effect in effects if isinstance(effect, Send) and isinstance(effect.message, Ping)]
    assert pings
    assert not any(ping.gossip for ping in pings)
    assert solo.core.status_of(node_id(5)) is Status.ALIVE
    assert solo.core.status_of(SELF) is Status.ALIVE
    assert solo.core.status_of(b"x") is None
    assert solo.core.view_of(node_id(5)) == solo.view(node_id(5))
    assert solo.core.view_of(SELF) == solo.view(SELF)
    assert solo.core.view_of(b"x") is None


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | st.integers(0, 50)), max_size=40), st.integers(0, 50))
def test_deadlines_are_those_in_force(script: list[tuple[int, int | None]], now_ms: int) -> None:
    """A deadline that was moved or taken back must not fire at its old time."""
    deadlines = Deadlines()
    model: dict[NodeId, int] = {}
    for index, due_ms in script:
        node = node_id(index)
        if due_ms is None:
            deadlines.drop(node)
            model.pop(node, None)
        else:
            deadlines.set(node, due_ms)
            model[node] = due_ms
        assert deadlines.next_ms() == min(model.values(), default=None)
    assert deadlines.take(now_ms) == sorted(
        (node for node in model if model[node] <= now_ms), key=lambda n: (model[n], n)
    )
    assert len(deadlines) == sum(due_ms > now_ms for due_ms in model.values())


def test_moved_deadlines_leave_no_litter() -> None:
    deadlines = Deadlines()
    for due_ms in range(10_000):
        deadlines.set(b"a", due_ms)
    assert len(deadlines._heap) < 200


def test_a_walk_visits_each_once_and_a_newcomer_at_any_turn() -> None:
    """Whoever comes in between waits no longer than the rest of the walk, and a liar cannot choose its turn."""
    turns: Counter[int] = Counter()
    for seed in range(3_000):
        walk, rng = Walk(), random.Random(seed)
        walk.begin(6)
        visited = [walk.take(rng), walk.take(rng)]
        walk.add(99)
        while (place := walk.take(rng)) is not None:
            visited.append(place)
        assert sorted(place for place in visited if place is not None) == [0, 1, 2, 3, 4, 5, 99]
        turns[visited.index(99)] += 1
    assert sorted(turns) == [2, 3, 4, 5, 6]
    assert all(abs(count - 600) < 6 * 600**0.5 for count in turns.values())
