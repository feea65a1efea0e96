"""What a check saw over time, for the reports and to be judged again: bounded, however long the bake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

Values = Sequence[float | None] | float | None
"""Of one task at one moment: a list of values, null for an answer that was none; or how many were counted."""

MOST_VALUES = 3000
"""Numbers of a check that are kept: STAGE.json stays small, and a picture shows no more."""


@dataclass(frozen=True)
class Point:
    """What was seen at `at` seconds of the check; `evidence` is that against the canary by then."""

    at: float
    outcome: str = ""
    canary: Values = None
    others: Mapping[str, Values] = field(default_factory=dict)
    evidence: float | None = None

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return 2 + sum(
            len(values) if isinstance(values, Sequence) else 1 for values in (self.canary, *self.others.values())
        )


@dataclass
class CheckSeries:
    """The points of a check; `every`: each stands for so many samples. `counts` of those left out are added."""

    points: list[Point] = field(default_factory=list)
    every: int = 1
    unit: str = ""
    counts: bool = False
    _left_out: list[Point] = field(default_factory=list, repr=False)
    _size: int = 0

    def add(self, point: Point) -> None:
        """Keep a point, or leave it out when each that is kept stands for several."""
        self._left_out.append(point)
        if len(self._left_out) < self.every:
            return
        kept = self._merged(self._left_out)
        self._left_out = []
        self.points.append(kept)
        self._size += kept.size
        if self._size > MOST_VALUES:
            self._thin()

    def until_now(self) -> list[Point]:
        """The points, the last samples included."""
        return [*self.points, *([self._merged(self._left_out)] if self._left_out else [])]

    def _thin(self) -> None:
        """Let each point stand for twice as many samples."""
        points = self.points
        self.points = [self._merged(points[index : index + 2]) for index in range(0, len(points) - 1, 2)]
        self._left_out = [points[-1]] if len(points) % 2 else []
        self.every *= 2
        self._size = sum(point.size for point in self.points)

    def _merged(self, points: Sequence[Point]) -> Point:
        """One for several: the last one's values, or the sum of all counts."""
        last = points[-1]
        if len(points) == 1 or not self.counts:
            return last
        tasks = {task for point in points for task in point.others}
        others = {task: _sum([point.others.get(task) for point in points]) for task in sorted(tasks)}
        return replace(last, canary=_sum([point.canary for point in points]), others=others)


def _sum(counts: Sequence[Values]) -> Values:
    """The sum of numbers; of lists, a number a canary task, place by place."""
    lists = [count for count in counts if isinstance(count, Sequence)]
    if lists:
        return [sum(value or 0 for value in values) for values in zip_longest(*lists)]
    numbers = [count for count in counts if isinstance(count, int | float)]
    return sum(numbers) if numbers else None
