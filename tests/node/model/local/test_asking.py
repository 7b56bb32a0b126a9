"""Many requests under way at once: each gets its own answer, and whoever gives up leaves nothing behind."""

import asyncio
from pathlib import Path

import pytest

from node.model.errors import AbilityMissing, GrammarInvalid, ModelBusy, ModelDied, ModelTimeout, PromptTooLong
from node.model.local.process import ModelProcess
from node.model.local.settings import ProcessSettings
from node.model.requests import EmbedRequest, NextRequest, ScoreRequest
from node.model.results import Generated, Piece
from tests.node.model.local import fake_process
from tests.node.model.local.asking import ask
from tests.node.model.processes import wait_until


async def held(model: ModelProcess) -> int:
    return (await model.counts()).waiting


async def test_each_request_gets_its_own_answer(model: ModelProcess) -> None:
    """Also those that overtake others."""
    slow = [asyncio.create_task(model.generate(ask("hold"))) for _ in range(5)]
    quick = await asyncio.gather(*(model.generate(ask(f"say {word}", samples=2)) for word in "abc"))
    assert [answer.texts for answer in quick] == [("a", "a"), ("b", "b"), ("c", "c")]
    assert not any(task.done() for task in slow)
    assert (await model.generate(ask("release"))).texts == ("released",)
    assert [answer.texts for answer in await asyncio.gather(*slow)] == [("held",)] * 5


async def test_every_kind_of_answer_arrives_as_it_was_sent(model: ModelProcess) -> None:
    text = ask("say yes", samples=3, likelihood=True)
    calibrated = ScoreRequest(prompt="say", continuations=("a", "b"), calibrated=True)
    plain = ScoreRequest(prompt="say", continuations=("a",))
    following, vectors = NextRequest(prompt="say"), EmbedRequest(texts=("a", "b", "c"))
    for request, answered in (
        (text, await model.generate(text)),
        (calibrated, await model.score(calibrated)),
        (plain, await model.score(plain)),
        (following, await model.next_tokens(following)),
        (vectors, await model.embed(vectors)),
    ):
        assert answered == fake_process.answer(request, "yes")
    assert await model.describe() == fake_process.INFO


async def test_a_stream_ends_with_the_whole(model: ModelProcess) -> None:
    items = [item async for item in model.stream(ask("stream a b c"))]
    assert items[:-1] == [Piece(0, "a"), Piece(0, "b"), Piece(0, "c")]
    assert isinstance(items[-1], Generated)
    assert items[-1].texts == ("abc",)


async def test_a_caller_that_gives_up_is_forgotten_on_both_sides(model: ModelProcess) -> None:
    tasks = [asyncio.create_task(model.generate(ask("hold"))) for _ in range(3)]
    while await held(model) < 3:
        pass
    tasks[1].cancel()
    while await held(model) != 2:
        pass
    await model.generate(ask("release"))
    assert (await tasks[0]).texts == (await tasks[2]).texts == ("held",)


async def test_a_stream_that_is_left_is_given_up(model: ModelProcess) -> None:
    stream = model.stream(ask("hold"))
    first = asyncio.ensure_future(anext(aiter(stream)))
    while await held(model) < 1:
        pass
    first.cancel()
    await asyncio.wait({first})
    while await held(model) != 0:
        pass


async def test_a_deadline_ends_the_request_and_not_the_process(model: ModelProcess) -> None:
    pid = model.pid
    with pytest.raises(ModelTimeout, match="a request took longer than 50 ms"):
        await model.generate(ask("hold", deadline_ms=50))
    with pytest.raises(ModelTimeout, match="a request took longer than 50 ms"):
        async for _ in model.stream(ask("hold", deadline_ms=50)):
            pass
    assert await held(model) == 0
    assert model.pid == pid


async def test_the_queue_is_bounded_and_says_why(scripted: None) -> None:
    model = ModelProcess(Path("any"), settings=ProcessSettings(queue_max=4))
    await model.start()
    waiting = [asyncio.create_task(model.generate(ask("hold", caller="a"))) for _ in range(4)]
    while await held(model) < 4:
        pass
    with pytest.raises(ModelBusy, match="4 requests already wait for the model, 4 of them the same caller's"):
        await model.generate(ask("say", caller="a"))
    waiting.pop().cancel()
    await asyncio.sleep(0)
    await model.generate(ask("release", caller="a"))
    await asyncio.gather(*waiting)
    await model.close()


async def test_one_caller_cannot_keep_the_others_out(scripted: None) -> None:
    """The place of the latest request of whoever has most goes to one who has few."""
    model = ModelProcess(Path("any"), settings=ProcessSettings(queue_max=4))
    await model.start()
    flood = [asyncio.create_task(model.generate(ask("hold", caller="flood"))) for _ in range(4)]
    while await held(model) < 4:
        pass
    assert (await model.generate(ask("say yes", caller="small"))).texts == ("yes",)
    with pytest.raises(ModelBusy):
        await flood[3]
    assert not any(task.done() for task in flood[:3])
    assert await held(model) == 3, "what was pushed out is given up there too"
    await model.generate(ask("release", caller="small"))
    assert [(await task).texts for task in flood[:3]] == [("held",)] * 3
    await model.close()


async def test_what_the_process_refuses_is_raised_here(model: ModelProcess) -> None:
    with pytest.raises(GrammarInvalid):
        await model.generate(ask("refuse"))
    with pytest.raises(GrammarInvalid):
        async for _ in model.stream(ask("refuse")):
            pass


async def test_a_request_longer_than_a_frame_is_refused(model: ModelProcess) -> None:
    with pytest.raises(PromptTooLong, match="bytes"):
        await model.generate(ask("x" * (9 << 20)))
    assert (await model.generate(ask("say on"))).texts == ("on",)


async def test_an_ability_that_is_missing_is_told(
    scripted: None, monkeypatch: pytest.MonkeyPatch, model: ModelProcess
) -> None:
    info = await model.describe()
    child = model._child()
    child.info = type(info)(info.name, info.architecture, 0, 128, info.digest, 0, frozenset())
    with pytest.raises(AbilityMissing, match="sample"):
        await model.generate(ask("say"))


async def test_closing_fails_what_is_under_way(scripted: None) -> None:
    model = ModelProcess(Path("any"))
    await model.start()
    tasks = [asyncio.create_task(model.generate(ask("hold"))) for _ in range(3)]
    while await held(model) < 3:
        pass
    await model.close()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, ModelDied)
    with pytest.raises(ModelDied, match="was closed"):
        await model.generate(ask("say"))


async def test_adapters_are_added_again_after_a_restart(model: ModelProcess, tmp_path: Path) -> None:
    good, changed, lost = (tmp_path / name for name in ("good.gguf", "changed.gguf", "lost.gguf"))
    for index, path in enumerate((good, changed, lost)):
        path.write_bytes(bytes([index]) * 32)
        assert (await model.add_adapter(path)).digest == bytes([index]) * 32
    assert [info.name for info in (await model.describe()).adapters] == ["good", "changed", "lost"]
    changed.write_bytes(bytes([9]) * 32)
    lost.unlink()
    first = model.pid
    lost.write_bytes(b"short")
    with pytest.raises(ModelDied):
        await model.generate(ask("die"))
    await wait_until(lambda: model.pid not in (first, None))
    assert [info.name for info in (await model.describe()).adapters] == ["good"]
    assert (await model.counts()).running == 1, "of the fake, its adapters"
    await model.drop_adapter(bytes(32))
    await model.drop_adapter(bytes(32))
    assert (await model.counts()).running == 0


async def test_an_adapter_that_ends_the_process_at_the_restart_is_left_out(model: ModelProcess, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(bytes(32))
    await model.add_adapter(path)
    path.write_bytes(b"die")
    first = model.pid
    with pytest.raises(ModelDied):
        await model.generate(ask("die"))
    await wait_until(lambda: model.pid not in (first, None))
    assert (await model.describe()).adapters == ()
