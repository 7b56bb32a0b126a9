"""A live moot, measured from outside: real decisions, asked at one node through its control socket."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from coordinator.records import AnswerKind
from coordinator.tally import RULES, only
from node.api import AnswerReport, AskEvent, CostReport, DecisionReport, MemberReport
from node.errors import Exit, NodeError
from node.lab.evaluate.baseline import next_round
from node.lab.evaluate.case import Case, Draw, even, joined
from node.lab.evaluate.items import Item
from node.lab.evaluate.measure import Measured, Watcher
from node.lab.evaluate.spent import Spent
from node.lab.evaluate.ways import Verdict

CALLERS = 8
"""Questions that are open at a time: a moot decides many in one slot."""
ASK_WAIT_S = 120.0
CHUNK = 64
"""Questions whose decisions are all here before the next are asked."""


class MootUnfit(NodeError):
    """This moot cannot be measured so. The message says why."""

    exit_code = Exit.USAGE


class Client(Protocol):
    """What of a node's control socket is used."""

    def members(self) -> list[MemberReport]: ...

    def ask(
        self,
        text: str,
        kind: str | None,
        options: Sequence[str],
        deadline_ms: int | None,
        tally: str | None,
        wait_s: float | None,
    ) -> Iterable[AskEvent]: ...


class LiveMoot:
    """One moot. Its members are called as in its roster."""

    def __init__(self, client: Client) -> None:
        self._client = client
        members = sorted(client.members(), key=lambda member: member["name"])
        self.nodes = {member["name"]: bytes.fromhex(member["node"]) for member in members}
        if len(self.nodes) < len(members):
            raise MootUnfit("two members of this moot have the same name; tables could not tell them apart")
        self.names = tuple(self.nodes)

    def prepare(self, ways: Sequence[str]) -> Measured:
        unknown = sorted(set(ways) - RULES.keys())
        if unknown:
            known = ", ".join(sorted(RULES))
            raise MootUnfit(f"{', '.join(unknown)}: no voting rule of a moot; with --home choose {known}")
        count = len(self.names)
        return Measured(self.names, (0,) * count, (b"",) * count, tuple(ways), nodes=tuple(self.nodes.values()))

    def measure(self, items: Sequence[Item], watcher: Watcher, measured: Measured) -> None:
        """Fill `measured`, chunk by chunk. Members are judged by what they said in the first way's decisions."""
        measured.asked = len(items)
        tick = watcher.begins("questions", len(items), len(measured.ways))
        with ThreadPoolExecutor(CALLERS) as callers:
            try:
                for start in range(0, len(items), CHUNK):
                    self._decide(items[start : start + CHUNK], tick, measured, callers)
                    watcher.completed(len(measured.cases))
                self._equalize(watcher, measured, callers)
            except BaseException:
                callers.shutdown(wait=False, cancel_futures=True)
                raise
        measured.is_equal = True

    def _decide(
        self, items: Sequence[Item], tick: Callable[[], None], measured: Measured, callers: ThreadPoolExecutor
    ) -> None:
        def one(asked: tuple[str, int]) -> tuple[DecisionReport, float]:
            way, place = asked
            decided = self._ask(items[place], way)
            tick()
            return decided

        asked = [(way, place) for way in measured.ways for place in range(len(items))]
        decisions = dict(zip(asked, callers.map(one, asked), strict=True))
        first = measured.ways[0]
        for place, item in enumerate(items):
            report, seconds = decisions[first, place]
            drawn = tuple(_draw(_part(report, name), seconds / len(self.names)) for name in self.names)
            measured.cases.append(Case(item, drawn))
            self._note_models(measured, report)
        for way in measured.ways:
            ends = [self._verdict(*decisions[way, place]) for place in range(len(items))]
            measured.verdicts.setdefault(way, []).extend(ends)

    def _equalize(self, watcher: Watcher, measured: Measured, callers: ThreadPoolExecutor) -> None:
        """Ask the best member of each class, and of all, alone, again and again, until its tokens are the moot's."""
        best = {group: measured.best_member(group) for group in [None, *measured.groups()]}
        wanted = [
            (place, member)
            for member in sorted(set(best.values()))
            for place in sorted({p for group, one in best.items() if one == member for p in measured.places(group)})
        ]
        tick = watcher.begins("questions of the best members alone", len(wanted))

        def fill(target: tuple[int, int]) -> None:
            place, member = target
            case, rule = measured.cases[place], only(self.nodes[self.names[member]])
            dearest = max(verdicts[place].spent.tokens for verdicts in measured.verdicts.values())
            while next_round(case, member, dearest, measured.alone_max):
                report, seconds = self._ask(case.item, rule)
                more = _draw(_part(report, self.names[member]), seconds)
                if not more.answers:
                    break  # It does not answer now.
                case.pools[member] = joined(case.pool(member), more)
            tick()

        list(callers.map(fill, wanted))

    def _ask(self, item: Item, rule: str) -> tuple[DecisionReport, float]:
        """One decision and the seconds that it took."""
        question = item.question
        options = question.options if question.kind is AnswerKind.CHOICE else ()
        began = time.monotonic()
        events = self._client.ask(question.text, question.kind.value, options, None, rule, ASK_WAIT_S)
        decision = next(event["decision"] for event in events if "decision" in event)
        return decision, time.monotonic() - began

    def _verdict(self, report: DecisionReport, seconds: float) -> Verdict:
        parts = [_part(report, name) for name in self.names]
        before = tuple(tuple((answer, count) for answer, count in part["counts"]) for part in parts)
        after = tuple(tuple((answer, count) for answer, count in part["points"]) for part in parts)
        return Verdict(report["answer"], _spent(report["cost"], seconds), before, after)

    def _note_models(self, measured: Measured, report: DecisionReport) -> None:
        models = [_part(report, name)["model"] for name in self.names]
        pairs = zip(models, measured.digests, strict=True)
        measured.digests = tuple(bytes.fromhex(model) if model else known for model, known in pairs)


def _part(report: DecisionReport, name: str) -> AnswerReport:
    return next(part for part in report["members"] if part["name"] == name)


def _draw(part: AnswerReport, seconds: float) -> Draw:
    """A member's samples as its proposal counts them; how long each was is not told, so all count alike."""
    answers: list[str | None] = [answer for answer, count in part["counts"] for _ in range(count)]
    answers += [None] * (part["samples"] - len(answers))
    lengths = even(part["cost"]["generated_tokens"], part["samples"])
    return Draw((), tuple(answers), lengths, _spent(part["cost"], seconds))


def _spent(cost: CostReport, seconds: float) -> Spent:
    return Spent(cost["forward_passes"], cost["prompt_tokens"], 0, cost["generated_tokens"], seconds)
