"""What was seen of all tasks at one moment, and the part of many moments that can be held against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Values = Mapping[str, Sequence[float]]
"""Values by task."""


@dataclass(frozen=True)
class Moment:
    """Values of the canary's tasks and of the others', at so many seconds of the bake.

    Where answers are compared, the errors are how many of each task's were none or wrong.
    """

    at: float
    canary: Values
    others: Values
    canary_errors: Mapping[str, int] = field(default_factory=dict)
    other_errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def paired(self) -> bool:
        """Both sides were seen: only then there is something to compare."""
        return any(self.canary.values()) and any(self.others.values())

    @property
    def size(self) -> tuple[int, int]:
        """How many values each side has."""
        return sum(map(len, self.canary.values())), sum(map(len, self.others.values()))


def by_task(moments: Sequence[Moment], side: str) -> dict[str, list[float]]:
    """All values of each task of one side, `canary` or `others`."""
    found: dict[str, list[float]] = {}
    for moment in moments:
        for task, values in getattr(moment, side).items():
            found.setdefault(task, []).extend(values)
    return found


def balanced(moments: Sequence[Moment]) -> tuple[list[float], list[float]]:
    """Values of both sides, of each moment equally many.

    Were there more tasks while load was high, a pool of all values would be high for that alone. So moments with fewer
    tasks are left out, or tasks that came and went: whatever leaves more to compare. Of the tasks, those that were
    there for longest stay.
    """
    sizes = Counter(moment.size for moment in moments)
    if len(sizes) <= 1:
        return _taken(moments, "canary", 0), _taken(moments, "others", 0)
    corners = {(canary, others) for canary, _ in sizes for _, others in sizes}

    def worth(corner: tuple[int, int]) -> tuple[float, int]:
        rows = sum(count for size, count in sizes.items() if size[0] >= corner[0] and size[1] >= corner[1])
        return rows * corner[0] * corner[1] / (corner[0] + corner[1]), sum(corner)

    canary, others = max(sorted(corners), key=worth)
    kept = [moment for moment in moments if moment.size[0] >= canary and moment.size[1] >= others]
    return _taken(kept, "canary", canary), _taken(kept, "others", others)


def _taken(moments: Sequence[Moment], side: str, most: int) -> list[float]:
    """So many values of one side of each moment, or all for 0."""
    if not most:
        return [value for moment in moments for values in getattr(moment, side).values() for value in values]
    present = Counter(task for moment in moments for task in getattr(moment, side))
    order = sorted(present, key=lambda task: (-present[task], task))
    found = []
    for moment in moments:
        values = [value for task in order for value in getattr(moment, side).get(task, ())]
        found += values[:most]
    return found
