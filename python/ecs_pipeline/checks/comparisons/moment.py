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


class History:
    """The moments so far in which both sides were seen, and each task's values."""

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self.canary: dict[str, list[float]] = {}
        self.others: dict[str, list[float]] = {}
        self._sizes: Counter[tuple[int, int]] = Counter()

    def add(self, moment: Moment) -> None:
        """Keep one moment."""
        self.moments.append(moment)
        self._sizes[_keep(moment.canary, self.canary), _keep(moment.others, self.others)] += 1

    def balanced(self) -> tuple[list[float], list[float]]:
        """Values of both sides, of each moment equally many.

        Were there more tasks while load was high, a pool of all values would be high for that alone. So moments with
        fewer tasks are left out, or tasks that came and went: whatever leaves more to compare. Of the tasks, those that
        were there for longest stay.
        """
        if len(self._sizes) <= 1:
            return _flat(self.canary), _flat(self.others)
        canary, others = self._most_to_compare()
        return _taken(self.moments, "canary", canary, others), _taken(self.moments, "others", others, canary)

    def _most_to_compare(self) -> tuple[int, int]:
        """How many values of each side a moment has to have."""
        corners = {(canary, others) for canary, _ in self._sizes for _, others in self._sizes}

        def worth(corner: tuple[int, int]) -> tuple[float, int]:
            canary, others = corner
            rows = sum(count for size, count in self._sizes.items() if size[0] >= canary and size[1] >= others)
            return rows * canary * others / (canary + others), canary + others

        return max(sorted(corners), key=worth)


def _keep(values: Values, known: dict[str, list[float]]) -> int:
    count = 0
    for task, more in values.items():
        known.setdefault(task, []).extend(more)
        count += len(more)
    return count


def _flat(values: Values) -> list[float]:
    return [value for series in values.values() for value in series]


def _taken(moments: Sequence[Moment], side: str, most: int, other_side: int) -> list[float]:
    """So many values of one side of each moment that has as many, and enough of the other side."""
    other = "others" if side == "canary" else "canary"
    present = Counter(task for moment in moments for task in getattr(moment, side))
    order = sorted(present, key=lambda task: (-present[task], task))
    found = []
    for moment in moments:
        values = [value for task in order for value in getattr(moment, side).get(task, ())]
        if len(values) >= most and len(_flat(getattr(moment, other))) >= other_side:
            found += values[:most]
    return found
