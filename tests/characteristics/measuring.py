"""Draws bakes of one setting, and lets every way of judging have the same draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from ecs_pipeline.checks.comparisons.comparison import Comparison, of_counts, of_values
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.comparisons.rules import Rules
from ecs_pipeline.checks.simulation import poisson
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE, PASS
from tests.characteristics.rivals import Verdict, kayenta, pooled, pooled_counts
from tests.unit.checks.comparisons.draws import KINDS, noise

CANARIES = {"same": 1.0, "tolerated": 1.25, "at the edge": 1.75, "twice": 2.0, "three times": 3.0}
"""How bad a canary is; the one at the edge is worse by exactly tolerance and detect: a pass of it is a mistake."""
SIGMAS, MOMENTS, OTHERS = (0.1, 0.3, 0.6), (5, 10, 30, 60), (1, 3)
COUNTS = "counts"
RATES, MINUTES, INTERVAL = (0.5, 2.0, 20.0), (5, 30, 120), 10
"""Lines a minute and task, none of which is ignored; minutes of a bake; seconds between two looks."""


@dataclass(frozen=True)
class Setting:
    """What is drawn: `noise` is the sigma of values, or the rate of counts; `looks` how many datapoints."""

    kind: str
    canary: str
    noise: float
    looks: int
    others: int


@dataclass
class Tally:
    """What one way of judging said, in parts of the draws; `when` is the part of the bake until it failed."""

    failed: float = 0.0
    passed: float = 0.0
    when: list[float] = field(default_factory=list)


def settings() -> Iterator[Setting]:
    """All that the table is made of."""
    for kind in KINDS:
        for canary in CANARIES:
            for sigma in SIGMAS:
                for looks in MOMENTS:
                    yield from (Setting(kind, canary, sigma, looks, others) for others in OTHERS)
    for canary in CANARIES:
        for rate in RATES:
            for minutes in MINUTES:
                looks = 60 * minutes // INTERVAL
                yield from (Setting(COUNTS, canary, rate, looks, others) for others in OTHERS)


def measure(setting: Setting, draws: int, seed: int) -> dict[str, Tally]:
    """Every way of judging on so many draws."""
    random = Random(f"{seed} {setting}")
    tallies = {way: Tally() for way in ("before", "kayenta", "ours")}
    for _ in range(draws):
        drawn = _counts(random, setting) if setting.kind == COUNTS else _values(random, setting)
        for way, judge in drawn.items():
            verdict, looks = judge()
            tally = tallies[way]
            tally.failed += (verdict == FAIL) / draws
            tally.passed += (verdict == PASS) / draws
            if verdict == FAIL:
                tally.when.append(looks / setting.looks)
    return tallies


def _values(random: Random, setting: Setting) -> dict[str, Callable[[], Verdict]]:
    logs = noise(random, setting.kind, setting.noise, setting.looks, setting.others + 1)
    canary = [CANARIES[setting.canary] * math.exp(value) for value in logs[0]]
    others = [[math.exp(value) for value in moment] for moment in zip(*logs[1:], strict=True)]
    return {
        "before": lambda: pooled(canary, others),
        "kayenta": lambda: kayenta(canary, others),
        "ours": lambda: _ours(of_values(Rules(), "stable"), 60, canary, others),
    }


def _counts(random: Random, setting: Setting) -> dict[str, Callable[[], Verdict]]:
    mean = setting.noise * INTERVAL / 60
    canary = [poisson(random, CANARIES[setting.canary] * mean) for _ in range(setting.looks)]
    others = [[poisson(random, mean) for _ in range(setting.others)] for _ in range(setting.looks)]
    minute = 60 // INTERVAL
    by_minute = [sum(canary[start : start + minute]) for start in range(0, len(canary), minute)]
    theirs = [
        [sum(task) for task in zip(*others[start : start + minute], strict=True)]
        for start in range(0, len(others), minute)
    ]

    def of_minutes() -> Verdict:
        verdict, looks = kayenta(by_minute, theirs)
        return verdict, looks * minute

    return {
        "before": lambda: pooled_counts(canary, others),
        "kayenta": of_minutes,
        "ours": lambda: _ours(of_counts(Rules(), "stable"), INTERVAL, canary, others),
    }


def _ours(comparison: Comparison, every: float, canary: Sequence[float], others: Sequence[Sequence[float]]) -> Verdict:
    names = [f"s{task}" for task in range(len(others[0]))]
    for number, (mine, theirs) in enumerate(zip(canary, others, strict=True), start=1):
        seen = {name: [value] for name, value in zip(names, theirs, strict=True)}
        comparison.add(Moment(every * number, {"0": [mine]}, seen))
        if comparison.failed:
            return FAIL, number
    verdict = comparison.conclude().verdict
    assert verdict in (FAIL, PASS, INCONCLUSIVE)
    return verdict, len(canary)
