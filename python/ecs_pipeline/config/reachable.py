"""Whether a check can have as many samples as a pass takes: one that cannot would be inconclusive after every bake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.config.settings import CanarySettings

DEFAULT_PERIOD = 60.0
PERIOD_OF_SEARCH = re.compile(r",\s*(\d+)\s*\)")
EARLY = 1e-6
"""Seconds by which a sample that is due at the end itself may be early."""


def unreachable(canary: CanarySettings) -> Iterator[tuple[int, str]]:
    """Checks that cannot have `min_samples` within the shortest bake: the number of each, and what is wrong."""
    bakes = [size.bake for size in canary.sizes if size.bake]
    if not bakes:
        return
    for number, check in enumerate(canary.checks):
        most = most_samples(check, min(bakes))
        if most < check.min_samples:
            yield number, _too_few(check, most, min(bakes))


def most_samples(check: CheckSettings, bake: float) -> int:
    """How many samples can come in a bake of so many seconds at most; the first comes at once.

    Of a metric each datapoint is a sample, once its period is over.
    """
    left = bake - check.initial_delay
    if left < 0:
        return 0
    looks = int((left + EARLY) / check.pace)
    if check.metric is None:
        return 1 + looks
    return int((looks * check.pace + EARLY) / period_of(check.metric.query))


def period_of(query: Sequence[Mapping[str, Any]]) -> float:
    """Seconds between two datapoints of what a metric's query returns."""
    periods = [entry.get("Period") or (entry.get("MetricStat") or {}).get("Period") for entry in query]
    texts = [str(entry.get("Expression", "")) for entry in query]
    periods += [found[1] for text in texts if (found := PERIOD_OF_SEARCH.search(text))]
    numbers = [float(period) for period in periods if isinstance(period, int | str) and float(period) > 0]
    return max(numbers, default=DEFAULT_PERIOD)


def _too_few(check: CheckSettings, most: int, bake: float) -> str:
    come = {0: "none comes", 1: "one comes at most"}.get(most, f"{most} come at most")
    period = f", a datapoint each {period_of(check.metric.query):g}s" if check.metric else ""
    return (
        f"{check.min_samples} samples are needed and {come} in a bake of {bake:g}s "
        f"(interval {check.pace:g}s{period}); "
        "lengthen `bake`, shorten `interval`, or lower `min_samples`"
    )
