"""The process hangs, dies, lies or runs out of memory: what was under way fails with the reason, the node goes on."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from node.model.errors import GrammarInvalid, ModelBusy, ModelDied, ModelTimeout
from node.model.local.process import ModelProcess
from node.model.local.settings import ModelState, ProcessSettings
from tests.node.model.local.asking import FAST, ask
from tests.node.model.processes import is_alive, pid_of, wait_until


async def restarted(model: ModelProcess, first: int) -> None:
    await wait_until(lambda: model.pid not in (first, None))


async def test_a_death_costs_what_was_under_way_and_nothing_else(model: ModelProcess) -> None:
    states: list[ModelState] = []
    model.on_state = states.append
    first = pid_of(model)
    tasks = [asyncio.create_task(model.generate(ask("hold"))) for _ in range(32)]
    while (await model.counts()).waiting < 32:
        pass
    os.kill(first, signal.SIGKILL)
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, ModelDied)
        assert "SIGKILL (the system does that when memory runs out)" in str(result)
    with pytest.raises(ModelDied, match="next start in 20 ms"):
        await model.generate(ask("say"))  # at once: the node abstains rather than waits
    await restarted(model, first)
    assert (await model.generate(ask("say on"))).texts == ("on",)
    assert [(state.up, state.starts) for state in states] == [(False, 1), (True, 2)]


@pytest.mark.parametrize(
    ("verb", "reason"),
    [
        ("die", "SIGABRT; it last said: 'assertion failed: or so'"),
        ("oom", "exit code 1; it last said: .*MemoryError"),
        ("garbage", r"sent what is no message of ours \(.*\); it was ended by SIGKILL$"),
        ("pieces 1", "pieces of what was not to be streamed"),
        ("wrong shape", "no result"),
        ("wrong count", "not 5 of them"),
        ("wrong surrogate", "surrogates not allowed"),
        ("wrong negative", "no count: -1"),
        ("wrong end", "'tired' is not a valid End"),
    ],
)
async def test_the_reason_is_told(model: ModelProcess, verb: str, reason: str) -> None:
    """After a stray byte nothing that follows can be trusted to be a reply."""
    first = pid_of(model)
    other = asyncio.create_task(model.generate(ask("hold")))
    with pytest.raises(ModelDied, match=reason):
        await model.generate(ask(verb, samples=5))
    with pytest.raises(ModelDied, match=reason):
        await other
    assert not is_alive(first)
    await restarted(model, first)
    assert (await model.generate(ask("say on"))).texts == ("on",)


async def test_a_stream_without_end_is_cut(model: ModelProcess) -> None:
    with pytest.raises(ModelDied, match="more pieces than tokens"):
        async for _ in model.stream(ask("pieces 9", tokens_max=8)):
            pass


async def test_a_process_that_hangs_is_ended(scripted: None) -> None:
    """It is missed by its silence; what waits for it fails with the reason, and the next request is served."""
    settings = ProcessSettings(hang_timeout_ms=300, restart_ms_min=10)
    model = ModelProcess(Path("any"), settings=settings)
    await model.start()
    first = pid_of(model)
    tasks = [asyncio.create_task(model.generate(ask(what))) for what in ("hold", "hang", "say never")]
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, ModelDied)
        assert "gave no sign of life for 300 ms; it was ended by SIGKILL" in str(result)
    await restarted(model, first)
    await model.generate(ask("say"))
    await model.close()


async def test_a_process_that_takes_long_but_lives_is_left_alone(scripted: None) -> None:
    model = ModelProcess(Path("any"), settings=ProcessSettings(hang_timeout_ms=300))
    await model.start()
    first = pid_of(model)
    with pytest.raises(ModelTimeout):
        await model.generate(ask("hold", deadline_ms=900))
    assert model.pid == first
    await model.close()


async def test_an_idle_process_is_left_alone(scripted: None) -> None:
    model = ModelProcess(Path("any"), settings=ProcessSettings(hang_timeout_ms=20))
    await model.start()
    first = pid_of(model)
    await asyncio.sleep(0.2)  # ten times as long
    assert model.pid == first
    await model.close()


async def test_a_stream_that_is_read_late_is_no_sign_of_hanging(scripted: None) -> None:
    """What waits then is the reader, not the process."""
    model = ModelProcess(Path("any"), settings=ProcessSettings(hang_timeout_ms=40))
    await model.start()
    first = pid_of(model)
    pieces = []
    async for piece in model.stream(ask("stream a b c")):
        pieces.append(piece)
        await asyncio.sleep(0.1)
    assert len(pieces) == 4
    assert model.pid == first
    await model.close()


async def test_what_a_hanging_process_does_not_read_is_bounded(scripted: None) -> None:
    model = ModelProcess(Path("any"), settings=ProcessSettings(hang_timeout_ms=20_000))
    await model.start()
    hanging = asyncio.create_task(model.generate(ask("hang")))
    await asyncio.sleep(0)
    for _ in range(20):
        with suppress(ModelTimeout, ModelBusy):
            await model.generate(ask("x" * 5_000_000, deadline_ms=1))
    with pytest.raises(ModelBusy, match="more than the process takes in"):
        await model.generate(ask("say"))
    await model.close()
    with pytest.raises(ModelDied):
        await hanging


async def test_a_grammar_that_was_there_at_two_deaths_is_refused(model: ModelProcess) -> None:
    for _ in range(2):
        first = pid_of(model)
        with pytest.raises(ModelDied):
            await model.generate(ask("die", grammar="bad"))
        await restarted(model, first)
    with pytest.raises(GrammarInvalid, match="2 times when the model's process ended"):
        await model.generate(ask("say", grammar="bad"))
    assert (await model.generate(ask("say on", grammar="good"))).texts == ("on",)


async def test_a_grammar_that_served_in_between_is_not_blamed(model: ModelProcess) -> None:
    for _ in range(3):
        first = pid_of(model)
        with pytest.raises(ModelDied):
            await model.generate(ask("die", grammar="innocent"))
        await restarted(model, first)
        assert (await model.generate(ask("say on", grammar="innocent"))).texts == ("on",)


async def test_closing_blames_nobody(scripted: None) -> None:
    for _ in range(2):
        model = ModelProcess(Path("any"), settings=FAST)
        await model.start()
        task = asyncio.create_task(model.generate(ask("hold", grammar="innocent")))
        while (await model.counts()).waiting < 1:
            pass
        await model.close()
        with pytest.raises(ModelDied):
            await task
        assert not model._quarantine._suspects
