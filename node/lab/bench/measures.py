"""Small sums over measurements: quantiles and confidence intervals. No I/O."""

import math
from collections.abc import Sequence

Z_95 = 1.96


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    assert values, "no values"
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def wilson(right: int, asked: int) -> tuple[float, float]:
    """95 % confidence interval of a share. Source: E. B. Wilson, JASA 22 (1927), 209-212."""
    if asked == 0:
        return 0.0, 1.0
    share, spread = right / asked, Z_95**2 / asked
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / asked + spread / (4 * asked)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
