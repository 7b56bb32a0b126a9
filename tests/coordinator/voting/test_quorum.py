"""Quorum sets: their predicates by table and against the definitions, their normal form, sanity and bytes."""

from collections.abc import Iterator
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.voting import (
    Malformed,
    QuorumSet,
    byzantine_threshold,
    is_quorum,
    is_quorum_slice,
    is_v_blocking,
    policy_problems,
)
from coordinator.voting.quorum import MEMBERS_MAX, NESTING_MAX, NODE_BYTES_MAX
from tests.coordinator.voting.world import UNHURRIED

NODES = tuple(bytes([n]) for n in b"abcdef")


def nodes(letters: str) -> frozenset[bytes]:
    return frozenset(letter.encode() for letter in letters)


def of(threshold: int, letters: str, *inner: QuorumSet) -> QuorumSet:
    return QuorumSet(threshold, tuple(letter.encode() for letter in letters), inner)


TWO_TIER = of(2, "", of(2, "ab"), of(1, "cd"), of(1, "ef"))


@pytest.mark.parametrize(
    ("quorum_set", "among", "expected"),
    [
        pytest.param(of(4, "abcde"), "abcd", True, id="four of five"),
        pytest.param(of(4, "abcde"), "abc", False, id="three are one short"),
        pytest.param(of(4, "abcde"), "abcxyz", False, id="strangers do not count"),
        pytest.param(TWO_TIER, "abc", True, id="both of the first inner set, one of the second"),
        pytest.param(TWO_TIER, "ac", False, id="half of the first inner set is nothing"),
        pytest.param(TWO_TIER, "ce", True, id="the two others without the first"),
        pytest.param(of(2, "a", of(1, "bc")), "ab", True, id="a validator and an inner set"),
        pytest.param(of(0, ""), "", True, id="threshold 0 asks for nobody"),
    ],
)
def test_slice(quorum_set: QuorumSet, among: str, expected: bool) -> None:
    assert is_quorum_slice(quorum_set, nodes(among)) is expected


@pytest.mark.parametrize(
    ("quorum_set", "among", "expected"),
    [
        pytest.param(of(4, "abcde"), "a", False, id="four of five do without one"),
        pytest.param(of(4, "abcde"), "ab", True, id="not without two"),
        pytest.param(of(1, "abc"), "ab", False, id="one of three finds the third"),
        pytest.param(of(3, "abc"), "c", True, id="all of three need each"),
        pytest.param(TWO_TIER, "a", False, id="one inner set blocked leaves two"),
        pytest.param(TWO_TIER, "acd", True, id="two inner sets blocked leave one"),
        pytest.param(TWO_TIER, "ac", False, id="an inner set of which one is enough needs both blocked"),
        pytest.param(of(0, "abc"), "abc", False, id="threshold 0 cannot be blocked"),
    ],
)
def test_v_blocking(quorum_set: QuorumSet, among: str, expected: bool) -> None:
    assert is_v_blocking(quorum_set, nodes(among)) is expected


CHAIN = {b"a": of(2, "ab"), b"b": of(2, "bc"), b"c": of(2, "cd"), b"d": of(1, "d")}


@pytest.mark.parametrize(
    ("own", "sets", "expected"),
    [
        pytest.param(of(2, "ab"), CHAIN, True, id="each finds its slice down the chain"),
        pytest.param(
            of(2, "ab"), {k: v for k, v in CHAIN.items() if k != b"d"}, False, id="the chain's end is missing"
        ),
        pytest.param(of(1, "d"), {b"a": of(2, "ax"), b"d": of(1, "d")}, True, id="who drops out need not be needed"),
        pytest.param(of(2, "ab"), {b"a": of(2, "ab"), b"b": of(2, "bx")}, False, id="b falls, then a: to the end"),
        pytest.param(of(3, "abcd"), dict.fromkeys(nodes("bcd"), of(3, "abcd")), True, id="a quorum without oneself"),
        pytest.param(of(1, "a"), {}, False, id="nobody is no quorum"),
    ],
)
def test_quorum(own: QuorumSet, sets: dict[bytes, QuorumSet], expected: bool) -> None:
    assert is_quorum(own, sets) is expected


@st.composite
def quorum_sets(draw: st.DrawFn, members: tuple[bytes, ...] = NODES) -> QuorumSet:
    """Sane sets over up to six members, inner sets included."""
    chosen = draw(st.lists(st.sampled_from(members), min_size=1, max_size=len(members), unique=True))
    inner: list[QuorumSet] = []
    while len(chosen) > 1 and draw(st.booleans()):
        size = draw(st.integers(1, len(chosen) - 1))
        part, chosen = chosen[:size], chosen[size:]
        inner.append(QuorumSet(draw(st.integers(1, size)), tuple(part)))
    return QuorumSet(draw(st.integers(1, len(chosen) + len(inner))), tuple(chosen), tuple(inner))


def slices(quorum_set: QuorumSet) -> Iterator[frozenset[bytes]]:
    """Every way to choose `threshold` entries, and within inner sets likewise: the definition, spelled out."""
    entries: list[list[frozenset[bytes]]] = [[frozenset({v})] for v in quorum_set.validators]
    entries += [list(slices(inner)) for inner in quorum_set.inner]
    for chosen in combinations(entries, quorum_set.threshold):
        found: list[frozenset[bytes]] = [frozenset()]
        for entry in chosen:
            found = [a | b for a in found for b in entry]
        yield from found


def subsets(among: frozenset[bytes]) -> Iterator[frozenset[bytes]]:
    for size in range(len(among) + 1):
        yield from map(frozenset, combinations(sorted(among), size))


@UNHURRIED
@given(quorum_sets(), st.frozensets(st.sampled_from(NODES)))
def test_a_slice_is_one_of_the_slices(quorum_set: QuorumSet, among: frozenset[bytes]) -> None:
    assert is_quorum_slice(quorum_set, among) is any(s <= among for s in slices(quorum_set))


@UNHURRIED
@given(quorum_sets(), st.frozensets(st.sampled_from(NODES)))
def test_v_blocking_means_meeting_every_slice(quorum_set: QuorumSet, among: frozenset[bytes]) -> None:
    blocking = is_v_blocking(quorum_set, among)
    assert blocking is all(s & among for s in slices(quorum_set))
    assert blocking is not is_quorum_slice(quorum_set, frozenset(NODES) - among)


@UNHURRIED
@given(quorum_sets(), st.dictionaries(st.sampled_from(NODES), quorum_sets(), max_size=6))
def test_quorum_means_a_subset_that_satisfies_all_its_members(own: QuorumSet, sets: dict[bytes, QuorumSet]) -> None:
    expected = any(
        any(s <= group for s in slices(own)) and all(any(s <= group for s in slices(sets[n])) for n in group)
        for group in subsets(frozenset(sets))
        if group
    )
    assert is_quorum(own, sets) is expected


@UNHURRIED
@given(quorum_sets(), st.frozensets(st.sampled_from(NODES)))
def test_the_normal_form_means_the_same(quorum_set: QuorumSet, among: frozenset[bytes]) -> None:
    normal = quorum_set.normal()
    assert normal.normal() == normal
    assert is_quorum_slice(normal, among) is is_quorum_slice(quorum_set, among)
    assert is_v_blocking(normal, among) is is_v_blocking(quorum_set, among)
    assert normal.members() == quorum_set.members()


@UNHURRIED
@given(quorum_sets())
def test_the_digest_does_not_depend_on_how_a_set_is_written(quorum_set: QuorumSet) -> None:
    shuffled = QuorumSet(quorum_set.threshold, quorum_set.validators[::-1], quorum_set.inner[::-1])
    assert shuffled.digest() == quorum_set.digest()
    assert QuorumSet.decode(quorum_set.encode()) == quorum_set.normal()
    wrapped = QuorumSet(1, (), (quorum_set,))
    assert wrapped.digest() == quorum_set.digest()


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        pytest.param(of(2, "cab"), of(2, "abc"), id="validators sorted"),
        pytest.param(of(2, "b", of(1, "a")), of(2, "ab"), id="a lone validator lifted out of its inner set"),
        pytest.param(of(1, "", of(2, "abc")), of(2, "abc"), id="a lone inner set becomes the set"),
        pytest.param(of(1, "", of(1, "", of(1, "a"))), of(1, "a"), id="all the way up"),
        pytest.param(of(2, "a", of(2, "bc")), of(2, "a", of(2, "bc")), id="already normal"),
    ],
)
def test_normal_form(written: QuorumSet, normal: QuorumSet) -> None:
    assert written.normal() == normal


@pytest.mark.parametrize(
    ("quorum_set", "expected"),
    [
        pytest.param(of(3, "abcd"), of(2, "bcd"), id="the threshold falls with the node"),
        pytest.param(of(2, "", of(2, "ab"), of(2, "cd")), of(2, "b", of(2, "cd")), id="within its inner set"),
        pytest.param(of(2, "bcd"), of(2, "bcd"), id="a node that is not in it changes nothing"),
        pytest.param(of(1, "a"), of(0, ""), id="alone it leaves nothing to ask for"),
    ],
)
def test_without_oneself(quorum_set: QuorumSet, expected: QuorumSet) -> None:
    assert quorum_set.without(b"a") == expected


def nested(levels: int) -> QuorumSet:
    found = of(1, "a")
    for n in range(levels):
        found = QuorumSet(1, (b"n%d" % n,), (found,))
    return found


@pytest.mark.parametrize(
    ("quorum_set", "sane"),
    [
        pytest.param(of(0, "ab"), False, id="threshold 0"),
        pytest.param(of(3, "ab"), False, id="threshold above the entries"),
        pytest.param(of(1, ""), False, id="no entries"),
        pytest.param(of(1, "aa"), False, id="a member twice"),
        pytest.param(of(1, "a", of(1, "a")), False, id="a member twice across levels"),
        pytest.param(of(1, "a", of(0, "b")), False, id="an inner set that is not sane"),
        pytest.param(QuorumSet(1, (b"",)), False, id="an empty id"),
        pytest.param(QuorumSet(1, (b"x" * (NODE_BYTES_MAX + 1),)), False, id="an id too long"),
        pytest.param(nested(NESTING_MAX), True, id="as deep as allowed"),
        pytest.param(nested(NESTING_MAX + 1), False, id="too deep"),
        pytest.param(QuorumSet(1, tuple(b"%d" % n for n in range(MEMBERS_MAX))), True, id="as many as allowed"),
        pytest.param(QuorumSet(1, tuple(b"%d" % n for n in range(MEMBERS_MAX + 1))), False, id="too many"),
        pytest.param(TWO_TIER, True, id="organizations"),
    ],
)
def test_sanity(quorum_set: QuorumSet, sane: bool) -> None:
    assert (quorum_set.problem() is None) is sane


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(of(1, "ab").encode() + b"\0", id="a byte left over"),
        pytest.param(of(1, "ab").encode()[:-1], id="a byte short"),
        pytest.param(bytes.fromhex("0001 0002 0162 0161 0000"), id="validators not sorted"),
        pytest.param(bytes.fromhex("0001 0000 0001 0001 0001 0161 0000"), id="a lone inner set not lifted"),
        pytest.param(bytes.fromhex("0000 0001 0161 0000"), id="threshold 0"),
        pytest.param(bytes.fromhex("0001 0000 0001") * 9, id="nested without end"),
        pytest.param(bytes.fromhex("0001 ffff"), id="more validators than any set has"),
    ],
)
def test_only_canonical_bytes_are_read(data: bytes) -> None:
    with pytest.raises(Malformed):
        QuorumSet.decode(data)


@UNHURRIED
@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = QuorumSet.decode(data)
    except Malformed:
        return
    assert found.encode() == data


@pytest.mark.parametrize(("entries", "threshold"), [(1, 1), (3, 3), (4, 3), (5, 4), (7, 5), (10, 7), (13, 9)])
def test_byzantine_threshold(entries: int, threshold: int) -> None:
    """N = 3f + 1 tolerates f: two quorums share more than f members, and a quorum is left when f are silent."""
    assert byzantine_threshold(entries) == threshold
    faulty = (entries - 1) // 3
    assert 2 * threshold - entries > faulty
    assert entries - faulty >= threshold


@pytest.mark.parametrize(
    ("quorum_set", "problems"),
    [
        pytest.param(of(3, "abcd"), 0, id="three of four"),
        pytest.param(of(2, "abcd"), 1, id="half"),
        pytest.param(of(3, "bcde"), 1, id="itself not in it"),
        pytest.param(of(2, "ab"), 1, id="too few to lose one"),
        pytest.param(of(3, "a", of(1, "bc"), of(2, "def"), of(1, "g")), 1, id="an inner set that may split"),
    ],
)
def test_policy(quorum_set: QuorumSet, problems: int) -> None:
    assert len(policy_problems(quorum_set, b"a")) == problems
