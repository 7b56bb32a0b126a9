# ruff: noqa: ASYNC110, ASYNC220 - waits for real processes
"""Many callers at the real process: fairness, giving up, deadlines, dying and running out of memory under load."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from node.model.errors import ModelDied, ModelTimeout
from node.model.local.process import ModelProcess
from node.model.pipe.counts import Counts
from node.model.requests import Sampling
from tests.node.model.local.asking import ask
from tests.node.model.processes import is_alive, pid_of, wait_until

ROOT = Path(__file__).parents[4]
WARM = Sampling(temperature=1.0, seed=5)


async def until(engine: ModelProcess, true: Callable[[Counts], bool]) -> Counts:
    async with asyncio.timeout(30):
        while not true(counts := await engine.counts()):
            await asyncio.sleep(0.001)
    return counts


async def test_a_flood_does_not_hold_up_another_caller(letters_file: Path) -> None:
    """One caller has forty long requests waiting; the other's short ones are answered long before those are done."""
    engine = ModelProcess(letters_file)
    await engine.start()
    flood = [
        asyncio.create_task(engine.generate(ask(f"{index} go on", samples=8, tokens_max=80, caller="flood")))
        for index in range(40)
    ]
    await until(engine, lambda counts: counts.running > 0)
    for index in range(3):
        await engine.generate(ask(f"short {index}", tokens_max=4, caller="other"))
        assert sum(task.done() for task in flood) < 20
    await asyncio.gather(*flood)
    await engine.close()


async def test_two_callers_get_as_much(letters_file: Path) -> None:
    """Whoever asks in eight times as many requests of the same kind still gets half of the tokens."""
    engine = ModelProcess(letters_file)
    await engine.start()
    tokens = {"many": 0, "few": 0}
    enough = asyncio.Event()

    async def keep_asking(caller: str, line: int) -> None:
        for index in range(1_000):
            answer = await engine.generate(
                ask(f"{caller} {line} {index}", samples=8, tokens_max=30, sampling=WARM, caller=caller)
            )
            tokens[caller] += answer.account.generated_tokens
            if tokens[caller] > 10_000:
                enough.set()

    tasks = [asyncio.create_task(keep_asking("many", line)) for line in range(40)]
    tasks += [asyncio.create_task(keep_asking("few", line)) for line in range(8)]
    await enough.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await engine.close()
    assert tokens["few"] > 0.75 * tokens["many"]


async def test_giving_up_frees_the_sequences(engine: ModelProcess) -> None:
    tasks = [asyncio.create_task(engine.generate(ask(f"{index}", samples=8, tokens_max=900))) for index in range(12)]
    await until(engine, lambda counts: counts.running > 0 and counts.waiting > 0)
    for task in tasks:
        task.cancel()
    counts = await until(engine, lambda counts: counts.running == counts.waiting == 0)
    assert (counts.requests, counts.failed) == (0, 12)
    assert (await engine.generate(ask("after", tokens_max=4))).account.waited_us < 1_000_000
    after = await engine.counts()
    assert after.decoded_tokens == after.native_tokens


async def test_a_deadline_ends_one_request_alone(engine: ModelProcess) -> None:
    pid = engine.pid
    other = asyncio.create_task(engine.generate(ask("other", tokens_max=300)))
    with pytest.raises(ModelTimeout, match="longer than 30 ms"):
        await engine.generate(ask("late", samples=64, tokens_max=900, deadline_ms=30))
    assert len((await other).lengths) == 1
    counts = await until(engine, lambda counts: counts.running == 0)
    assert counts.failed == 1
    assert engine.pid == pid


async def test_thirty_two_callers_lose_what_was_in_the_process_and_no_more(engine: ModelProcess) -> None:
    first = pid_of(engine)
    tasks = [
        asyncio.create_task(engine.generate(ask(f"question {index}", samples=4, tokens_max=900))) for index in range(32)
    ]
    await until(engine, lambda counts: counts.running > 0)
    os.kill(first, signal.SIGKILL)
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, ModelDied)
    await wait_until(lambda: engine.pid not in (first, None))
    answers = await asyncio.gather(*(engine.generate(ask(f"question {index}", tokens_max=8)) for index in range(32)))
    assert {len(answer.texts) for answer in answers} == {1}


async def test_running_out_of_memory_is_told_and_survived(engine: ModelProcess) -> None:
    """The limit is put on the process as it runs: whatever it needs next, here to work out likelihoods, is refused."""
    first = pid_of(engine)
    resource.prlimit(first, resource.RLIMIT_AS, (1 << 20, 1 << 20))
    other = asyncio.create_task(engine.generate(ask("other", samples=4, tokens_max=900)))
    await until(engine, lambda counts: counts.running > 0)
    with pytest.raises(ModelDied, match=r"exit code 1; it last said: .*failed to map segment"):
        await engine.generate(ask("x", tokens_max=4, likelihood=True))
    with pytest.raises(ModelDied, match="failed to map segment"):
        await other
    await wait_until(lambda: engine.pid not in (first, None))
    await engine.generate(ask("x", tokens_max=4, likelihood=True))


async def test_memory_does_not_grow(engine: ModelProcess) -> None:
    def resident_kib() -> int:
        pages = Path(f"/proc/{engine.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize() // 1024

    async def asked(count: int) -> None:
        for start in range(0, count, 20):
            await asyncio.gather(
                *(
                    engine.generate(ask(f"{seed} plus {seed}", samples=5, sampling=WARM, tokens_max=12))
                    for seed in range(start, start + 20)
                )
            )

    await asked(200)
    before = resident_kib()
    await asked(400)
    assert resident_kib() - before < 512


PARENT = """
    import asyncio, pathlib, sys
    from node.model.local.process import ModelProcess
    from node.model.requests import GenerateRequest

    async def main():
        model = ModelProcess(pathlib.Path(sys.argv[1]))
        await model.start()
        if sys.argv[2] == "busy":
            task = asyncio.create_task(model.generate(GenerateRequest(prompt="1+1=", samples=64, tokens_max=900)))
            await asyncio.sleep(0)
        print(model.pid, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
async def test_it_dies_with_its_node(letters_file: Path, state: str) -> None:
    """Orphans would hold a model's memory for ever, one more per crash of the node."""
    node = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(letters_file), state], stdout=subprocess.PIPE, cwd=ROOT
    )
    try:
        assert node.stdout is not None
        pid = int(await asyncio.to_thread(node.stdout.readline))
        assert is_alive(pid)
    finally:
        node.kill()
        node.communicate()
    await wait_until(lambda: not is_alive(pid))
