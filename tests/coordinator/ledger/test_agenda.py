"""Agendas: one order, one spelling, and a union that does not depend on who merges what first."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import EncodingError, Writer
from coordinator.ledger import merkle
from coordinator.ledger.agenda import ITEMS_MAX, PER_MEMBER_MAX, Agenda, Header, Item, keep_records, merge
from coordinator.messages import AGENDA_SIZE_MAX
from coordinator.signed import Signed
from tests.coordinator.ledger.build import Build

MOOT = Build(4)
QUESTIONS = [MOOT.question(number, nonce=number) for number in range(3)]


def otherwise_signed(record: Signed, number: int) -> Signed:
    """The same content with another signature, as schemes that draw a nonce give."""
    return Signed(record.kind, record.author, record.body, bytes([number]) * 64)


@st.composite
def items(draw: st.DrawFn) -> Item:
    """Some members' records about one of three questions: contradicting ones, and equal ones signed differently."""
    question = draw(st.sampled_from(QUESTIONS))
    choice = st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(0, 2))
    proposals = [
        otherwise_signed(MOOT.proposal(member, question.digest(), (("7", points),)), number)
        for member, points, number in draw(st.lists(choice, max_size=6))
    ]
    preferences = [
        otherwise_signed(MOOT.preference(member, question.digest(), (("7", points),)), number)
        for member, points, number in draw(st.lists(choice, max_size=6))
    ]
    question = otherwise_signed(question, draw(st.integers(0, 2)))
    return Item(question, keep_records(proposals), keep_records(preferences))


@given(st.lists(items(), max_size=6), st.randoms(use_true_random=False))
def test_the_union_is_the_same_in_any_order_and_repeated(some: list[Item], rng: random.Random) -> None:
    """Else members with equal candidates would vote for different composites, for ever."""
    shuffled = some * 2
    rng.shuffle(shuffled)
    assert merge(shuffled) == merge(some) == merge(merge(some))


@given(st.lists(items(), max_size=4), st.lists(items(), max_size=4), st.lists(items(), max_size=4))
def test_the_union_is_associative(a: list[Item], b: list[Item], c: list[Item]) -> None:
    assert merge([*merge([*a, *b]), *c]) == merge([*a, *merge([*b, *c])]) == merge([*a, *b, *c])


@given(st.lists(items(), max_size=6))
def test_the_union_leaves_out_nobody_and_keeps_at_most_two_of_each(some: list[Item]) -> None:
    merged = merge(some)
    assert [item.id for item in merged] == sorted({item.id for item in some})
    for item in merged:
        for held, all_held in (
            (item.proposals, [one for other in some if other.id == item.id for one in other.proposals]),
            (item.preferences, [one for other in some if other.id == item.id for one in other.preferences]),
        ):
            for author in {record.author for record in all_held}:
                names = sorted({record.digest() for record in all_held if record.author == author})
                kept = [record.digest() for record in held if record.author == author]
                assert kept == names[:PER_MEMBER_MAX]


@given(st.lists(items(), min_size=1, max_size=5))
def test_bytes_and_back(some: list[Item]) -> None:
    agenda = Agenda.of(3, b"p" * 32, 0, some)
    assert Agenda.decode(agenda.encode()) == agenda
    assert Agenda.digest_in(agenda.encode()) == agenda.digest
    assert [Item.decode(item.encode()) for item in agenda.items] == list(agenda.items)


def spelled(header: Header, some: Sequence[Item]) -> bytes:
    return Writer().blob(header.encode()).items(some, lambda w, item: w.blob(item.encode())).done()


def fitting_header(some: Sequence[Item]) -> Header:
    root = merkle.root([merkle.leaf(item.encode()) for item in some])
    return Header(0, b"p" * 32, 0, len(some), root)


def two_items() -> tuple[Item, Item]:
    one, other = merge(
        MOOT.item(question, [(("7", 5),), (("7", 4), ("8", 1)), None, (("9", 5),)]) for question in QUESTIONS[:2]
    )
    return one, other


ONE, OTHER = two_items()
AGENDA = Agenda.of(0, b"p" * 32, 0, [ONE, OTHER])


@pytest.mark.parametrize(
    "some",
    [
        pytest.param([OTHER, ONE], id="items in another order"),
        pytest.param([ONE, ONE], id="an item twice"),
        pytest.param([replace(ONE, preferences=ONE.preferences[::-1]), OTHER], id="preferences in another order"),
        pytest.param([replace(ONE, proposals=ONE.proposals[::-1]), OTHER], id="proposals in another order"),
        pytest.param([replace(ONE, proposals=(*ONE.proposals[:1], *ONE.proposals)), OTHER], id="a proposal twice"),
        pytest.param(
            [
                replace(
                    ONE,
                    preferences=tuple(
                        sorted(
                            (MOOT.preference(0, ONE.id, (("7", points),)) for points in (1, 2, 3)), key=Signed.digest
                        )
                    ),
                ),
                OTHER,
            ],
            id="three of one member",
        ),
    ],
)
def test_other_spellings_are_refused_also_with_a_header_that_fits(some: list[Item]) -> None:
    """One content has one digest; else one decision could be voted on as two."""
    with pytest.raises(EncodingError):
        Agenda.decode(spelled(fitting_header(some), some))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(replace(AGENDA.header, root=b"r" * 32), id="root"),
        pytest.param(replace(AGENDA.header, count=3), id="count"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(header: Header) -> None:
    assert spelled(AGENDA.header, AGENDA.items) == AGENDA.encode()
    with pytest.raises(EncodingError, match="does not fit"):
        Agenda.decode(spelled(header, AGENDA.items))


@given(st.data())
def test_changed_bytes_are_another_agenda_or_none(data: st.DataObject) -> None:
    encoded = AGENDA.encode()
    place = data.draw(st.integers(0, len(encoded) - 1))
    changed = bytearray(encoded)
    changed[place] ^= data.draw(st.integers(1, 255))
    with suppress(EncodingError):
        assert Agenda.decode(bytes(changed)).digest != AGENDA.digest


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(EncodingError, match="at most"):
        Agenda.decode(bytes(AGENDA_SIZE_MAX + 1))
    many = [Item(MOOT.question(nonce=nonce), (), ()) for nonce in range(ITEMS_MAX + 1)]
    with pytest.raises(EncodingError, match="at most"):
        Agenda.decode(Agenda.of(0, b"p" * 32, 0, many).encode())


def test_every_field_of_the_header_is_in_the_digest() -> None:
    header = AGENDA.header
    others = [
        replace(header, slot=1),
        replace(header, previous=b"q" * 32),
        replace(header, epoch=1),
        replace(header, count=1),
        replace(header, root=b"r" * 32),
    ]
    assert len({header.digest, *(other.digest for other in others)}) == 6
