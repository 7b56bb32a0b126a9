"""A request while the process works on it: the jobs that it became, and what each of their branches has seen."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

from node.model.batch.jobs import Branch, Drawn
from node.model.errors import ModelError
from node.model.pipe.answered import Result
from node.model.pipe.asked import Request
from node.model.results import Account
from node.model.serving.adapters import Uses


class Watcher(Protocol):
    """What looks at the outputs of forward passes for one branch, or for the end of a prompt."""

    def draw(self, index: int) -> Drawn:
        """Draw the next token from the output of the part at `index` of the pass. Raises GrammarInvalid."""
        ...

    def read(self, index: int, token: int) -> None:
        """How likely is `token` there?"""
        ...

    def end(self, index: int) -> None:
        """How likely does the answer end there?"""
        ...

    def look(self, index: int) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Part:
    """One job of a request: a prompt and branches, each with its watcher, or a look at what follows the prompt."""

    prompt: tuple[int, ...]
    branches: tuple[Branch, ...]
    watchers: tuple[Watcher, ...]
    """One for each branch; for a look, one alone: branch -1 is the last."""

    @property
    def looks(self) -> bool:
        return not self.branches


class Task:
    """One request.

    Args:
        number: as the node knows it.
        result: makes the answer, once all parts are over.
        news: what grew of which sample since the last time; None when nobody wants to know.
    """

    __slots__ = (
        *("_account", "_arrived_ns", "_first_ns", "error", "job_ids", "left"),
        *("news", "number", "parts", "request", "result", "uses"),
    )

    def __init__(
        self,
        number: int,
        request: Request,
        parts: Sequence[Part],
        result: Callable[[Account], Result],
        news: Callable[[], list[tuple[int, str]]] | None = None,
    ) -> None:
        self.number = number
        self.request = request
        self.parts = parts
        self.result = result
        self.news = news
        self.uses: Uses = ()
        self.job_ids: list[int] = []
        self.left = len(parts)
        """Parts that are not over."""
        self.error: ModelError | None = None
        """What went wrong in the latest pass."""
        self._account = Account()
        self._arrived_ns = time.perf_counter_ns()
        self._first_ns = 0

    def begins(self, now_ns: int) -> None:
        """A forward pass for it is about to be made. May be called again."""
        self._first_ns = self._first_ns or now_ns

    def add(self, account: Account) -> bool:
        """Count a part that is over. Returns whether it was the last."""
        self._account = account if len(self.parts) == 1 else _sum(self._account, account)
        self.left -= 1
        return self.left == 0

    def account(self) -> Account:
        """Of all parts together. A forward pass in which two of them took part is counted twice."""
        first_ns = self._first_ns or self._arrived_ns
        return replace(
            self._account,
            waited_us=(first_ns - self._arrived_ns) // 1_000,
            model_us=(time.perf_counter_ns() - first_ns) // 1_000,
        )

    def close(self) -> None:
        for part in self.parts:
            for watcher in part.watchers:
                watcher.close()


def _sum(one: Account, other: Account) -> Account:
    return Account(**{each.name: getattr(one, each.name) + getattr(other, each.name) for each in fields(Account)})
