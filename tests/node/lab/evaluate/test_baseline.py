"""One member alone at a team's cost: what is not drawn changes nothing, and the account says what it stands for."""

from hypothesis import given
from hypothesis import strategies as st

from node.lab.evaluate.baseline import ROUND_SAMPLES_MIN, alone_at, missing, next_round
from node.lab.evaluate.case import Case, joined
from tests.node.lab.evaluate.scripted import case, drew

LENGTH = 3  # tokens of a sample; a prompt has ten
Answers = list[str | None]
streams = st.lists(st.sampled_from(["7", "8", "9", None]), min_size=130, max_size=130)


def drawn_from(stream: Answers, first: int, tokens: int, samples_max: int) -> Case:
    """As a measurement draws: some samples at first, then in rounds for as long as they are asked for."""
    found = case(drew(*stream[:first]))
    while more := next_round(found, 0, tokens, samples_max):
        have = len(found.pool(0).answers)
        found.pools[0] = joined(found.pool(0), drew(*stream[have : have + more]))
    return found


@given(streams, st.integers(1, 8), st.integers(1, 400), st.integers(1, 120))
def test_samples_that_are_left_out_change_nothing(stream: Answers, first: int, tokens: int, samples_max: int) -> None:
    """The whole point: the baseline is as strong as if every sample had been drawn."""
    found = drawn_from(stream, first, tokens, samples_max)
    told = alone_at(found, 0, tokens, 1, samples_max)
    budget = max(1, -(-(tokens - 10) // LENGTH))
    allowed = min(budget, max(first, samples_max))
    everything = alone_at(case(drew(*stream[:allowed])), 0, tokens, 1, allowed)
    assert (told.answer, told.samples) == (everything.answer, allowed)
    assert told.spent.tokens == everything.spent.tokens == 10 + LENGTH * allowed
    assert told.drawn <= told.samples and len(found.pool(0).answers) <= max(first, samples_max)


@given(streams, st.integers(1, 8), st.integers(1, 400), st.integers(1, 120))
def test_equal_cost_or_the_limit(stream: Answers, first: int, tokens: int, samples_max: int) -> None:
    told = alone_at(drawn_from(stream, first, tokens, samples_max), 0, tokens, 1, samples_max)
    assert told.spent.tokens >= tokens or told.samples == max(first, samples_max)


@given(streams, st.integers(11, 400), st.integers(1, 400))
def test_a_cheaper_way_finds_its_answer_among_the_samples_of_the_dearest(
    stream: Answers, dearest: int, cheaper: int
) -> None:
    tokens = min(dearest, cheaper)
    shared = alone_at(drawn_from(stream, 5, dearest, 100), 0, tokens, 1, 100)
    own = alone_at(drawn_from(stream, 5, tokens, 100), 0, tokens, 1, 100)
    assert (shared.answer, shared.samples, shared.spent.tokens) == (own.answer, own.samples, own.spent.tokens)


def test_by_hand() -> None:
    one = case(drew("7", "7", "8", "7", None))
    assert missing(one, 0, 10 + 5 * LENGTH, 100) == 0 and next_round(one, 0, 10 + 5 * LENGTH, 100) == 0
    assert next_round(one, 0, 10 + 6 * LENGTH, 100) == 0, "3 to 1 leads by more than the one that is missing"
    assert next_round(one, 0, 10 + 7 * LENGTH, 100) == 2, "with two more it might be a tie"
    assert next_round(one, 0, 10 + 45 * LENGTH, 100) == 20, (
        "40 are missing; 22 to 1 would lead by more than the other 20"
    )
    assert next_round(one, 0, 10 + 14 * LENGTH, 100) == ROUND_SAMPLES_MIN


def test_who_answers_nothing_is_not_asked_for_ever() -> None:
    assert next_round(case(drew()), 0, 1_000, 100) == 0
    assert len(drawn_from([None] * 130, 5, 1_000, 40).pool(0).answers) == 40, "samples that are no answer are samples"
