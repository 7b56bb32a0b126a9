"""What fits into one agenda: always something, never more than peers read, and nobody is kept out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.encoding import Writer
from coordinator.ledger.agenda import ITEMS_MAX, Agenda, Item
from coordinator.ledger.room import ITEM_SIZE_MAX, QUESTION_SIZE_MAX, fitting, members_max, opinion_size_max, trimmed
from coordinator.messages import AGENDA_SIZE_MAX
from coordinator.records import (
    ANSWER_LENGTH_MAX,
    DEADLINE_MS_MAX,
    OPTIONS_MAX,
    SAMPLES_MAX,
    TEXT_LENGTH_MAX,
    AnswerKind,
    Question,
)
from coordinator.signed import Digest, Kind, Signed, write_signed
from tests.coordinator.keys import found
from tests.coordinator.ledger.build import Build, Points

HEAD = b"h" * 32


def answers(samples: int, mark: str = "a") -> Points:
    """As many different answers of the greatest length."""
    return tuple((f"{number:03}".rjust(ANSWER_LENGTH_MAX, mark), 1) for number in range(samples))


def size(record: Signed) -> int:
    writer = Writer()
    write_signed(writer, record)
    return len(writer.done())


@pytest.mark.parametrize("samples", [1, 5, SAMPLES_MAX])
def test_an_honest_members_largest_records_are_as_large_as_counted(samples: int) -> None:
    """If they were larger, a charter could admit more members than one question has room for."""
    build = Build()
    proposal = build.proposal(0, b"q" * 32, answers(samples), samples=samples)
    preference = build.preference(0, b"q" * 32, answers(samples))
    assert size(proposal) + size(preference) == opinion_size_max(samples)


def test_the_largest_question_fits_in_what_is_reserved() -> None:
    options = tuple(f"{number:02}".rjust(ANSWER_LENGTH_MAX, "o") for number in range(OPTIONS_MAX))
    text = "\U0001f600" * TEXT_LENGTH_MAX
    question = Question(text, AnswerKind.CHOICE, options, DEADLINE_MS_MAX, "t" * 32, 2**64 - 1, b"n" * 16)
    assert size(Build().sign(0, Kind.QUESTION, question.encode())) + 8 <= QUESTION_SIZE_MAX


def test_the_largest_moot_has_room_for_all_its_honest_members() -> None:
    samples = 64
    count = members_max(samples)
    build = Build(genesis=found(count, samples=samples))
    question = build.question()
    item = build.item(question, [answers(samples)] * count)
    assert trimmed(item) == item
    [only] = fitting([item], HEAD)
    assert only == item
    assert len(Agenda.of(0, HEAD, 0, [only]).encode()) <= AGENDA_SIZE_MAX


def contradicting(build: Build, about: Digest, member: int, samples: int) -> tuple[Signed, Signed]:
    one, other = (build.preference(member, about, answers(samples, mark)) for mark in "xy")
    return one, other


def test_who_signs_too_much_is_left_out_before_any_honest_member() -> None:
    """An item that peers cannot read would block its slot for ever."""
    samples = 64
    count = members_max(samples)
    build = Build(genesis=found(count, samples=samples))
    item = build.item(build.question(), [answers(samples)] * count)
    liars = range(count // 3)
    extra = [record for liar in liars for record in contradicting(build, item.id, liar, samples)]
    flooded = Item(item.question, item.proposals, (*item.preferences, *extra))
    assert len(flooded.encode()) > AGENDA_SIZE_MAX
    [kept] = fitting([flooded], HEAD)
    assert len(kept.encode()) <= ITEM_SIZE_MAX
    authors = {record.author for record in kept.preferences}
    assert {build.ids[number] for number in range(count) if number not in liars} <= authors
    assert trimmed(kept) == kept


def question_of(build: Build, asker: int, number: int, size: int = 10) -> Item:
    text = "x" * size
    return Item(build.question(asker, text, asked_ms=number, nonce=asker * 1_000 + number), (), ())


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.booleans()), max_size=60), st.randoms())
def test_what_fits_depends_on_nothing_but_the_set(asked: list[tuple[int, int, bool]], rng: random.Random) -> None:
    build = Build()
    items = [question_of(build, asker, number, 2_000 if large else 10) for asker, number, large in asked]
    shuffled = items * 2
    rng.shuffle(shuffled)
    taken = fitting(shuffled, HEAD)
    assert taken == fitting(items, HEAD)
    assert bool(taken) == bool(items)


@pytest.mark.parametrize("number", range(20))
def test_nobody_who_floods_keeps_others_out(number: int) -> None:
    """The flood is older and its items are large; still the other's question is on the next agenda."""
    build = Build()
    flood = [question_of(build, 0, place, 2_000) for place in range(400)]
    late = question_of(build, 1, 10_000)
    taken = fitting([*flood, late], bytes([number]) * 32)
    assert late in taken
    agenda = Agenda.of(0, HEAD, 0, taken)
    assert len(agenda.items) <= ITEMS_MAX
    assert Agenda.decode(agenda.encode()) == agenda


def test_who_is_first_changes_from_slot_to_slot() -> None:
    """When only one question fits, each asker's turn comes."""
    samples = 64
    count = members_max(samples)
    build = Build(genesis=found(count, samples=samples))
    items = [build.item(build.question(asker), [answers(samples)] * count) for asker in range(3)]
    first = {fitting(items, bytes([slot]) * 32)[0].question.author for slot in range(30)}
    assert first == set(build.ids[:3])


def test_an_askers_oldest_question_goes_first() -> None:
    build = Build()
    items = [question_of(build, 0, number, 2_000) for number in range(400)]
    taken = {item.id for item in fitting(items, HEAD)}
    assert taken == {item.id for item in items[: len(taken)]}


def test_a_charter_admits_no_more_members_than_fit() -> None:
    assert found(members_max(5)).charter.samples == 5
    with pytest.raises(ValueError, match="fit"):
        found(members_max(64) + 1, samples=64)
