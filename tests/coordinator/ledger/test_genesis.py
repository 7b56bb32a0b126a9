"""The founding document: one moot has one id, and what cannot work is refused with everything that is wrong with it."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from coordinator.charter import Charter
from coordinator.ledger.genesis import SIZE_MAX, Genesis, GenesisError
from coordinator.ledger.roster import MEMBERS_MAX, Member
from tests.coordinator.keys import found, members

GENESIS = found(4, turnout=2)


def test_json_and_back() -> None:
    again = Genesis.from_json(GENESIS.to_json())
    assert again == GENESIS
    assert again.moot_id == GENESIS.moot_id
    assert again.to_json() == GENESIS.to_json()


def test_the_id_does_not_depend_on_who_wrote_the_members_down_first() -> None:
    ids = {Genesis.found("test", 1_000, order).moot_id for order in (members(4), members(4)[::-1])}
    assert len(ids) == 1


def others() -> list[Genesis]:
    """Each differs from GENESIS in one thing."""
    first, *rest = GENESIS.members
    charter = GENESIS.charter
    changes: dict[str, Any] = {
        "threshold": 4,
        "turnout": 3,
        "samples": 4,
        "deadline_ms": 1_234,
        "grace_ms": 12,
        "tally": "plurality",
    }
    assert changes.keys() == {field.name for field in fields(Charter)}
    rosters = [
        (replace(first, name="other"), *rest),
        (replace(first, organization="other"), *rest),
        (replace(first, weight=2), *rest),
        (replace(first, address="other:1"), *rest),
        (replace(first, node=bytes(32)), *rest),
    ]
    return [
        replace(GENESIS, name="other"),
        replace(GENESIS, created_ms=7),
        *(replace(GENESIS, members=roster) for roster in rosters),
        *(replace(GENESIS, charter=replace(charter, **{name: value})) for name, value in changes.items()),
    ]


def test_everything_is_in_the_id() -> None:
    """Members with other rules must be in another moot, or they would count one question differently."""
    ids = {GENESIS.moot_id, *(other.moot_id for other in others())}
    assert len(ids) == 1 + len(others())


def test_the_quorum_set_is_the_roster() -> None:
    assert GENESIS.roster.quorum_set.validators == tuple(member.node for member in GENESIS.members)
    assert GENESIS.roster.quorum_set.threshold == GENESIS.charter.threshold == 3
    assert GENESIS.roster.quorum_set_digest == GENESIS.roster.quorum_set.digest()


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        pytest.param(lambda d: d.update(format="x"), ["format = 'x'"], id="format"),
        pytest.param(lambda d: d.update(extra=1), ["extra: unknown"], id="unknown field"),
        pytest.param(lambda d: d.pop("name"), ["name: missing"], id="missing field"),
        pytest.param(lambda d: d.update(created_ms="1"), ["created_ms: a int"], id="type"),
        pytest.param(lambda d: d.update(created_ms=True), ["created_ms: a int"], id="a boolean is no number"),
        pytest.param(lambda d: d.update(created_ms=2**64), ["created_ms: out of range"], id="created too late"),
        pytest.param(lambda d: d.update(created_ms=-1), ["created_ms: out of range"], id="created too early"),
        pytest.param(lambda d: d.update(name=""), ["the name ''"], id="no name"),
        pytest.param(lambda d: d.update(name="a\u202eb"), ["the name"], id="a name that turns the writing around"),
        pytest.param(lambda d: d.update(name="\ud800"), ["the name"], id="half a character"),
        pytest.param(lambda d: d.update(name="n" * 65), ["the name"], id="a long name"),
        pytest.param(lambda d: d.update(members=[]), ["members: 0 given", "turnout = 2", "threshold"], id="nobody"),
        pytest.param(lambda d: d.update(members={}), ["members: a list"], id="no list"),
        pytest.param(lambda d: d["members"].reverse(), ["members: must be sorted"], id="unsorted"),
        pytest.param(
            lambda d: d["members"].append(d["members"][-1]),
            ["members: must be sorted", "two have the same name"],
            id="a member twice",
        ),
        pytest.param(lambda d: d["members"][0].update(node="zz"), ["members[0].node: not hex"], id="no hexadecimal"),
        pytest.param(lambda d: d["members"][0].update(node="00"), ["must be 32 bytes"], id="a short id"),
        pytest.param(lambda d: d["members"][0].update(weight=0), ["weight of"], id="no weight"),
        pytest.param(lambda d: d["members"][0].update(weight=1_001), ["weight of"], id="too much weight"),
        pytest.param(lambda d: d["members"][0].update(address="a" * 256), ["address of"], id="a long address"),
        pytest.param(lambda d: d["members"].__setitem__(1, 7), ["members[1].: an object"], id="a member that is none"),
        pytest.param(lambda d: d["charter"].update(threshold=2), ["threshold = 2: must be 3 to 4"], id="unsafe quorum"),
        pytest.param(lambda d: d["charter"].update(threshold=5), ["threshold = 5: must be 3 to 4"], id="no quorum"),
        pytest.param(lambda d: d["charter"].update(tally="dice"), ["tally = 'dice'"], id="an unknown rule"),
        pytest.param(lambda d: d["charter"].pop("tally"), ["charter.tally: missing"], id="charter field missing"),
        pytest.param(
            lambda d: (d["members"][0].pop("name"), d["members"][2].update(extra=1), d["charter"].update(grace_ms=0.5)),
            ["members[0].name: missing", "members[2].extra: unknown", "charter.grace_ms: a int"],
            id="several at once",
        ),
        pytest.param(
            lambda d: (d["members"][0].update(weight=0), d["charter"].update(turnout=0, samples=0), d.update(name="")),
            ["weight of", "turnout = 0", "samples = 0", "the name ''"],
            id="several of meaning",
        ),
    ],
)
def test_a_bad_document_is_refused_with_all_that_is_wrong(change: Change, problems: list[str]) -> None:
    document = json.loads(GENESIS.to_json())
    change(document)
    with pytest.raises(GenesisError) as raised:
        Genesis.from_json(json.dumps(document).encode())
    for problem in problems:
        assert any(problem in found for found in raised.value.problems), raised.value.problems
    assert f"{len(raised.value.problems)} problem(s)" in str(raised.value)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"[]", id="no object"),
        pytest.param(b"9" * 10_000, id="a long number"),
        pytest.param(b" " * (SIZE_MAX + 1), id="long"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(GenesisError):
        Genesis.from_json(data)


def test_a_roster_has_a_limit() -> None:
    """A quorum's statements travel in one message."""
    many = [Member(number.to_bytes(32, "big"), f"n{number}", "org", 1, "") for number in range(MEMBERS_MAX + 1)]
    with pytest.raises(GenesisError, match="members: 257 given"):
        Genesis.found("test", 1, many, samples=1)
    assert len(Genesis.found("test", 1, many[:MEMBERS_MAX], samples=1).members) == MEMBERS_MAX
