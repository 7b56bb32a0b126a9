"""A whole measurement of scripted models: what is asked once and shared, what the best member gets, what may fail."""

import asyncio
from dataclasses import replace
from random import Random

import pytest

from coordinator.records import AnswerKind
from node.lab.evaluate import measure as measuring
from node.lab.evaluate.baseline import SAMPLES_MAX, alone_at
from node.lab.evaluate.comparing import Turns, row, rows
from node.lab.evaluate.exchanges import Terms
from node.lab.evaluate.items import Item, make_item
from node.lab.evaluate.measure import Measured, measure, prepare
from node.lab.evaluate.report import report
from node.lab.evaluate.spent import spent_on, total
from node.lab.evaluate.team import ADAPTER_SIGN, OPEN_BYTES_MAX, MemberUnusable, Seat, Team, seats
from node.lab.evaluate.ways import WAYS
from node.model.errors import ModelDied
from node.model.requests import GenerateRequest, ScoreRequest
from tests.node.lab.evaluate.scripted import Script, Scripted, Shelf, Silent, always, case, drew

TERMS = Terms(5, 0.7, 64, 1)
ALL = ("alone", *WAYS)


def sums(count: int) -> list[Item]:
    return [
        make_item(f"what is {number} + {number}?", AnswerKind.NUMBER, (), str(2 * number), f"class {number % 2}")
        for number in range(1, count + 1)
    ]


def right_in(share: float, seed: int) -> Script:
    """Adds up, and errs so often, each time in its own way."""
    rng = Random(seed)

    def script(request: GenerateRequest) -> list[str]:
        first = request.prompt.splitlines()[0].removeprefix("what is ").removesuffix("?")
        answer = sum(int(part) for part in first.split(" + "))
        if "Is it" in request.prompt:
            return ["yes" if f"Is it {answer}?" in request.prompt else "no"] * request.samples
        return [str(answer if rng.random() < share else rng.randrange(100, 999)) for _ in range(request.samples)]

    return script


async def measured_by(
    *engines: Scripted,
    items: list[Item] | None = None,
    ways: tuple[str, ...] = ALL,
    terms: Terms = TERMS,
    at_once: bool = False,
) -> tuple[Measured, Shelf]:
    shelf, watcher = Shelf(*engines), Silent()
    async with Team(seats([engine.name for engine in engines]), at_once=at_once, open_model=shelf.open_model) as team:
        await team.meet()
        measured = prepare(team, ways)
        await measure(team, items or sums(12), ways, terms, watcher, measured)
    assert sum(engine.closed for engine in engines) == len(shelf.opened), "whatever was opened is closed"
    assert watcher.complete[-1] == len(measured.cases) == measured.asked
    return measured, shelf


async def test_samples_are_drawn_once_and_counted_by_all_ways() -> None:
    one, other = Scripted("one", right_in(0.9, 1)), Scripted("other", right_in(0.5, 2))
    measured, shelf = await measured_by(one, other, ways=("plurality", "points", "consistent"))
    assert measured.ways == ("plurality", "points", "consistent")
    for_team = [ask for ask in other.asked if isinstance(ask, GenerateRequest) and ask.samples == 5]
    assert len(for_team) == 12, "one request for each question"
    assert shelf.opened == ["one", "other"], "each is opened once"
    assert measured.failed == {} and measured.is_equal


async def test_every_way_is_tried_and_told() -> None:
    engines = [Scripted("one", right_in(0.9, 1), 1_000), Scripted("other", right_in(0.6, 2), 3_000)]
    measured, _ = await measured_by(*engines, Scripted("third", right_in(0.4, 3), 1_000))
    assert measured.ways == tuple(WAYS) and measured.notes == []
    told = report(measured, {})
    assert len(told["questions"]) == 12 and set(told["questions"][0]["ways"]) == set(WAYS)
    assert {(entry["way"], entry["group"]) for entry in told["ways"]} == {
        (way, group) for way in WAYS for group in ("class 0", "class 1", None)
    }
    judge = row(measured, "judge", None)
    assert judge.team.right == judge.any_right.right == 12, "who judges perfectly finds whatever anybody knew"
    assert all(len(case.greedy) == 3 for case in measured.cases)


async def test_every_pass_and_token_that_a_model_counted_is_in_the_account() -> None:
    """A cost that forgets something makes a team look cheaper than it is."""
    engines = [Scripted("one", right_in(0.9, 1)), Scripted("other", right_in(0.6, 2), 3_000)]
    measured, _ = await measured_by(*engines)
    for member, engine in enumerate(engines):
        kept = [case.pool(member).spent for case in measured.cases]
        kept += [case.greedy[member].spent for case in measured.cases]
        kept += [reply.spent for case in measured.cases for way in case.replies.values() for reply in way[member]]
        counted = [spent_on(account, 0.0, engine.parameters) for account in engine.accounts]
        assert replace(total(kept), seconds=0.0) == total(counted)
    for way in measured.ways:
        of_way = [draw.spent for case in measured.cases for draw in case.drawn]
        of_way += [reply.spent for case in measured.cases for some in case.replies.get(way, ()) for reply in some]
        if way != "cascade":  # It does not ask everybody.
            assert row(measured, way, None).spent.tokens == total(of_way).tokens


@pytest.mark.parametrize(
    ("size_bytes", "at_once", "open_max"),
    [
        pytest.param(1, False, 3, id="small ones stay open"),
        pytest.param(OPEN_BYTES_MAX, False, 1, id="one large one at a time"),
        pytest.param(OPEN_BYTES_MAX, True, 3, id="large ones stay open where a person says so"),
    ],
)
async def test_models_stay_open_as_memory_allows(size_bytes: int, at_once: bool, open_max: int) -> None:
    engines = [Scripted(name, right_in(0.5, 1), size_bytes=size_bytes) for name in ("one", "other", "third")]
    _, shelf = await measured_by(*engines, at_once=at_once, ways=("points",))
    assert (shelf.open_max, len(shelf.opened) == 3) == (open_max, open_max == 3)


async def test_progress_is_told_to_its_end() -> None:
    shelf, watcher = Shelf(Scripted("one", right_in(0.9, 1)), Scripted("other", right_in(0.4, 2), 3_000)), Silent()
    async with Team(seats(["one", "other"]), open_model=shelf.open_model) as team:
        await team.meet()
        measured = prepare(team, ALL)
        await measure(team, sums(12), ALL, TERMS, watcher, measured)
    assert sum(steps for _, steps in watcher.begun) == watcher.parts


async def test_the_best_member_alone_gets_at_least_the_teams_tokens_and_no_sample_more() -> None:
    best = Scripted("best", right_in(0.8, 1))
    measured, _ = await measured_by(best, Scripted("worse", right_in(0.2, 2)), Scripted("worst", always("0")))
    assert measured.best_member(None) == 0
    for way in measured.ways:
        for one, end in zip(measured.cases, measured.verdicts[way], strict=True):
            alone = alone_at(one, 0, end.spent.tokens, 1_000, SAMPLES_MAX)
            assert alone.spent.tokens >= end.spent.tokens or alone.samples == SAMPLES_MAX
            assert alone.spent.tokens - max(one.pool(0).lengths) <= end.spent.tokens
            assert alone.spent.work == alone.spent.tokens * 1_000
    found = row(measured, "points", None)
    assert found.samples_alone > 5 * 12 and found.spent_alone.tokens >= found.spent.tokens and found.same_cost == 1
    assert any(each.drawn_alone < each.samples_alone for each in rows(measured)), "some were settled before"
    seeds = [ask.sampling.seed for ask in best.asked if isinstance(ask, GenerateRequest) and ask.sampling.temperature]
    assert len(seeds) == len(set(seeds)), "no sample is drawn twice"


async def test_a_limit_of_samples_is_kept_and_what_it_means_is_told() -> None:
    """A way may cost any number of tokens; one member is not asked for ever."""
    chatty = Scripted("chatty", always("x" * 4_000))
    measured, _ = await measured_by(Scripted("terse", always("2")), chatty, items=sums(1), ways=("points",))
    found = row(measured, "points", None)
    assert found.best == 0 and found.samples_alone == SAMPLES_MAX
    assert SAMPLES_MAX / 2 < found.drawn_alone < SAMPLES_MAX / 2 + 2, "a majority of as many as it may draw"
    assert found.same_cost == found.spent_alone.tokens / found.spent.tokens < 0.1
    told = report(measured, {})
    assert not told["same_cost"] and told["ways"][0]["alone_same_cost"] == found.same_cost and not told["partial"]


async def test_without_temperature_there_is_one_sample_and_no_more() -> None:
    one = Scripted("one", always("2"))
    measured, _ = await measured_by(one, Scripted("other", always("4")), ways=("points",), terms=Terms(5, 0.0, 64, 1))
    assert {ask.samples for ask in one.asked if isinstance(ask, GenerateRequest)} == {1}
    found = row(measured, "points", None)
    assert found.samples_alone == found.drawn_alone == 12 and found.same_cost < 1


async def test_a_model_that_fails_abstains_and_it_is_told() -> None:
    def fails(request: GenerateRequest) -> list[str]:
        raise ModelDied("lost its mind")

    measured, _ = await measured_by(Scripted("one", right_in(1.0, 1)), Scripted("broken", fails, scores=True))
    assert all(found.team.right == found.team.asked for found in rows(measured) if found.way == "points")
    [(text, count)] = measured.failed.items()
    assert "lost its mind" in text and count >= 12


async def test_ways_that_cannot_be_are_left_out_and_it_is_said() -> None:
    measured, _ = await measured_by(Scripted("one", always("2")), Scripted("other", always("4"), scores=False))
    assert set(WAYS) - set(measured.ways) == {"scored", "cascade"}
    assert measured.notes == [
        "cascade: left out, as all models are of one size",
        "scored: left out, as other cannot say how likely a text is",
    ]
    alone, _ = await measured_by(Scripted("one", always("2")))
    assert alone.ways == () and len(alone.cases) == 12


async def test_no_adapter_is_forgotten_and_no_two_members_have_one_name() -> None:
    engine = Scripted("m", always("2"))
    shelf = Shelf(engine)
    sat = seats(["m", f"m{ADAPTER_SIGN}/a/sharp.gguf", "m"])
    assert [seat.name for seat in sat] == ["m", "m+sharp", "m#2"]
    assert seats(["http://localhost:8080/v1+x"])[0].adapters == (), "an address is one thing"
    async with Team(sat, open_model=shelf.open_model) as team:
        await team.meet()
        await team.ask(1, [TERMS.greedy("x")], lambda: None)
        await team.ask(0, [TERMS.greedy("x")], lambda: None)
    assert [len(ask.adapters) for ask in engine.asked] == [1, 0]


async def test_who_cannot_be_opened_is_named() -> None:
    async with Team(
        [Seat("good", "good"), Seat("bad", "bad")], open_model=Shelf(Scripted("good", always("2"))).open_model
    ) as team:
        with pytest.raises(MemberUnusable, match=r"bad: .*no model bad"):
            await team.meet()


async def test_what_is_measured_before_an_early_end_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "CHUNK", 4)
    answered = 0
    adds = right_in(1.0, 1)

    def ends_at_30(request: GenerateRequest) -> list[str]:
        nonlocal answered
        answered += 1
        if answered > 30:
            raise asyncio.CancelledError
        return list(adds(request))

    shelf = Shelf(Scripted("one", ends_at_30), Scripted("other", right_in(0.5, 2)))
    team = Team(seats(["one", "other"]), open_model=shelf.open_model)
    await team.meet()
    measured = prepare(team, ("points", "revise"))
    with pytest.raises(asyncio.CancelledError):
        await measure(team, sums(40), ("points", "revise"), TERMS, Silent(), measured)
    assert 0 < len(measured.cases) < 40 and len(measured.cases) % 4 == 0
    assert all(len(verdicts) == len(measured.cases) for verdicts in measured.verdicts.values())
    assert not measured.is_whole and row(measured, "points", None).team.asked == len(measured.cases)


async def test_turns_are_counted_between_samples_and_end() -> None:
    def follows(request: GenerateRequest) -> list[str]:
        said = "Others: " in request.prompt
        return [request.prompt.rpartition("Others: ")[2].split("\n")[0] if said else "1"] * request.samples

    measured, _ = await measured_by(Scripted("one", right_in(1.0, 1)), Scripted("follower", follows), ways=("revise",))
    found = row(measured, "revise", None)
    assert found.members_turned == Turns(to_wrong=0, to_right=12), "the follower took over what the other knew"


async def test_likelihood_is_asked_for_by_the_way_that_needs_it_alone() -> None:
    one = Scripted("one", right_in(0.6, 1))
    await measured_by(one, Scripted("other", right_in(0.6, 2)), ways=("points",))
    assert not [ask for ask in one.asked if isinstance(ask, ScoreRequest)]


def test_who_has_nothing_answers_nothing_at_any_cost() -> None:
    assert alone_at(case(drew(), drew("7")), 0, 100, 1, 9).answer is None
