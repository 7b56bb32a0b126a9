"""How the demo looks: questions fill in live on a terminal, and line by line anywhere else."""

import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.status import Status
from rich.text import Text

from node.api import AskEvent, DecisionReport
from node.cli import show
from node.cli.terminal import console, is_plain
from node.lab.demo_scenes import (
    Asked,
    CaughtUp,
    Checked,
    Ended,
    Exported,
    Finished,
    Founded,
    Heard,
    Killed,
    Met,
    Scene,
    SeenDead,
    Waits,
)

ANSWER_WIDTH_MIN = 10
NAME_WIDTH = 9
INDENT = 7


@dataclass(slots=True)
class _Part:
    """What one member has said so far."""

    answer: str | None = None
    support: int = 0
    samples: int = 0
    proposed: bool = False
    points: list[tuple[str, int]] | None = None
    silent: bool = False
    """The question ended without it."""


@dataclass(slots=True)
class _Block:
    """The question that is being decided."""

    asked: Asked
    parts: dict[str, _Part]
    notes: list[Text] = field(default_factory=list)
    printed: set[str] = field(default_factory=set)

    @property
    def answer_width(self) -> int:
        """Answers are about as long as the right one."""
        likely = [len(show.clip(answer)) for answer in (self.asked.expected, *self.asked.options)]
        return max(ANSWER_WIDTH_MIN, *likely)


class View:
    """Shows scenes on stdout."""

    def __init__(self) -> None:
        self._out = console()
        self._plain = is_plain()
        self._names: tuple[str, ...] = ()
        self._block: _Block | None = None
        self._live: Live | None = None
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_live()
        self._end_wait()

    def show(self, scene: Scene) -> None:
        self._end_wait()
        match scene:
            case Founded():
                self._found(scene)
            case Waits(what=what):
                self._wait(what)
            case Met(seconds=seconds):
                self._say(
                    f"all {len(self._names)} run and have found each other by gossip, after {seconds:.1f} s", "green"
                )
            case Asked():
                self._ask(scene)
            case Heard(event=event):
                self._hear(event)
            case Ended():
                self._end(scene)
            case Killed():
                self._kill(scene)
            case SeenDead():
                self._line()
                names = ", ".join(scene.by)
                self._say(f"{scene.name} is held dead by {names}, {scene.after_s:.1f} s after it was killed", "red")
            case CaughtUp():
                self._catch_up(scene)
            case Exported():
                self._line()
                size = f"{scene.size:,} bytes"
                self._say(f"certificate of question {scene.number}, exported at {scene.at} ({size})")
            case Checked():
                self._check(scene)
            case Finished():
                self._finish(scene)
            case _:
                assert_never(scene)

    def show_way_on(self, directory: Path) -> None:
        """What to type to go on with the same nodes."""
        first = directory / self._names[0]
        self._fact("homes", f"{directory}  (the nodes are stopped)")
        self._fact("go on", f'for home in {directory}/*/; do moot up --quiet --home "$home" & done')
        self._fact("", f'moot ask "What is 17 plus 25?" --kind number --home {first}')
        self._fact("", "kill $(jobs -p)")

    def _found(self, scene: Founded) -> None:
        self._names = tuple(seat.name for seat in scene.seats)
        count = len(scene.seats)
        self._line("Moot", "bold", f"  {count} nodes on this machine, each a process with its own key, store and model")
        self._line()
        for seat in scene.seats:
            strong = ", ".join(seat.strong)
            facts = f"{seat.address:<17}{seat.parameters / 1e6:.1f} million parameters, made for {strong}"
            self._out.print(Text.assemble("  ", (f"{seat.name:<{NAME_WIDTH}}", "cyan"), facts))
        self._line()
        quorum = f"{scene.threshold} of {count} must vote, {scene.turnout} must have answered"
        self._say(f"moot {scene.moot[: show.ID_LENGTH]}: {quorum}")

    def _wait(self, what: str) -> None:
        if not self._plain:
            self._status = self._out.status(Text(what, style="dim"))
            self._status.start()

    def _end_wait(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _ask(self, scene: Asked) -> None:
        self._line()
        self._block = _Block(scene, {name: _Part() for name in self._names})
        if self._plain:
            for line in self._head():
                self._out.print(line)
            return
        self._live = Live(self._render(), console=self._out, auto_refresh=False, redirect_stdout=False)
        self._live.start()

    def _hear(self, event: AskEvent) -> None:
        block = self._block
        name = event.get("member")
        if block is None or name is None:
            return
        part = block.parts[name]
        counts = event.get("counts", [])
        if event["event"] == "proposed":
            part.proposed, part.answer = True, event.get("answer")
            part.support, part.samples = counts[0][1] if counts else 0, event.get("samples", 0)
        elif event["event"] == "preferred":
            part.points = counts
        self._update(name if part.points is not None and part.proposed else None)

    def _update(self, complete: str | None) -> None:
        """Show the block as it stands; without a terminal, the line of a member that has said all."""
        block = self._block
        assert block is not None, "there is a question"
        if self._live is not None:
            self._live.update(self._render(), refresh=True)
        elif complete is not None and complete not in block.printed:
            block.printed.add(complete)
            self._out.print(self._row(complete))

    def _kill(self, scene: Killed) -> None:
        block = self._block
        assert block is not None, "it is killed while a question is open"
        answered = f"{scene.answered} of {len(self._names)} had answered"
        known = answered if scene.state == "open" else f"already {scene.state}"
        note = Text.assemble(
            " " * INDENT,
            (f"kill -9 {scene.pid}", "bold red"),
            f"  {scene.name} is gone {scene.after_ms:.0f} ms after it was asked, {known}; {scene.witness} goes on",
        )
        block.notes.append(note)
        if self._live is None:
            self._out.print(note)
        else:
            self._update(None)

    def _end(self, scene: Ended) -> None:
        block = self._block
        assert block is not None, "it was asked"
        for report in scene.decision["members"]:
            part = block.parts[report["name"]]
            part.silent = report["state"] == "silent"
            part.proposed = report["samples"] > 0
            part.answer, part.samples, part.points = report["answer"], report["samples"], report["points"]
            part.support = report["counts"][0][1] if report["counts"] else 0
            if part.points or report["name"] not in block.printed:
                self._update(report["name"])
        self._end_live()
        for line in _end_lines(scene):
            self._out.print(line, no_wrap=True, overflow="ellipsis")
        self._block = None

    def _end_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _head(self) -> list[RenderableType]:
        assert self._block is not None, "there is a question"
        asked = self._block.asked
        options = f"  ({' / '.join(asked.options)})" if asked.options else ""
        return [
            Text(f"{asked.number:>3}/{asked.count}  {asked.skill}, put to {asked.at}", style="dim"),
            Padding(Text.assemble((asked.text, "bold"), options), (0, 0, 0, INDENT), expand=False),
        ]

    def _render(self) -> Group:
        assert self._block is not None, "there is a question"
        return Group(*self._head(), *self._block.notes, *(self._row(name) for name in self._names))

    def _row(self, name: str) -> Text:
        assert self._block is not None, "there is a question"
        part, expected = self._block.parts[name], self._block.asked.expected
        row = Text.assemble(" " * INDENT, (f"{name:<{NAME_WIDTH}}", "cyan"), no_wrap=True, overflow="ellipsis")
        if part.silent:
            return row.append("silent", "dim")
        if not part.proposed and part.points is None:
            return row.append("...", "dim")
        if part.answer is None:
            return row.append("abstains", "dim")
        style = "green" if part.answer == expected else ""
        row.append(f"{show.clip(part.answer):<{self._block.answer_width}}  ", style).append(self._support(part))
        if part.points:
            row.append("  prefers ", "dim").append(show.spread(part.points))
        return row

    def _support(self, part: _Part) -> Text:
        if self._plain:
            return Text(f"{part.support} of {part.samples}")
        return Text.assemble("●" * part.support, ("○" * (part.samples - part.support), "dim"))

    def _catch_up(self, scene: CaughtUp) -> None:
        self._line()
        missed = show.plural(scene.slots_missed, "slot")
        self._say(
            f"{scene.name} runs again (process {scene.pid}) and caught up {missed} in {scene.seconds:.1f} s", "green"
        )
        known = f"it too now has the answer to question {scene.number}: {show.clip(scene.answer or 'none')}"
        self._say(f"its ledger is {scene.height} slots high, as the others'; {known}")

    def _check(self, scene: Checked) -> None:
        if scene.what:
            self._say(f"{scene.what} changed:")
        self._out.print(Text(f"  $ {scene.command}", style="bold"), soft_wrap=True)
        for line in (scene.out + scene.err).splitlines():
            self._out.print(Text(f"    {line}"), soft_wrap=True)
        style = "green" if scene.exit_code == 0 else "red"
        self._out.print(Text(f"    exit code {scene.exit_code}", style=style))

    def _finish(self, scene: Finished) -> None:
        self._line()
        self._fact("together", f"{scene.right} of {scene.asked} right")
        alone = ", ".join(f"{score.name} {score.right} of {score.asked}" for score in scene.members)
        self._fact("alone", alone)
        self._fact("cost", show.cost_line(scene.cost))
        if scene.model_ms and scene.protocol_ms:
            model, protocol = statistics.median(scene.model_ms), statistics.median(scene.protocol_ms)
            self._fact("median", f"{model:.0f} ms of model and {protocol:.0f} ms of protocol per question")
        self._fact("took", f"{scene.seconds:.0f} s")

    def _fact(self, name: str, value: str) -> None:
        self._out.print(show.fact(name, value), soft_wrap=True)

    def _say(self, text: str, style: str = "") -> None:
        self._out.print(Text(f"  {text}", style=style), soft_wrap=True)

    def _line(self, strong: str = "", style: str = "", text: str = "") -> None:
        self._out.print(Text.assemble((strong, style), text))
        sys.stdout.flush()


def _end_lines(scene: Ended) -> list[Text]:
    decision: DecisionReport = scene.decision
    verdict = Text.assemble(" " * (INDENT - 3), ("=  ", "bold"))
    if decision["answer"] is None:
        verdict.append(decision["reason"] or "no answer", "red")
    elif decision["answer"] == scene.expected:
        verdict.append(show.clip(decision["answer"]), "bold green").append("  right", "green")
    else:
        verdict.append(show.clip(decision["answer"]), "bold red").append("  wrong", "red")
        verdict.append(f", it is {scene.expected}")
    if decision["scores"]:
        verdict.append(f"   {show.scores_line(decision)}", "dim")
    facts = [show.plural(decision["cost"]["forward_passes"], "forward pass", "forward passes")]
    if decision["model_ms"] is not None and decision["protocol_ms"] is not None:
        facts = [f"{decision['model_ms']:.0f} ms of model, {decision['protocol_ms']:.0f} ms of protocol", *facts]
    return [verdict, Text(" " * INDENT + ", ".join(facts), style="dim")]
