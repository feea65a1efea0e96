"""Canary against others: is it worse by more than is tolerated, and is that more than chance?

Latencies and the like by the Mann-Whitney U test, which needs no distribution, with the median of all differences as
the effect; counts of errors by the exact binomial test. Too little data says nothing: inconclusive, never a pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ecs_pipeline.checks.statistics import binomial_tail, least_p, mann_whitney, shift

CHANCE = 0.05
"""A difference that chance alone would bring about less often than this is taken as one."""


@dataclass(frozen=True)
class Difference:
    """What a comparison found: `effect` is the change as a part of the others' value; None when it cannot tell.

    Of counts also `rate` and `other_rate`, per minute and task.
    """

    worse: bool | None
    message: str
    effect: float | None = None
    rate: float | None = None
    other_rate: float = 0.0


def compare_values(
    canary: Sequence[float], others: Sequence[float], *, tolerance: float, direction: str, name: str
) -> Difference:
    """Datapoints of the canary against those of the `name` (baseline or stable)."""
    both = direction == "either"
    allowed = CHANCE / 2 if both else CHANCE
    counted = f"{len(canary)} of the canary's and {len(others)} of the {name}'s datapoints"
    if not canary or not others or least_p(len(canary), len(others)) >= allowed:
        return Difference(None, f"{counted} are too few to tell them apart")
    found = [_one_sided(canary, others, up=up) for up in (True, False) if both or up == (direction == "increase")]
    p, effect, part = max(found, key=lambda one: one[1])
    worse = p < allowed and effect > tolerance
    middle = f"median {_short(median(canary))} against {_short(median(others))} of the {name}"
    how = f"{_percent(effect)} worse" if effect > 0 else "not worse"
    words = f"{middle}: {how}, in {100 * part:.0f} % of the pairs, p {p:.2g} ({counted})"
    return Difference(worse, words, effect)


def compare_counts(
    canary: int, others: int, *, exposure: float, other_exposure: float, tolerance: float, name: str
) -> Difference:
    """Errors of the canary against those of the others; `exposure`: task-seconds in which they came.

    Were the canary's rate `1 + tolerance` times the others' at most, each error would be the canary's with a known
    probability at most: the exact binomial test.
    """
    if exposure <= 0 or other_exposure <= 0:
        return Difference(None, f"no {name} task to compare with")
    weight = exposure * (1 + tolerance)
    p = binomial_tail(canary, canary + others, weight / (weight + other_exposure))
    rate, other = 60 * canary / exposure, 60 * others / other_exposure
    effect = rate / other - 1 if other else (math.inf if rate else 0.0)
    words = f"{canary} ({rate:.3g} a minute and task) against {others} of the {name} ({other:.3g}), p {p:.2g}"
    return Difference(p < CHANCE and effect > tolerance, words, effect, rate, other)


def percent(effect: float | None) -> float | None:
    """An effect in percent, as reports show it."""
    return None if effect is None else round(100 * effect, 1)


def _one_sided(canary: Sequence[float], others: Sequence[float], *, up: bool) -> tuple[float, float, float]:
    """(p, effect, part of pairs in which the canary is worse) of being greater, or smaller."""
    left, right = (canary, others) if up else (others, canary)
    u, p = mann_whitney(left, right)
    moved, middle = shift(left, right), abs(median(others))
    effect = moved / middle if middle else (math.inf if moved > 0 else 0.0)
    return p, effect, u / (len(canary) * len(others))


def _percent(part: float) -> str:
    return "infinitely" if math.isinf(part) else f"{100 * part:.0f} %"


def _short(value: float) -> str:
    return f"{value:.4g}"
