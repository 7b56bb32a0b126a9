"""Many samples of one figure in short: mean with its confidence interval, median, 95 %, worst."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from node.lab.bench.measures import Z_95, quantile, wilson

SHARES = ("complete",)
"""Figures whose samples are 1 for yes and 0 for no."""
COUNTS = ("deaths",)
"""Figures that count rare events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One figure of one experiment at one size. Infinite samples are those of what never happened."""

    experiment: str
    figure: str
    nodes: int
    mode: str
    loss: float
    count: int
    never: int
    mean: float
    """Of what happened."""
    low: float
    high: float
    """95 % confidence interval of the mean: normal; Wilson's of a share of yes; Byar's of counted rare events."""
    p50: float
    p95: float
    worst: float
    """The largest."""


def summarize(
    experiment: str, figure: str, samples: Sequence[float], *, nodes: int, mode: str = "", loss: float = 0.0
) -> Summary:
    """
    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError(f"{experiment}, {figure}: no samples")
    finite = [float(sample) for sample in samples if math.isfinite(sample)]
    interval = _share if figure in SHARES else _counts if figure in COUNTS else _mean
    mean, low, high = interval(finite)
    return Summary(
        experiment=experiment,
        figure=figure,
        nodes=nodes,
        mode=mode,
        loss=loss,
        count=len(samples),
        never=len(samples) - len(finite),
        mean=mean,
        low=low,
        high=high,
        p50=float(quantile(samples, 0.5)),
        p95=float(quantile(samples, 0.95)),
        worst=float(max(samples)),
    )


def _share(yes_or_no: Sequence[float]) -> tuple[float, float, float]:
    yes, count = round(sum(yes_or_no)), len(yes_or_no)
    return yes / count, *wilson(yes, count)


def _counts(events: Sequence[float]) -> tuple[float, float, float]:
    """Source: N. E. Breslow and N. E. Day, Statistical Methods in Cancer Research II (IARC, 1987), section 2.3."""
    runs, total = len(events), sum(events)
    low = total * (1 - 1 / (9 * total) - Z_95 / (3 * math.sqrt(total))) ** 3 if total else 0.0
    more = total + 1
    high = more * (1 - 1 / (9 * more) + Z_95 / (3 * math.sqrt(more))) ** 3
    return total / runs, low / runs, high / runs


def _mean(finite: Sequence[float]) -> tuple[float, float, float]:
    count = len(finite)
    if count == 0:
        return math.inf, math.inf, math.inf
    mean = sum(finite) / count
    if count == 1:
        return mean, mean, mean
    variance = sum((sample - mean) ** 2 for sample in finite) / (count - 1)
    half = Z_95 * math.sqrt(variance / count)
    return mean, mean - half, mean + half
