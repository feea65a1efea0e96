"""How long a bake has to be: drawn series of canaries, good and bad, through the very code that judges."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from ecs_pipeline.checks.comparisons.comparison import Comparison, of_counts, of_values
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.model.release import FAIL, PASS

DRAWS = 100
SEED = 1
LEAST = 3
LONGEST = 1000
"""Moments of a bake at most."""
GROWTH = 1.2
"""Each length that is tried is so much longer than the one before."""
OFTEN, RARE = 10.0, 60.0
"""Seconds between two looks at logs: what a check has, and where lines are rare no more than is needed."""
HALF, MOST = 0.5, 0.9

Draw = Callable[[Random, float], Iterator[Moment]]


@dataclass(frozen=True)
class Needed:
    """Seconds of a bake that tells in half of the cases, and in nine of ten; None for longer than was tried."""

    half: float | None
    most: float | None


@dataclass(frozen=True)
class Traffic:
    """What is supposed: so many values (or counted lines) a second of each task, and their noise.

    `noise` is the standard deviation of the values' logarithms: 0.3 for values that mostly differ by 30 %.
    """

    rate: float
    others: int = 3
    noise: float = 0.3


def needed_for_values(rules: Rules, traffic: Traffic, regression: float) -> tuple[Needed, Needed]:
    """How long until a canary that is so much worse fails, and until one like the others passes, by values."""

    def draw(random: Random, factor: float) -> Iterator[Moment]:
        for number in range(LONGEST):
            values = [random.lognormvariate(0, traffic.noise) for _ in range(traffic.others + 1)]
            yield _moment((number + 1) / traffic.rate, factor * values[0], values[1:])

    return _both(lambda: of_values(rules, "stable"), draw, regression)


def needed_for_counts(rules: Rules, traffic: Traffic, regression: float) -> tuple[Needed, Needed]:
    """The same by counts, each event by itself."""
    interval = OFTEN if traffic.rate * OFTEN >= 1 else RARE
    mean = traffic.rate * interval

    def draw(random: Random, factor: float) -> Iterator[Moment]:
        for number in range(LONGEST):
            counts = [poisson(random, mean) for _ in range(traffic.others)]
            yield _moment(interval * (number + 1), poisson(random, factor * mean), counts)

    return _both(lambda: of_counts(rules, "stable"), draw, regression)


def _both(made: Callable[[], Comparison], draw: Draw, regression: float) -> tuple[Needed, Needed]:
    return _needed(made, draw, 1 + regression, FAIL), _needed(made, draw, 1.0, PASS)


def _needed(made: Callable[[], Comparison], draw: Draw, factor: float, verdict: str) -> Needed:
    """The shortest bakes that end with the verdict in so many of the draws."""
    bakes = [(made(), draw(Random(SEED + number), factor)) for number in range(DRAWS)]  # noqa: S311 - no secret
    half: float | None = None
    failed, moments, length, at = 0, 0, LEAST, 0.0
    while length <= LONGEST:
        for comparison, seen in bakes:
            for moment in itertools.islice(seen, length - moments):
                comparison.add(moment)
                at = moment.at
                if comparison.failed:
                    break
        going_on = [bake for bake in bakes if not bake[0].failed]
        failed, bakes = failed + len(bakes) - len(going_on), going_on
        ended = failed * (verdict == FAIL) + sum(bake[0].conclude().verdict == verdict for bake in bakes)
        half = at if half is None and ended >= HALF * DRAWS else half
        if ended >= MOST * DRAWS:
            return Needed(half, at)
        moments, length = length, max(math.ceil(length * GROWTH), length + 1)
    return Needed(half, None)


def _moment(at: float, canary: float, others: Sequence[float]) -> Moment:
    return Moment(at, {"0": [canary]}, {str(task): [value] for task, value in enumerate(others)})


def poisson(random: Random, mean: float) -> int:
    """A number of events, by Knuth's product of uniform numbers; of many the normal distribution is near enough."""
    if mean > 30:
        return max(round(random.gauss(mean, math.sqrt(mean))), 0)
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
