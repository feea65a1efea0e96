"""Exact tests of counts: the binomial and the Poisson distribution's tails."""

from __future__ import annotations

import math
from collections.abc import Iterator

NEGLIGIBLE = 1e-17


def binomial_tail(successes: int, trials: int, probability: float) -> float:
    """The probability of at least so many successes; 0 < probability < 1."""
    if successes <= 0:
        return 1.0
    yes, no = math.log(probability), math.log1p(-probability)

    def term(k: int) -> float:
        ways = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        return math.exp(ways + k * yes + (trials - k) * no)

    falling = successes > trials * probability
    return min(_sum(map(term, range(successes, trials + 1)), falling=falling), 1.0)


def binomial_head(successes: int, trials: int, probability: float) -> float:
    """The probability of at most so many successes."""
    return binomial_tail(trials - successes, trials, 1 - probability)


def poisson_tail(count: int, mean: float) -> float:
    """The probability of at least so many events; mean > 0."""
    if count <= 0:
        return 1.0
    if count < mean:
        return 1 - poisson_head(count - 1, mean)
    return min(_sum(_poisson(k, mean) for k in range(count, count + 100_000)), 1.0)


def poisson_head(count: int, mean: float) -> float:
    """The probability of at most so many events; mean > 0."""
    if count > mean:
        return 1 - poisson_tail(count + 1, mean)
    return min(_sum(_poisson(k, mean) for k in range(count, -1, -1)), 1.0)


def _poisson(count: int, mean: float) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))


def _sum(terms: Iterator[float], *, falling: bool = True) -> float:
    """The sum of terms that fall, or that rise at most once and then fall, as far as they matter."""
    total = last = 0.0
    for term in terms:
        total += term
        if (falling or term < last) and term <= total * NEGLIGIBLE:
            break
        last = term
    return total
