"""The ways of judging that docs/judging.md's table holds ours against; each fails or passes, and never doubts.

`pooled` is what this pipeline had before: a test at p < 0.05 that is looked at after every datapoint, 3 bad ones of 5
fail, and the tolerance is held against the estimate. `kayenta` is Spinnaker's judge (NetflixACAJudge): once at the end,
the 98 % interval of the shift, and the tolerance a part of the shift itself.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from statistics import NormalDist, median

from ecs_pipeline.checks.comparisons.exact import binomial_tail
from ecs_pipeline.checks.comparisons.rank_test import p_of, rank_z

CHANCE, TOLERANCE = 0.05, 0.25
FAILURES, OF = 3, 5
Z_98 = NormalDist().inv_cdf(0.99)
Verdict = tuple[str, int]
"""The verdict, and after how many looks it was there."""


def pooled(canary: Sequence[float], others: Sequence[Sequence[float]]) -> Verdict:
    """Values: Mann-Whitney U and the median of all differences, over all datapoints so far."""
    window: deque[bool] = deque(maxlen=OF)
    theirs: list[float] = []
    for number, moment in enumerate(others, start=1):
        theirs += moment
        mine = canary[:number]
        window.append(p_of(rank_z(mine, theirs)) < CHANCE and _shifted(mine, theirs))
        if sum(window) >= FAILURES:
            return "fail", number
    return ("fail" if window[-1] else "pass"), len(others)


def pooled_counts(canary: Sequence[int], others: Sequence[Sequence[int]]) -> Verdict:
    """Counts: the exact binomial test of the totals so far."""
    window: deque[bool] = deque(maxlen=OF)
    mine = theirs = 0
    for number, (count, moment) in enumerate(zip(canary, others, strict=True), start=1):
        mine, theirs = mine + count, theirs + sum(moment)
        weight = 1 + TOLERANCE
        more = mine * len(moment) > weight * theirs
        window.append(more and binomial_tail(mine, mine + theirs, weight / (weight + len(moment))) < CHANCE)
        if sum(window) >= FAILURES:
            return "fail", number
    return ("fail" if window[-1] else "pass"), len(others)


def kayenta(canary: Sequence[float], others: Sequence[Sequence[float]]) -> Verdict:
    """The lower end of the 98 % Mann-Whitney interval of the shift is more than a quarter of the shift."""
    theirs = [value for moment in others for value in moment]
    n, m = len(canary), len(theirs)
    differences = sorted(mine - other for mine in canary for other in theirs)
    rank = round(n * m / 2 - Z_98 * math.sqrt(n * m * (n + m + 1) / 12))
    failed = differences[max(rank, 1) - 1] > TOLERANCE * abs(median(differences))
    return ("fail" if failed else "pass"), len(canary)


def _shifted(canary: Sequence[float], others: Sequence[float]) -> bool:
    """The median of all differences is more than the tolerance."""
    ordered = sorted(others)
    line = TOLERANCE * abs(median(ordered))
    beyond = sum(bisect_left(ordered, value - line) for value in canary)
    return 2 * beyond > len(canary) * len(others)
