"""What the engine's bench works out: how much to ask, ratios, models without an end, and what many callers got."""

import asyncio
import math
import random
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from node.lab.bench.engine import contenders, load, subjects, view
from node.lab.bench.engine.contenders import Run, fresh_prompts
from node.lab.bench.engine.dying import Death
from node.lab.bench.engine.rounds import BARE, CALL, CALLERS, OURS, SERVER, Ladder, Ratio, wanted
from node.lab.bench.engine.sharing import Crowding, Prefix, Scoring, Shared
from node.model import reference
from node.model.engine import LoadSettings
from node.model.errors import ModelBusy
from node.model.llamacpp.model import Model
from node.model.requests import GenerateRequest
from node.model.results import Account, End, Generated


@pytest.mark.parametrize(
    ("rate", "callers", "at_once", "count"),
    [
        pytest.param(10, 1, False, 20, id="as many as the time takes"),
        pytest.param(10, 32, False, 32, id="but one for every caller"),
        pytest.param(10, 16, True, 32, id="two waves at least"),
        pytest.param(100, 16, True, 208, id="whole waves"),
        pytest.param(0.01, 1, True, 2, id="of a slow one, too"),
    ],
)
def test_wanted(rate: float, callers: int, at_once: bool, count: int) -> None:
    assert wanted(rate, callers, 2.0, at_once) == count


def test_a_ratio_is_taken_round_by_round() -> None:
    """A machine that slows down between rounds changes rates, and no ratio."""
    assert Ratio.of([10.0, 5.0, 8.0], [20.0, 10.0, 16.0]) == Ratio(0.5, 0.5, 0.5)
    assert Ratio.of([3.0, 1.0, 2.0], [1.0, 1.0, 1.0]) == Ratio(2.0, 1.0, 3.0)


def test_prompts_share_no_beginning_and_are_of_one_length() -> None:
    prompts = fresh_prompts(200, random.Random(1))
    assert {len(prompt) for prompt in prompts} == {contenders.PROMPT_CHARACTERS}
    assert len({prompt[:5] for prompt in prompts}) > 190
    assert prompts == fresh_prompts(200, random.Random(1)), "all contenders get the same"


def test_a_model_without_an_end(tmp_path: Path) -> None:
    """What ended its answers is a token like others; the weights are the same."""
    path = tmp_path / "endless.gguf"
    original = reference.path(subjects.REFERENCE)
    path.write_bytes(subjects.endless(original.read_bytes()))
    with_end, without = Model(original, LoadSettings()), Model(path, LoadSettings())
    try:
        assert with_end.vocabulary.ends == (2,)
        assert without.vocabulary.ends == (0,)
        assert with_end.vocabulary.prompt("17 + 25") == without.vocabulary.prompt("17 + 25")
        assert path.stat().st_size == original.stat().st_size
    finally:
        with_end.close()
        without.close()


def test_the_rendered_prompt_is_the_models(tmp_path: Path) -> None:
    """Whoever renders none is handed the text that our engine makes of the same message."""
    subject = subjects.small(tmp_path)
    model = Model(subject.path, LoadSettings())
    try:
        raw = model.vocabulary.prompt(subject.rendered("17 + 25"), raw=True)
        assert raw == model.vocabulary.prompt("17 + 25")
    finally:
        model.close()


def test_answers_that_end_early_are_no_full_work() -> None:
    assert contenders.full("a", 10 * contenders.TOKENS - 4, 10) == 10 * contenders.TOKENS - 4
    with pytest.raises(contenders.PromptsDiffer, match="a: 10 answers of 24 tokens have 200 together"):
        contenders.full("a", 200, 10)


class Scripted:
    """Answers after a moment; counts how many are asked at once."""

    def __init__(self, moment_s: float = 0.01, fails_at: int | None = None) -> None:
        self.moment_s, self.fails_at = moment_s, fails_at
        self.asked = self.under_way = self.under_way_max = self.given_up = 0

    async def generate(self, request: GenerateRequest) -> Generated:
        self.asked += 1
        if self.asked == self.fails_at:
            raise ModelBusy(3)
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        try:
            await asyncio.sleep(self.moment_s)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        finally:
            self.under_way -= 1
        account = Account(forward_passes=2, prompt_tokens=3, cached_tokens=1, generated_tokens=4)
        return Generated(("x",), (End.LENGTH,), account)


async def test_every_caller_asks_again_and_all_is_counted() -> None:
    engine = Scripted()
    measured = await load.measure(engine, load.short_answers(4, 1), 5, 0.1)  # type: ignore[arg-type]
    assert engine.under_way_max == measured.callers == 5
    assert len(measured.waits_s) == engine.asked > 5
    assert measured.account.generated_tokens == 4 * engine.asked
    assert measured.cached_share == pytest.approx(0.25)
    assert measured.wait_ms(0.5) >= 10
    assert measured.tokens_per_s == pytest.approx(4 * measured.answers_per_s)


async def test_one_failure_ends_the_measurement_and_gives_the_others_up() -> None:
    engine = Scripted(moment_s=30, fails_at=4)
    with pytest.raises(ModelBusy):
        await load.measure(engine, load.short_answers(4, 1), 4, 60)  # type: ignore[arg-type]
    assert (engine.under_way, engine.given_up) == (0, 3)


def test_words_are_about_as_long_as_asked_for() -> None:
    text = load.words(random.Random(2), 500)
    assert 500 <= len(text) + 1 <= 520


def shown(show: Callable[[Console], None]) -> str:
    out = StringIO()
    show(Console(file=out, width=140))
    return out.getvalue()


def ladder() -> Ladder:
    made = Ladder("small", 2)
    for callers in CALLERS:
        for name, seconds in ((OURS, 1.0), (BARE, 0.8), (SERVER, 10.0)):
            made.runs[name, callers] = [Run(480, seconds, (0.05,) * 20), Run(480, seconds * 2, (0.07,) * 20)]
    made.runs[CALL, 1] = [Run(96, 2.0)] * 2
    made.memory[OURS, 1] = 64 << 20
    return made


def test_the_ladder_shows_rates_and_ratios() -> None:
    text = shown(lambda out: view.show_ladder(out, ladder()))
    row = next(line for line in text.splitlines() if line.split()[:1] == ["16"])
    assert row.split() == [
        "16", "1.0", "2.0", "10.0", "12.5", "10.00", "(10.00-10.00)", "0.80", "(0.80-0.80)", "50", "ms", "-",
    ]  # fmt: skip
    assert "64 MiB" in text
    assert math.isnan(ladder().waits_ms(CALL, 1, 0.5))


def test_who_was_left_out_is_said() -> None:
    made = ladder()
    made.left_out[SERVER] = "fastapi: install it"
    for callers in CALLERS:
        del made.runs[SERVER, callers]
    text = shown(lambda out: view.show_ladder(out, made))
    assert "llama_cpp.server was left out: fastapi: install it" in text
    assert next(line for line in text.splitlines() if line.split()[:1] == ["4"]).split()[1] == "-"


def test_what_is_shared_and_lost_is_shown() -> None:
    shared = Shared(
        "small",
        (Scoring(False, 10.0, 2, 50.0, 16), Scoring(True, 5.0, 1, 20.0, 8)),
        Prefix(2.0, 8.0, 0.9),
        Crowding(4.0, 3.0, 4_000),
    )
    text = " ".join(shown(lambda out: view.show_shared(out, shared)).split())
    assert "new 10.0 ms 2 50.0 ms 16 5.0" in text
    assert "(90% of the prompts' tokens found evaluated), 2.00 where they differ: 4.0 times as many" in text
    assert "3.00 beside 4,000 tokens" in text
    text = " ".join(shown(lambda out: view.show_deaths(out, (Death(32, 32, 5, 100), Death(32, 30, 7, 300)))).split())
    assert "31 lost each time, all of their callers told after 5 ms, the next answer after 100 ms (at most 300" in text
