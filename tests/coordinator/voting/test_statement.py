"""Statements: sanity by table, canonical bytes, and the order in which one sender's statements follow each other."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.voting import (
    INFINITY,
    VALUE_BYTES_MAX,
    VALUES_MAX,
    Ballot,
    Confirm,
    Externalize,
    Malformed,
    Nominate,
    Prepare,
    Statement,
    contradiction,
    decode,
    encode,
    is_newer,
    problem,
)
from coordinator.voting.statement import NO_BALLOT
from tests.coordinator.voting.world import UNHURRIED, nominate, statement, written

HEAD = (b"v1", 7, bytes(32))
BALLOT = Ballot(3, b"x")


def prepare(text: str) -> Statement:
    return statement(b"v1", text)


@pytest.mark.parametrize(
    ("said", "sane"),
    [
        pytest.param(Nominate(*HEAD, (b"a",), ()), True, id="votes only"),
        pytest.param(Nominate(*HEAD, (), (b"a",)), True, id="accepted only"),
        pytest.param(Nominate(*HEAD, (), ()), False, id="names nothing"),
        pytest.param(Nominate(*HEAD, (b"b", b"a"), ()), False, id="votes not ascending"),
        pytest.param(Nominate(*HEAD, (b"a",), (b"a", b"a")), False, id="a value twice"),
        pytest.param(Nominate(*HEAD, (b"",), ()), False, id="an empty value"),
        pytest.param(Nominate(*HEAD, (b"x" * VALUE_BYTES_MAX,), ()), True, id="a value as long as allowed"),
        pytest.param(Nominate(*HEAD, (b"x" * (VALUE_BYTES_MAX + 1),), ()), False, id="a value too long"),
        pytest.param(Nominate(*HEAD, tuple(b"%03d" % n for n in range(VALUES_MAX)), ()), True, id="a full list"),
        pytest.param(Nominate(*HEAD, tuple(b"%03d" % n for n in range(VALUES_MAX + 1)), ()), False, id="too many"),
        pytest.param(Nominate(b"", 7, bytes(32), (b"a",), ()), False, id="no node"),
        pytest.param(Nominate(b"n" * 65, 7, bytes(32), (b"a",), ()), False, id="a node id too long"),
        pytest.param(Nominate(b"v1", -1, bytes(32), (b"a",), ()), False, id="a slot below 0"),
        pytest.param(Nominate(b"v1", 2**64, bytes(32), (b"a",), ()), False, id="a slot too large"),
        pytest.param(Nominate(b"v1", 7, bytes(31), (b"a",), ()), False, id="a digest too short"),
        pytest.param(prepare("PREPARE 1x"), True, id="a ballot alone"),
        pytest.param(prepare("PREPARE 0x"), False, id="counter 0"),
        pytest.param(Prepare(*HEAD, NO_BALLOT, BALLOT), False, id="no ballot, sent"),
        pytest.param(Prepare(*HEAD, Ballot(INFINITY + 1, b"x")), False, id="a counter above INFINITY"),
        pytest.param(Prepare(*HEAD, Ballot(1, b"")), False, id="a ballot without a value"),
        pytest.param(prepare("PREPARE 1x p'=1x"), True, id="p′ without p is odd but says nothing wrong"),
        pytest.param(prepare("PREPARE 1x p=2x p'=1y"), True, id="p′ below p"),
        pytest.param(prepare("PREPARE 1x p=2x p'=1x"), False, id="p′ of p's value"),
        pytest.param(prepare("PREPARE 1x p=1x p'=2y"), False, id="p′ above p"),
        pytest.param(prepare("PREPARE 1x p=0x"), False, id="p with counter 0"),
        pytest.param(prepare("PREPARE 3x p=2x h=2"), True, id="h up to p"),
        pytest.param(prepare("PREPARE 3x p=2x h=3"), False, id="h above p"),
        pytest.param(prepare("PREPARE 3x h=1"), False, id="h without p"),
        pytest.param(prepare("PREPARE 3x p=3x c=2 h=3"), True, id="c up to h"),
        pytest.param(prepare("PREPARE 3x p=3x c=3 h=2"), False, id="c above h"),
        pytest.param(prepare("PREPARE 3x p=3x c=1"), False, id="c without h"),
        pytest.param(prepare("PREPARE 1x p=3x c=1 h=2"), False, id="h above b where c is set"),
        pytest.param(Prepare(*HEAD, BALLOT, BALLOT, None, -1, 1), False, id="c below 0"),
        pytest.param(prepare("CONFIRM 3x p=1 c=2 h=3"), True, id="c, h, b in order"),
        pytest.param(prepare("CONFIRM 3x p=1 c=3 h=2"), False, id="c above h, accepted"),
        pytest.param(prepare("CONFIRM 3x p=1 c=2 h=4"), False, id="h above b, accepted"),
        pytest.param(prepare("CONFIRM 0x p=0 c=0 h=0"), False, id="counter 0, accepted"),
        pytest.param(Confirm(*HEAD, BALLOT, INFINITY + 1, 1, 1), False, id="p above INFINITY"),
        pytest.param(Confirm(*HEAD, BALLOT, -1, 1, 1), False, id="p below 0"),
        pytest.param(prepare("CONFIRM infx p=inf c=1 h=inf"), True, id="up to INFINITY"),
        pytest.param(prepare("EXTERNALIZE 2x h=2"), True, id="decided"),
        pytest.param(prepare("EXTERNALIZE 2x h=1"), False, id="h below c, decided"),
        pytest.param(prepare("EXTERNALIZE 0x h=1"), False, id="c is 0, decided"),
        pytest.param(Externalize(*HEAD, BALLOT, INFINITY + 1), False, id="h above INFINITY"),
    ],
)
def test_sanity(said: Statement, sane: bool) -> None:
    """A statement that means nothing is counted, or one that honest nodes send is not."""
    assert (problem(said) is None) is sane


def test_ones_own_statement_may_lack_a_ballot_until_it_is_sent() -> None:
    """A node that accepts before it has a ballot could not count its own acceptance."""
    assert problem(Prepare(*HEAD, NO_BALLOT, BALLOT), own=True) is None


VALUES = st.sampled_from([b"x", b"y", b"z" * 300])
COUNTERS = st.one_of(st.integers(1, 3), st.just(INFINITY))
BALLOTS = st.builds(Ballot, COUNTERS, VALUES)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Sane ones, with few values and counters, so that they often compare."""
    head = draw(st.sampled_from([b"v1", b"v2"])), 7, bytes(32)
    b = draw(BALLOTS)
    low, high = sorted((draw(COUNTERS), draw(COUNTERS)))
    match draw(st.sampled_from([Nominate, Prepare, Prepare, Confirm, Externalize])):
        case kind if kind is Nominate:
            votes, accepted = (tuple(sorted(draw(st.frozensets(VALUES)))) for _ in range(2))
            return Nominate(*head, votes or (b"x",), accepted)
        case kind if kind is Prepare:
            p, q = draw(st.one_of(st.none(), BALLOTS)), draw(st.one_of(st.none(), BALLOTS))
            n_h = min(high, p.counter) if p is not None and draw(st.booleans()) else 0
            n_c = min(low, n_h) if n_h <= b.counter and draw(st.booleans()) else 0
            return Prepare(*head, b, p, q if p is None or (q is not None and p.aborts(q)) else None, n_c, n_h)
        case kind if kind is Confirm:
            n_h = min(high, b.counter)
            return Confirm(*head, b, draw(COUNTERS), min(low, n_h), n_h)
        case _:
            return Externalize(*head, Ballot(low, b.value), high)


@UNHURRIED
@given(statements())
def test_generated_statements_are_sane(said: Statement) -> None:
    """The properties below say nothing about what nodes send."""
    assert problem(said) is None


@UNHURRIED
@given(statements())
def test_bytes_and_back(said: Statement) -> None:
    """What one node signs another reads differently."""
    data = encode(said)
    assert decode(data) == said
    for changed in (data + b"\0", data[:-1], b"\xff" + data[1:]):
        with pytest.raises(Malformed):
            decode(changed)


@settings(UNHURRIED, max_examples=300)
@given(statements(), st.data())
def test_changed_bytes_are_another_statement_or_none(said: Statement, data: st.DataObject) -> None:
    """Two encodings of one statement let a relay change what was signed without changing what it says."""
    packed = bytearray(encode(said))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(packed))
    except Malformed:
        return
    assert other != said
    assert encode(other) == bytes(packed)


@UNHURRIED
@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """A peer's bytes crash the reader."""
    try:
        said = decode(data)
    except Malformed:
        return
    assert encode(said) == data


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PREPARE 1x", "PREPARE 2x"),
        ("PREPARE 1x p=1x", "PREPARE 1y"),
        ("PREPARE 1x", "PREPARE 1x p=1a"),
        ("PREPARE 1x p=1x", "PREPARE 1x p=1y"),
        ("PREPARE 1x p=2x", "PREPARE 1x p=2x p'=1a"),
        ("PREPARE 1x p=2x p'=1a", "PREPARE 1x p=2x p'=1b"),
        ("PREPARE 2x p=2x p'=1a h=1", "PREPARE 2x p=2x p'=1a h=2"),
        ("PREPARE 9x p=9x h=9", "CONFIRM 1x p=1 c=1 h=1"),
        ("CONFIRM 1x p=9 c=1 h=1", "CONFIRM 2x p=1 c=1 h=1"),
        ("CONFIRM 3x p=1 c=1 h=3", "CONFIRM 3x p=2 c=1 h=1"),
        ("CONFIRM 3x p=1 c=1 h=2", "CONFIRM 3x p=1 c=1 h=3"),
        ("CONFIRM 3x p=1 c=1 h=2", "EXTERNALIZE 1x h=1"),
        ("PREPARE 3x", "EXTERNALIZE 1x h=1"),
    ],
)
def test_newer(old: str, new: str) -> None:
    """A node holds on to what a peer said before, or lets itself be taken back in time."""
    before, after = prepare(old), prepare(new)
    assert is_newer(before, after)
    assert not is_newer(after, before)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("PREPARE 2x p=2x h=2", "PREPARE 2x p=2x c=1 h=2", id="c alone is no news"),
        pytest.param("CONFIRM 3x p=3 c=1 h=3", "CONFIRM 3x p=3 c=2 h=3", id="nor in CONFIRM"),
        pytest.param("EXTERNALIZE 1x h=1", "EXTERNALIZE 1x h=2", id="nobody decides twice"),
    ],
)
def test_neither_is_newer(old: str, new: str) -> None:
    before, after = prepare(old), prepare(new)
    assert not is_newer(before, after)
    assert not is_newer(after, before)
    assert contradiction(before, after) is not None


@pytest.mark.parametrize(
    ("old", "new", "newer"),
    [
        (nominate(1, "a"), nominate(1, "ab"), True),
        (nominate(1, "a"), nominate(1, "a", "a"), True),
        (nominate(1, "ab"), nominate(1, "bc"), False),
        (nominate(1, "ab", "a"), nominate(1, "abc"), False),
        (nominate(1, "a"), nominate(1, "a"), False),
        (nominate(1, "ab"), nominate(1, "a"), False),
    ],
)
def test_newer_nomination(old: Nominate, new: Nominate, newer: bool) -> None:
    """Both lists only grow."""
    assert is_newer(old, new) is newer


@settings(UNHURRIED, max_examples=500)
@given(statements(), statements(), statements())
def test_newness_is_a_strict_partial_order(a: Statement, b: Statement, c: Statement) -> None:
    """With a cycle in it a peer could have its statements played again and again."""
    for x, y, z in permutations((a, b, c)):
        assert not is_newer(x, x)
        assert not (is_newer(x, y) and is_newer(y, x))
        if is_newer(x, y) and is_newer(y, z):
            assert is_newer(x, z)


@pytest.mark.parametrize(
    ("one", "other", "proven"),
    [
        pytest.param("EXTERNALIZE 1x h=1", "EXTERNALIZE 2y h=2", True, id="two decisions"),
        pytest.param("CONFIRM 1x p=1 c=1 h=1", "CONFIRM 2y p=2 c=2 h=2", True, id="two accepted commits"),
        pytest.param("CONFIRM 1x p=1 c=1 h=1", "EXTERNALIZE 2y h=2", True, id="accepted one, decided another"),
        pytest.param("EXTERNALIZE 1x h=1", "EXTERNALIZE 2x h=2", True, id="one decision in two ways"),
        pytest.param("PREPARE 2x p=2x h=2", "PREPARE 2x p=2x c=2 h=2", True, id="differ in what has no order"),
        pytest.param("PREPARE 1x", "PREPARE 1y", False, id="ballots may move on"),
        pytest.param("CONFIRM 1x p=1 c=1 h=1", "CONFIRM 2x p=2 c=1 h=2", False, id="more of the same"),
        pytest.param("PREPARE 9y p=9y c=9 h=9", "CONFIRM 1x p=1 c=1 h=1", False, id="a vote is no acceptance"),
        pytest.param("PREPARE 1x", "PREPARE 1x", False, id="the same"),
    ],
)
def test_contradiction(one: str, other: str, proven: bool) -> None:
    """A liar goes unpunished, or an honest member is accused."""
    assert (contradiction(prepare(one), prepare(other)) is not None) is proven
    assert (contradiction(prepare(other), prepare(one)) is not None) is proven


def test_contradiction_is_of_one_sender_one_slot_and_one_protocol() -> None:
    """Two honest members are taken for one liar."""
    x, y = prepare("EXTERNALIZE 1x h=1"), prepare("EXTERNALIZE 2y h=2")
    assert contradiction(replace(x, node=b"v2"), y) is None
    assert contradiction(replace(x, slot=8), y) is None
    assert contradiction(x, nominate(1, "y")) is None
    assert contradiction(nominate(1, "a"), nominate(1, "b")) is not None
    assert contradiction(nominate(1, "a"), nominate(1, "ab")) is None


def test_scripts_read_what_they_write() -> None:
    """The notation of the scripts drops something, and they compare less than they show."""
    for text in ("PREPARE 3x p=3x p'=2y c=1 h=2", "PREPARE 1x", "CONFIRM infx p=inf c=2 h=inf", "EXTERNALIZE 2x h=3"):
        assert written(prepare(text)) == text
