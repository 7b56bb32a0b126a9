"""A talk with a model: prompts in, answers out as they are written, and after each what it took."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from node.cli import model_answers
from node.cli.model_errors import exit_of
from node.cli.model_named import Named, open_named
from node.cli.terminal import answer_json, is_plain, say
from node.model.engine import Ability, Engine
from node.model.errors import ModelError
from node.model.local.process import ModelProcess
from node.model.requests import AdapterUse, GenerateRequest, NextRequest, ScoreRequest
from node.model.results import Generated, Piece

COME_UP_S, COME_UP_STEP_S = 30.0, 0.05


@dataclass(frozen=True, slots=True)
class Writing:
    """The model is to write."""

    request: GenerateRequest


@dataclass(frozen=True, slots=True)
class Choosing:
    """The model is to say how likely answers are."""

    request: ScoreRequest


@dataclass(frozen=True, slots=True)
class Looking:
    """The model is to say what it would write next."""

    request: NextRequest


Asked = Writing | Choosing | Looking


@dataclass(frozen=True, slots=True)
class Order:
    """All of a talk but the prompts; those in the requests are replaced."""

    chosen: Named
    asked: Asked
    written: str
    raw: bool
    as_json: bool


def talk(order: Order, prompt: str | None) -> bool:
    """Ask one prompt, or every line of stdin. Whether every answer came.

    Raises:
        ModelError: the model cannot be used; with one prompt also what came instead of an answer.
        NodeError: there is no such model.
        KeyboardInterrupt: the person ended it.
    """
    with asyncio.Runner() as runner:
        partner = _Partner(order, *runner.run(open_named(order.chosen)))
        try:
            runner.run(partner.prepare())
            if prompt is not None:
                runner.run(partner.answer(prompt))
                return True
            return _answer_lines(runner, partner, order.as_json)
        finally:
            runner.run(partner.close())


def _answer_lines(runner: asyncio.Runner, partner: "_Partner", as_json: bool) -> bool:
    failed = False
    for line in _lines():
        try:
            runner.run(partner.answer(line))
        except ModelError as error:
            failed = True
            if as_json:
                answer_json({"prompt": line, "error": str(error), "exit_code": int(exit_of(error))})
            say(("moot: ", "bold red"), str(error))
        except KeyboardInterrupt:
            if not partner.idle:  # a second one, and the first answer is still being given up
                raise
            say(("\ncancelled; Ctrl-C or Ctrl-D ends", "dim"))
    return not failed


def _lines() -> Iterator[str]:
    """What a person types, or a file holds; empty lines are nothing to ask."""
    if not sys.stdin.isatty():
        yield from filter(None, (line.rstrip("\r\n") for line in sys.stdin))
        return
    import readline  # noqa: F401 - gives input() editing and a memory of earlier lines

    while True:
        try:
            if line := input("> "):
                yield line
        except EOFError:
            say("")
            return


class _Partner:
    """The engine, asked as the order says."""

    def __init__(self, order: Order, engine: Engine, uses: tuple[AdapterUse, ...]) -> None:
        self._order, self._engine, self._uses = order, engine, uses
        self._abilities: frozenset[Ability] = frozenset()
        self.idle = True
        """No answer is under way."""

    async def prepare(self) -> None:
        self._abilities = (await self._engine.describe()).abilities

    async def close(self) -> None:
        await self._engine.close()

    async def answer(self, prompt: str) -> None:
        self.idle = False
        try:
            await self._come_up()
            await self._answer(prompt)
        finally:
            self.idle = True

    async def _come_up(self) -> None:
        """A process that died over the line before is started again only while the loop runs: now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(COME_UP_S):
                while isinstance(self._engine, ModelProcess) and self._engine.pid is None:  # noqa: ASYNC110
                    await asyncio.sleep(COME_UP_STEP_S)

    async def _answer(self, prompt: str) -> None:
        order = self._order
        match order.asked:
            case Writing(request):
                request = replace(request, prompt=prompt, written=order.written, raw=order.raw, adapters=self._uses)
                generated, shown = await self._write(request)
                model_answers.texts(prompt, request, generated, shown, order.as_json)
            case Choosing(request):
                request = replace(request, prompt=prompt, written=order.written, raw=order.raw, adapters=self._uses)
                model_answers.choices(prompt, request, await self._engine.score(request), order.as_json)
            case Looking(request):
                request = replace(request, prompt=prompt, written=order.written, raw=order.raw, adapters=self._uses)
                model_answers.tokens(prompt, await self._engine.next_tokens(request), order.as_json)

    async def _write(self, request: GenerateRequest) -> tuple[Generated, bool]:
        """The texts, and whether they were shown while they were written: so is a single one."""
        if self._order.as_json or request.samples > 1 or Ability.STREAM not in self._abilities:
            return await self._engine.generate(request), False
        show = model_answers.harmless if not is_plain() else str
        generated = None
        async for item in self._engine.stream(request):
            match item:
                case Piece(text=text):
                    sys.stdout.write(show(text))
                    sys.stdout.flush()
                case Generated():
                    generated = item
        assert generated is not None, "the last item is the whole"
        return generated, True
