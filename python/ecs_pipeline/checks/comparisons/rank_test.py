"""One exact test at the end of the bake: the Mann-Whitney U test, its z shrunk for series that remember.

Mann and Whitney, Annals of Mathematical Statistics 1947. Without ties and with few values the distribution is counted
exactly, else the normal distribution is near enough, with correction for ties and continuity.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist

EXACT_UP_TO = 8
LEAST_P = 1e-300
RARELY_SAME = 0.75
NORMAL = NormalDist()


def rank_z(left: Sequence[float], right: Sequence[float]) -> float:
    """How many standard deviations the values of `left` tend to be greater than those of `right`."""
    n, m = len(left), len(right)
    ordered = sorted(right)
    u = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in left) / 2
    if len(set(ordered).union(left)) == n + m:
        if min(n, m) <= EXACT_UP_TO:
            return z_of(_tail(n, m)[math.ceil(u)])
        ties = 0
    else:
        ties = sum(count**3 - count for count in Counter([*left, *right]).values())
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    z = (u - n * m / 2 - 0.5) / math.sqrt(variance) if variance > 0 else 0.0
    return min(z, _most(min(n, m), max(n, m)))


def z_of_same(n: int) -> float:
    """The z of "no worse" where all n values of the canary and all the others' are the same: 0 against 0.

    Were one in four of its values a different one, so many that are not would be rare.
    """
    return z_of(RARELY_SAME**n)


def z_of(p: float) -> float:
    """The quantile of the normal distribution that so small a probability belongs to."""
    return -NORMAL.inv_cdf(min(max(p, LEAST_P), 1 - 1e-12))


def p_of(z: float) -> float:
    """The other way round."""
    return max(math.erfc(z / math.sqrt(2)) / 2, LEAST_P)


@lru_cache(maxsize=512)
def _most(n: int, m: int) -> float:
    """The greatest z that so many values can have: one order of all. Ties make the normal distribution go beyond."""
    return z_of(1 / math.comb(n + m, n))


@lru_cache(maxsize=512)
def _tail(n: int, m: int) -> tuple[float, ...]:
    """P(U >= u) for each u: ways to order n and m values, by the number of pairs in which the left one is greater."""
    n, m = min(n, m), max(n, m)
    ways = [1] + [0] * (n * m)
    for i in range(1, n + 1):
        for total in range(len(ways) - 1, i + m - 1, -1):
            ways[total] -= ways[total - i - m]
        for total in range(i, len(ways)):
            ways[total] += ways[total - i]
    whole = math.comb(n + m, n)
    return tuple(count / whole for count in reversed(list(accumulate(reversed(ways)))))
