"""Percentiles of few values, with what they may be at most and at least: a bound that holds with a given confidence.

Of many values the bounds are values that were measured (order statistics; they need no distribution: Hahn and Meeker,
Statistical Intervals, 1991). Where there are too few for that, the upper one is a log-normal tolerance limit (Natrella,
Experimental Statistics, NBS Handbook 91, 1963), which latencies follow well enough, and never below the highest value.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from ecs_pipeline.checks.comparisons.exact import binomial_head, binomial_tail

LEAST_DEVIATION = 0.1
"""Of the logarithms: latencies that differ by less have not been seen in all their moods."""


@dataclass(frozen=True)
class Percentile:
    """The nearest-rank percentile and its bounds; infinite where nothing is known."""

    value: float
    least: float
    most: float


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile: a value that was measured, none between two."""
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def bounded(values: Sequence[float], percent: int, confidence: float) -> Percentile:
    """The percentile of positive values; each bound holds with that confidence."""
    ordered, part, doubt = sorted(values), percent / 100, 1 - confidence
    count = len(ordered)
    ranks = range(1, count + 1)

    def negative_tail(rank: int) -> float:
        return -binomial_tail(rank, count, part)

    surely_below = bisect_right(ranks, -confidence, key=negative_tail)
    surely_above = bisect_left(ranks, -doubt, key=negative_tail)
    return Percentile(
        value=percentile(ordered, percent),
        least=ordered[surely_below - 1] if surely_below else -math.inf,
        most=ordered[surely_above] if surely_above < count else _tolerance_limit(ordered, part, confidence),
    )


def holds(values: Sequence[float], percent: int, confidence: float, limit: float) -> bool | None:
    """Whether the percentile is within the limit; None when it cannot be told: the limit is between its bounds."""
    count, part, doubt = len(values), percent / 100, 1 - confidence
    within = sum(value <= limit for value in values)
    if binomial_head(within, count, part) <= doubt:
        return False
    if binomial_tail(within, count, part) <= doubt:
        return True
    return True if bounded(values, percent, confidence).most <= limit else None


def needed(percent: int, confidence: float) -> int:
    """So many values, all within the limit, need no distribution to tell that the percentile is."""
    return math.ceil(math.log(1 - confidence) / math.log(percent / 100))


def _tolerance_limit(ordered: Sequence[float], part: float, confidence: float) -> float:
    """With the confidence, this part of all values is at most so great."""
    count = len(ordered)
    normal = NormalDist()
    z_part, z_sure = normal.inv_cdf(part), normal.inv_cdf(confidence)
    a = 1 - z_sure**2 / (2 * (count - 1)) if count > 1 else 0.0
    if a <= 0 or ordered[0] <= 0:
        return math.inf
    b = z_part**2 - z_sure**2 / count
    factor = (z_part + math.sqrt(max(z_part**2 - a * b, 0.0))) / a
    logs = [math.log(value) for value in ordered]
    return max(math.exp(fmean(logs) + factor * max(stdev(logs), LEAST_DEVIATION)), ordered[-1])
