"""How much a task's value says of its next one: series that remember hold less than their number of values.

Measured on the tasks' places among each other, each task's own level and what moves all tasks taken out, with the
correction for short series of Marriott and Pope (Biometrika 1954); held near 0 as long as little is known.
A mean of n values with a lag-1 correlation of r is worth about n (1 - r) / (1 + r) values (Bayley and Hammersley 1946).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

HIGHEST, LEAST_MOMENTS = 0.9, 4


@dataclass
class _Task:
    """How far one task was off the others: when last, and the sums of all moments."""

    seen: int = 0
    last: float = 0.0
    number: int = 0
    pairs: int = 0
    total: float = 0.0
    squares: float = 0.0
    products: float = 0.0


class Autocorrelation:
    """Lag-1 autocorrelation of the tasks, together."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, _Task] = {}
        self._moments = 0
        self._values = 0

    def add(self, tasks: Sequence[Hashable], places: Sequence[float]) -> None:
        """One moment: the place of each task's value, in any unit."""
        self._moments += 1
        self._values += len(places) - 1
        middle = sum(places) / len(places)
        for name, place in zip(tasks, places, strict=True):
            task = self._tasks.get(name)
            if task is None:
                task = self._tasks[name] = _Task()
            off = place - middle
            if task.seen == self._moments - 1 and task.seen:
                task.pairs += 1
                task.products += off * task.last
            task.number += 1
            task.total += off
            task.squares += off * off
            task.seen, task.last = self._moments, off

    @property
    def inflation_on_the_way(self) -> float:
        """By how much the variance of a mean is greater than that of independent values."""
        return self._inflation(doubt=10.0)

    @property
    def inflation_at_the_end(self) -> float:
        """The same for one test at the end, whose samples are many: it is believed more slowly."""
        return self._inflation(doubt=30.0)

    @property
    def inflation_for_a_pass(self) -> float:
        """The same for a pass: as long as little is known, the series are taken for ones that remember."""
        return self._inflation(doubt=20.0, belief=0.3)

    def _inflation(self, doubt: float, belief: float = 0.0) -> float:
        """`belief` is the autocorrelation that is supposed; it has the weight of `doubt` values."""
        found = (doubt * belief + self._values * self._measured()) / (doubt + self._values)
        found = min(max(found, 0.0), HIGHEST)
        return (1 + found) / (1 - found)

    def _measured(self) -> float:
        if self._moments < LEAST_MOMENTS:
            return 0.0
        shared = spread = 0.0
        for task in self._tasks.values():
            level = task.total / task.number
            shared += task.products - task.pairs * level * level
            spread += task.squares - task.number * level * level
        if spread <= 0:
            return 0.0
        raw = shared / spread
        return raw + (1 + 3 * raw) / self._moments
