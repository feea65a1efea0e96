"""The statistics that comparisons need, as far as they need them: SciPy would be 100 MB on every agent.

tests/unit/checks/test_statistics.py holds each function to SciPy's results.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from statistics import median

MOST_PAIRED = 400
"""Values of one side whose differences to the other's are looked at one by one."""
EXACT_UP_TO = 8
"""With so few values on one side, and none twice, p is counted exactly; else the normal distribution is near enough."""


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: a value that was measured, none between two."""
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def mann_whitney(left: Sequence[float], right: Sequence[float]) -> tuple[float, float]:
    """(U, p) of the one-sided Mann-Whitney U test that values of `left` tend to be greater than those of `right`.

    U counts the pairs in which the left value is greater, ties for a half; p is exact for small samples without ties,
    else by the normal distribution with correction for ties and continuity (as scipy.stats.mannwhitneyu decides).
    """
    n, m = len(left), len(right)
    ordered = sorted(right)
    u = sum(bisect_left(ordered, a) + bisect_right(ordered, a) for a in left) / 2
    ties = Counter([*left, *right]).values()
    if min(n, m) <= EXACT_UP_TO and max(ties) == 1:
        return u, _exact(round(u), n, m)
    total = n + m
    spread = n * m / 12 * (total + 1 - sum(one**3 - one for one in ties) / (total * (total - 1)))
    if spread <= 0:
        return u, 1.0
    z = (u - n * m / 2 - 0.5) / math.sqrt(spread)
    return u, min(math.erfc(z / math.sqrt(2)) / 2, 1.0)


def least_p(n: int, m: int) -> float:
    """The smallest one-sided p that so many values can reach: when all of one side are beyond the other."""
    return 1 / math.comb(n + m, n)


def shift(left: Sequence[float], right: Sequence[float]) -> float:
    """By how much `left` is greater, typically: the median of all differences (Hodges and Lehmann).

    Of many values those stand for all that are evenly spread in their order: hours of data would be millions of pairs.
    """
    return median(a - b for a in _thinned(left) for b in _thinned(right))


def binomial_tail(successes: int, trials: int, probability: float) -> float:
    """The probability of at least so many successes: p of the one-sided exact binomial test; 0 < probability < 1."""
    if successes <= 0:
        return 1.0
    yes, no = math.log(probability), math.log1p(-probability)
    ways = (
        math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * yes + (trials - k) * no
        for k in range(successes, trials + 1)
    )
    return min(math.fsum(math.exp(one) for one in ways), 1.0)


def _thinned(values: Sequence[float]) -> Sequence[float]:
    """No more than MOST_PAIRED of them, the middles of as many equal parts of their order."""
    if len(values) <= MOST_PAIRED:
        return values
    ordered, part = sorted(values), len(values) / MOST_PAIRED
    return [ordered[int(part * (number + 0.5))] for number in range(MOST_PAIRED)]


def _exact(u: int, n: int, m: int) -> float:
    """P(U >= u): ways to order n and m values, by the number of pairs in which the left one is greater."""
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for total in range(len(ways) - 1, i + m - 1, -1):
            ways[total] -= ways[total - i - m]
        for total in range(i, len(ways)):
            ways[total] += ways[total - i]
    return sum(ways[u:]) / math.comb(n + m, n)
