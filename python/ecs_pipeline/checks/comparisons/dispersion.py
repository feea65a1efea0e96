"""Whether counts come in bursts: one event that logs four lines is one event.

The variance of a count, by its mean: 1 for events that come by themselves (Poisson), b for bursts of b. Measured from
one interval to the next (von Neumann's mean square successive difference, 1941), so that growing load is no burst.
"""

from __future__ import annotations

from collections.abc import Mapping

ALIKE = 2.0
DOUBT = 10.0
"""The weight, in intervals, of the belief that events come by themselves."""


class Dispersion:
    """The index of dispersion of the tasks' counts, together."""

    def __init__(self) -> None:
        self._last: Mapping[str, int] = {}
        self._exposure = 0.0
        self._squares = 0.0
        self._total = 0.0
        self.intervals = 0

    def add(self, counts: Mapping[str, int], exposure: float) -> None:
        """The counts of one interval by task; it is held against the one before when that was about as long."""
        alike = self._exposure / ALIKE <= exposure <= self._exposure * ALIKE
        for task, count in counts.items():
            before = self._last.get(task) if alike else None
            if before is not None:
                self._squares += (count - before) ** 2
                self._total += count + before
        self._last, self._exposure = counts, exposure
        self.intervals += 1

    @property
    def index(self) -> float:
        """At least 1; near it as long as little is known."""
        if not self._total:
            return 1.0
        more = max(self._squares / self._total - 1, 0.0)
        return 1 + more * self.intervals / (DOUBT + self.intervals)
