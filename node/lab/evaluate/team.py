"""The models that are measured: opened one after another or all at once, each asked many things at a time."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from node.errors import Exit, NodeError
from node.lab.evaluate.case import Reply
from node.lab.evaluate.exchanges import Request
from node.lab.evaluate.spent import Spent, spent_on
from node.model.engine import Ability, Engine, ModelInfo
from node.model.errors import ModelError
from node.model.opening import ModelFile, find, open_engine
from node.model.requests import AdapterUse, GenerateRequest

IN_FLIGHT = 32
"""Requests at one model at a time: enough to fill its forward passes, and within what its queue holds."""
DEADLINE_MS = 3_600_000
"""For a request: nobody waits for it, and a large model on a slow machine needs its time."""
OPEN_BYTES_MAX = 2 << 30
"""That models may take which stay open without being told to: less than most machines have free."""
PROCESS_BYTES = 224 << 20
"""That a model takes beside its file: its process, and room for what is under way. Measured: 97 MiB for a model of 1.3
million parameters, 207 MiB for one of 4 million."""
ADAPTER_SIGN = "+"
"""Between a model and the adapters that it is used with."""

Open = Callable[[str], Awaitable[Engine]]
Result = TypeVar("Result")


class MemberUnusable(NodeError):
    """A model that was to be measured cannot be opened. The message says why."""

    exit_code = Exit.MODEL_INVALID


@dataclass(frozen=True, slots=True)
class Seat:
    """One member of a team.

    Args:
        name: in tables; each member of a team has another.
        model: what a person calls its model.
        adapters: files of adapters that are applied to all its requests.
    """

    name: str
    model: str
    adapters: tuple[str, ...] = ()


def seats(specs: Sequence[str]) -> list[Seat]:
    """Read what a person calls members: a model, or MODEL+ADAPTER; a model may sit twice, with and without."""
    found = list[Seat]()
    for spec in specs:
        whole = "://" in spec or Path(spec).is_file()  # A sign in an address or a file's name is part of it.
        model, *adapters = [spec] if whole else spec.split(ADAPTER_SIGN)
        short = "+".join(_short(part) for part in (model, *adapters))
        twins = sum(seat.name == short or seat.name.startswith(f"{short}#") for seat in found)
        found.append(Seat(f"{short}#{twins + 1}" if twins else short, model, tuple(adapters)))
    return found


class Team:
    """Use it as a context: whatever it opened is closed when the context is left."""

    def __init__(self, members: Sequence[Seat], *, at_once: bool = False, open_model: Open = open_engine) -> None:
        """Small models all stay open, and several answer at once. Larger ones do if `at_once`; else, memory for one
        is enough: a member's model is closed when another's is opened.
        """
        self.members = tuple(members)
        self.infos: dict[int, ModelInfo] = {}
        self._keeps_all = self._at_once = at_once
        self._processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._open_model = open_model
        self._engines: dict[int, tuple[Engine, tuple[AdapterUse, ...]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def meet(self) -> None:
        """Open every model once, so that one that cannot be used is known before any work is done.

        Raises:
            MemberUnusable: naming the member.
        """
        taken = 0
        self._at_once = True
        for member in range(len(self.members)):
            await self._engine(member)
            taken += self.infos[member].size_bytes + PROCESS_BYTES
            self._at_once = self._keeps_all or taken <= OPEN_BYTES_MAX

    async def each(self, members: Iterable[int], work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
        """Do something with each of some members: with as many at once as there are processors, if all are open.

        A model's process computes on one. The largest models begin, so that none of them is left over at the end.
        """
        room = asyncio.Semaphore(self._processors if self._at_once else 1)

        async def one(member: int) -> None:
            async with room:
                await work(member)

        await _together([one(member) for member in sorted(members, key=lambda m: (-self.infos[m].parameters, m))])

    def is_able(self, member: int, ability: Ability) -> bool:
        return ability in self.infos[member].abilities

    async def ask(self, member: int, requests: Sequence[Request], tick: Callable[[], None]) -> list[Reply]:
        """Ask one member many things. What it cannot answer is a reply that says so; seconds are shared equally."""
        if not requests:
            return []
        engine, uses = await self._engine(member)
        room = asyncio.Semaphore(IN_FLIGHT)

        async def one(request: Request) -> Reply:
            async with room:
                reply = await _asked(
                    engine, replace(request, adapters=uses, deadline_ms=DEADLINE_MS), self.infos[member].parameters
                )
            tick()
            return reply

        began = time.monotonic()
        replies = await _together([one(request) for request in requests])
        seconds = (time.monotonic() - began) / len(requests)
        return [replace(reply, spent=replace(reply.spent, seconds=seconds)) for reply in replies]

    async def _engine(self, member: int) -> tuple[Engine, tuple[AdapterUse, ...]]:
        if member not in self._engines:
            if not self._at_once:
                await self._close()
            self._engines[member] = await self._opened(member)
        return self._engines[member]

    async def _opened(self, member: int) -> tuple[Engine, tuple[AdapterUse, ...]]:
        seat = self.members[member]
        async with AsyncExitStack() as stack:
            try:
                engine = await self._open_model(seat.model)
                stack.push_async_callback(engine.close)
                added = [await engine.add_adapter(_file(seat, adapter)) for adapter in seat.adapters]
                self.infos[member] = await engine.describe()
            except ModelError as error:
                raise MemberUnusable(f"{seat.name}: {error}") from error
            stack.pop_all()
        return engine, tuple(AdapterUse(info.digest) for info in added)

    async def _close(self) -> None:
        while self._engines:
            _, (engine, _) = self._engines.popitem()
            await engine.close()


async def _together(work: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Whatever ends this ends all of it."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _asked(engine: Engine, request: Request, parameters: int) -> Reply:
    try:
        if isinstance(request, GenerateRequest):
            generated = await engine.generate(request)
            return Reply(generated, spent_on(generated.account, 0.0, parameters))
        scored = await engine.score(request)
        return Reply(scored, spent_on(scored.account, 0.0, parameters))
    except ModelError as error:
        return Reply(None, Spent(), str(error))


def _file(seat: Seat, adapter: str) -> Path:
    found = find(adapter)
    if not isinstance(found, ModelFile):
        raise MemberUnusable(f"{seat.name}: {adapter} is no file of an adapter")
    return found.path


def _short(model: str) -> str:
    """What a member is called in a table."""
    name = model.rpartition(":")[2] if model.startswith("reference:") else Path(model).name.removesuffix(".gguf")
    return name or model
