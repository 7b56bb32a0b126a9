"""Shares and differences of shares with their 95 % intervals. No I/O."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from node.lab.bench.measures import wilson

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many questions answered right."""

    right: int
    asked: int

    @property
    def value(self) -> float:
        return self.right / self.asked if self.asked else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.asked)


@dataclass(frozen=True, slots=True)
class Paired:
    """Two ways to answer the same questions. Only those count that one had right and the other wrong.

    The interval goes with McNemar's exact test: given how many questions the two differ on, the first way's part of
    them is binomial, and one half if neither is better. It excludes 0 just where that test finds a difference.
    Sources: Q. McNemar, Psychometrika 12 (1947), 153-157; C. Clopper and E. Pearson, Biometrika 26 (1934), 404-413.
    """

    gained: int
    """Questions that the first had right and the second wrong."""
    lost: int
    """The other way round."""
    asked: int

    @staticmethod
    def of(first: Iterable[bool], second: Iterable[bool]) -> "Paired":
        pairs = list(zip(first, second, strict=True))
        gained = sum(one and not other for one, other in pairs)
        return Paired(gained, sum(other and not one for one, other in pairs), len(pairs))

    @property
    def difference(self) -> float:
        return (self.gained - self.lost) / self.asked if self.asked else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        differing = self.gained + self.lost
        if not differing:
            return 0.0, 0.0
        low, high = clopper_pearson(self.gained, differing)
        return (2 * low - 1) * differing / self.asked, (2 * high - 1) * differing / self.asked

    @property
    def p_value(self) -> float:
        """How likely so many on one side are, or more, if neither is better."""
        differing = self.gained + self.lost
        return min(1.0, 2 * _at_most(min(self.gained, self.lost), differing, 0.5))

    @property
    def verdict(self) -> str:
        """better, worse, or no difference measured"""
        low, high = self.interval
        if low > 0:
            return "better"
        return "worse" if high < 0 else "no difference measured"


def share(value: float) -> str:
    """As people read shares: .50"""
    return f"{value:.2f}".replace("0.", ".", 1) if value < 1 else "1.00"


def at_least(value: float) -> str:
    """The same, rounded down: only what is whole reads as whole."""
    return share(math.floor(value * 100) / 100)


def with_interval(found: Share) -> str:
    low, high = found.interval
    return f"{share(found.value)} ({share(low)} to {share(high)})"


def clopper_pearson(hits: int, tries: int) -> tuple[float, float]:
    """Exact 95 % interval of a binomial share, from the two one-sided tests at half the level each."""
    low = 0.0 if hits == 0 else _solved(lambda p: 1 - _at_most(hits - 1, tries, p) < LEVEL / 2)
    high = 1.0 if hits == tries else _solved(lambda p: _at_most(hits, tries, p) > LEVEL / 2)
    return low, high


def _solved(is_below: Callable[[float], bool]) -> float:
    """Where a condition on a share stops to hold, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low


def _at_most(hits: int, tries: int, p: float) -> float:
    """Binomial distribution function, by logarithms, so that thousands of tries neither over- nor underflow."""
    if hits >= tries or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    log_p, log_q = math.log(p), math.log1p(-p)
    logs = [math.lgamma(tries + 1) - math.lgamma(k + 1) - math.lgamma(tries - k + 1) for k in range(hits + 1)]
    return math.fsum(math.exp(log + k * log_p + (tries - k) * log_q) for k, log in enumerate(logs))
