"""Series of a canary and of others, drawn with a seed: the kinds of noise that docs/judging.md's table has."""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from ecs_pipeline.checks.comparisons.comparison import Comparison
from ecs_pipeline.checks.comparisons.moment import Moment

KINDS = ("plain", "heavy", "ar", "drift", "tasks")


def noise(random: Random, kind: str, sigma: float, moments: int, tasks: int) -> list[list[float]]:
    """The logarithms of the values of each task."""
    if kind == "ar":
        found = []
        for _ in range(tasks):
            last, series = random.gauss(0, sigma), []
            for _ in range(moments):
                last = 0.6 * last + random.gauss(0, 0.8 * sigma)
                series.append(last)
            found.append(series)
        return found
    levels = [random.gauss(0, 0.1) if kind == "tasks" else 0.0 for _ in range(tasks)]
    climb = [3 * sigma * number / max(moments - 1, 1) if kind == "drift" else 0.0 for number in range(moments)]
    return [[level + up + sigma * _shock(random, kind) for up in climb] for level in levels]


def _shock(random: Random, kind: str) -> float:
    if kind != "heavy":
        return random.gauss(0, 1)
    chi_squared = sum(random.gauss(0, 1) ** 2 for _ in range(3))
    return random.gauss(0, 1) / math.sqrt(chi_squared)  # Student's t with 3 degrees of freedom, by its sd


def moments(random: Random, kind: str, factor: float = 1, count: int = 30, others: int = 3) -> Iterator[Moment]:
    """A canary that is `factor` times as slow as the others, with a noise of 0.3."""
    logs = noise(random, kind, 0.3, count, others + 1)
    for number in range(count):
        canary, *rest = [math.exp(series[number]) for series in logs]
        yield Moment(60.0 * number, {"0": [factor * canary]}, {f"s{task}": [value] for task, value in enumerate(rest)})


def played(comparison: Comparison, seen: Iterator[Moment]) -> str:
    """The verdict of a bake, and when a failure ended it: `fail@7`."""
    number = 0
    for number, moment in enumerate(seen, start=1):
        comparison.add(moment)
        if comparison.failed:
            return f"fail@{number}"
    verdict = comparison.conclude().verdict
    return f"fail@{number}" if verdict == "fail" else verdict
