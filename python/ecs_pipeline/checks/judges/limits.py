"""Absolute limits: a value at most or at least, lines at most, answers that are right and fast enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ecs_pipeline.checks.judges.judge import Undecided
from ecs_pipeline.checks.percentiles import bounded, holds, needed, percentile
from ecs_pipeline.checks.sample import BAD, GOOD, Conclusion, Sample
from ecs_pipeline.engine.record import measured
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE
from ecs_pipeline.timing.wait import duration

MINUTE = 60.0
MUCH = 100
"""A bound that is so many times the value says nothing."""


class ValueLimit(Undecided):
    """Values of a metric, `at_most` or `at_least` so great."""

    def __init__(self, at_most: float | None, at_least: float | None, unit: str) -> None:
        self._most = at_most
        self.limit = at_most if at_most is not None else at_least
        self.unit = unit
        self.value: float | None = None
        self._extreme: float | None = None

    def add(self, values: Sequence[float], when: str) -> Sample:
        """One moment: the worst value counts."""
        assert self.limit is not None  # noqa: S101 - the settings have one of them
        worst = max if self._most is not None else min
        self.value = value = worst(values)
        self._extreme = value if self._extreme is None else worst(self._extreme, value)
        shown, limit = f"{measured(value, self.unit)} {when}", measured(self.limit, self.unit)
        if self._most is not None and value > self.limit:
            return Sample(BAD, f"{shown}, more than {limit}")
        if self._most is None and value < self.limit:
            return Sample(BAD, f"{shown}, less than {limit}")
        return Sample(GOOD, shown)

    def conclude(self) -> Conclusion | None:
        """The samples say it all."""
        return None

    def summary(self) -> str:
        """The value that is nearest to the limit, or furthest beyond."""
        word, kind = ("highest", "at most") if self._most is not None else ("lowest", "at least")
        shown = "no datapoint" if self._extreme is None else f"{word} {measured(self._extreme, self.unit)}"
        return f"{shown}, limit {kind} {measured(self.limit, self.unit)}"


class LinesLimit(Undecided):
    """Lines of a log with a pattern: at most so many of the bake, or within `per` seconds."""

    def __init__(self, pattern: str, at_most: int, per: float | None) -> None:
        self._pattern, self._per = pattern, per
        self.limit = at_most
        self.unit = "lines/min" if per == MINUTE else "lines"
        self.value: int | None = None
        self._times: list[float] = []
        self._highest = 0
        self._last = ""

    def add(self, now: float, times: Sequence[float], last: str = "") -> Sample:
        """One look: when the lines were written that are new, in seconds; `last` is the text of the last one."""
        self._times += times
        self._last = last or self._last
        counted = sum(1 for time in self._times if self._per is None or time > now - self._per)
        self.value, self._highest = counted, max(self._highest, counted)
        if counted > self.limit:
            return Sample(BAD, self._too_many(counted))
        return Sample(GOOD, f"{lines(counted)} with {self._pattern}{self._within}")

    def conclude(self) -> Conclusion | None:
        """Over the whole bake there are too many."""
        over = self._per is None and len(self._times) > self.limit
        return Conclusion(FAIL, self._too_many(len(self._times))) if over else None

    def summary(self) -> str:
        """The most that there were."""
        return f"{lines(self._highest)} with {self._pattern}{self._within}, limit {self.limit}"

    def _too_many(self, counted: int) -> str:
        said = f": {self._last}" if self._last else ""
        return f"{lines(counted)} with {self._pattern}{self._within}, at most {self.limit} may be{said}"

    @property
    def _within(self) -> str:
        return f" within {duration(self._per)}" if self._per else ""


class AnswersLimit(Undecided):
    """Answers: each is right, and percentiles of how long they took are within their limits, in milliseconds."""

    def __init__(self, percentiles: dict[int, float], confidence: float, expected: str = "") -> None:
        self._limits, self._confidence = percentiles, confidence
        self._expected = expected
        self._times: list[float] = []
        self._worst = min(percentiles, key=lambda part: percentiles[part], default=0)
        self.value: str | float | None = None
        self.unit = "ms" if percentiles else ""

    @property
    def limit(self) -> str | float:
        """Of the percentile that matters most by now; without one what is expected."""
        return round(self._limits[self._worst], 1) if self._limits else self._expected

    def add(self, times: Sequence[float], wrong: str, shown: str = "") -> Sample:
        """The answers of one moment: their times, what is wrong with the first wrong one, and how they are shown."""
        self._times += times
        if not self._limits:
            self.value = shown or None
        slow = self._too_slow()
        if wrong:
            return Sample(BAD, wrong)
        if slow and max(times, default=0.0) > min(self._limits.values()):
            return Sample(BAD, slow)
        return Sample(GOOD, f"{shown} in {latency(max(times))}".lstrip() if times else shown)

    def conclude(self) -> Conclusion | None:
        """The percentiles cover all answers of the bake; one that cannot be told from its limit is inconclusive."""
        found = {part: holds(self._times, part, self._confidence, limit) for part, limit in self._limits.items()}
        for verdict, held in ((FAIL, False), (INCONCLUSIVE, None)):
            parts = [part for part in found if found[part] is held]
            if parts and self._times:
                self._worst = self._nearest(parts)
                self._show()
                longer = self._longer() if verdict == INCONCLUSIVE else ""
                return Conclusion(verdict, f"{self._counted}, {self._bounds()}{longer}")
        return None

    def summary(self) -> str:
        """The percentile that is nearest to its limit, or beyond; without one, the answers."""
        if not self._times:
            return ""
        if not self._limits:
            return f"status {self.value}, p95 {latency(percentile(self._times, 95))}"
        return self._bounds()

    def details(self) -> list[str]:
        """How long the answers took."""
        if not self._times:
            return []
        chosen = sorted({50, 95, *self._limits})
        spread = [f"p{part} {latency(percentile(self._times, part))}" for part in chosen]
        return [f"{len(self._times)} answers: {', '.join(spread)}, slowest {latency(max(self._times))}"]

    @property
    def _counted(self) -> str:
        return f"{len(self._times)} answers" if len(self._times) > 1 else "one answer"

    def _bounds(self) -> str:
        """The percentile, its limit, and what it may be as far as so many answers can tell."""
        found = bounded(self._times, self._worst, self._confidence)
        told = f"p{self._worst} {latency(found.value)}, limit {latency(self._limits[self._worst])}"
        sides = [f"at least {latency(found.least)}"] if math.isfinite(found.least) else []
        sides += [f"at most {latency(found.most)}"] if found.most < MUCH * found.value else []
        sure = f" ({100 * self._confidence:g} % sure: {', '.join(sides)})" if sides else ""
        return f"{told}{sure}"

    def _longer(self) -> str:
        """How many answers would tell, when all were fast enough but there are too few."""
        enough = needed(self._worst, self._confidence)
        fast = max(self._times) <= self._limits[self._worst]
        return f"; {enough} answers within the limit would tell" if fast and enough > len(self._times) else ""

    def _too_slow(self) -> str:
        """The percentile that is furthest over its limit; '' when none is."""
        if not self._times or not self._limits:
            return ""
        self._worst = self._nearest(list(self._limits))
        value, limit = self._show(), self._limits[self._worst]
        if value <= limit:
            return ""
        taken = f"of {len(self._times)} answers" if len(self._times) > 1 else "of the one answer"
        return f"p{self._worst} {taken} is {latency(value)}, more than {latency(limit)}"

    def _nearest(self, parts: Sequence[int]) -> int:
        """The percentile that is nearest to its limit, or furthest beyond."""
        return max(parts, key=lambda part: percentile(self._times, part) / max(self._limits[part], math.ulp(1)))

    def _show(self) -> float:
        value = percentile(self._times, self._worst)
        self.value = round(value, 1)
        return value


def latency(milliseconds: float) -> str:
    """A latency as people write it: 15 ms, 1.25 s."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.3g} s"


def lines(number: int) -> str:
    """So many lines."""
    return "1 line" if number == 1 else f"{number} lines"
