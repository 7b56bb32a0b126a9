"""Relays and receivers of gossip: of several operators and networks where there are several."""

import random
from collections import Counter

import pytest

from coordinator.signed import NodeId
from node.membership.diversity import SAME_NETWORK_MAX, diverse, networks_of
from node.membership.events import Send, Status
from node.membership.members import Known, Member, believed
from node.membership.messages import Gossip, PingReq
from node.membership.records import MemberRecord
from tests.node.membership.solo import EPOCH, SELF, WALL_MS, Solo
from tests.node.membership.test_probing import is_ping_req, probing


def at(name: str, address: str) -> Member:
    record = MemberRecord(EPOCH, 0, Status.ALIVE, address, b"", WALL_MS, 3_600)
    return believed(SIGNED.verifier.signer(name.encode()).sign(SIGNED.record(b"b").kind, record.encode()), ALIVE, True)


SIGNED, ALIVE = Solo(), Status.ALIVE


def operator(node: NodeId) -> str:
    """The name's first letter; nobody knows who runs z."""
    return "" if node[:1] == b"z" else node[:1].decode()


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("10.1.2.3:7000", ("10.1", "10.1.2")),
        ("[2001:db8:1:2::1]:7000", ("2001:db8", "2001:db8:1:2")),
        ("one.example.org:7000", ("one.example.org", "one.example.org")),
        ("10.1.2.x:7000", ("10.1.2.x", "10.1.2.x")),
    ],
)
def test_networks(address: str, networks: tuple[str, str]) -> None:
    assert networks_of(address) == networks


@pytest.mark.parametrize(
    ("drawn", "count", "chosen"),
    [
        pytest.param("a1 a2 b3", 2, "a1 b3", id="another operator goes before another node of the same"),
        pytest.param("a1 b1 c3", 2, "a1 c3", id="another network goes before the same"),
        pytest.param("a1 b1 a3", 2, "a1 b1", id="another operator is worth more than another network"),
        pytest.param("a1 a1 a1", 2, "a1 a1", id="where there is no other, the same will do"),
        pytest.param("z1 z2 z3", 3, "z1 z2 z3", id="an unknown operator is no reason against one"),
        pytest.param("a1", 3, "a1", id="all there are"),
        pytest.param("a1 " * 12, 12, "a1 " * SAME_NETWORK_MAX, id="never too many of one small network"),
    ],
)
def test_choice(drawn: str, count: int, chosen: str) -> None:
    """A letter is an operator, a number its /16."""
    names = drawn.split()
    members = [at(f"{name[0]}{i}", f"10.{name[1]}.0.{i}:1") for i, name in enumerate(names)]
    found = [f"{m.node.decode()[0]}{m.record.address.split('.')[1]}" for m in diverse(members, count, operator)]
    assert found == chosen.split()


def test_relays_are_of_different_operators() -> None:
    """One operator with ten nodes among twelve must not be all the relays that say that a member is gone."""
    others = [b"c%d" % count for count in range(10)] + [b"d1", b"e1"]
    seen: Counter[bytes] = Counter()
    for seed in range(12):
        solo, _ = probing(b"b", *others, operator_of=operator, rng=random.Random(seed))
        asked = [
            e.to for e in solo.advance_until(is_ping_req) if isinstance(e, Send) and isinstance(e.message, PingReq)
        ]
        assert len(asked) == 3
        seen.update(node[:1] for node in asked if node is not None)
    assert seen == {b"c": 12, b"d": 12, b"e": 12}


def test_gossip_goes_to_different_operators() -> None:
    names = [b"c%02d" % count for count in range(20)] + [b"d1", b"e1"]
    told: Counter[bytes] = Counter()
    for seed in range(20):
        known = Known([SIGNED.record(name) for name in names])
        solo = Solo(known=known, operator_of=operator, rng=random.Random(seed))
        solo.answering = frozenset(names)
        gossip = [e for e in solo.advance(2_000) if isinstance(e, Send) and isinstance(e.message, Gossip)]
        told.update(effect.to[:1] for effect in gossip if effect.to is not None)
    assert told[b"d"] + told[b"e"] > told.total() / 4, "two of twenty-two, but two of three operators"


def test_it_joins_through_seeds_of_different_operators() -> None:
    """One operator must not be all that a newcomer hears of the world."""
    seeds = [(b"c%02d" % count, f"c{count}:1") for count in range(40)] + [(b"d1", "d1:1"), (b"e1", "e1:1")]
    solo = Solo(seeds=seeds, operator_of=operator)
    asked = {e.to for e in solo.advance(0) if isinstance(e, Send)}
    assert len(asked) == 16
    assert {b"d1", b"e1"} < asked
    assert SELF not in asked
