"""A check's samples side by side in as many columns as a picture can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from ecs_pipeline.engine.check_series import Point, Values

MOST_COLUMNS = 120
STEADY = 15
"""So many columns together say what the others' level is: the tolerance is a line and no jitter."""
BAD, GOOD = "bad", "good"


@dataclass(frozen=True)
class Side:
    """What canary or others had in one column; `steady` is the middle of the columns around."""

    lowest: float
    middle: float
    highest: float
    steady: float = 0.0


@dataclass
class Column:
    """Samples of nearly the same time; `good` and `bad` are when samples without numbers, or failed ones, were."""

    at: float
    canary: Side | None = None
    others: Side | None = None
    good: list[float] = field(default_factory=list)
    bad: list[float] = field(default_factory=list)


def columns(points: Sequence[Point], *, counts: bool) -> list[Column]:
    """The columns; of counts they hold the sums so far, of each task."""
    shown = _summed(points) if counts else points
    size = max(len(shown) // MOST_COLUMNS, 1)
    parts = [shown[start : start + size] for start in range(0, len(shown), size)]
    seen = [_column(part) for part in parts]
    return _with_steady(seen, counts=counts)


def _column(points: Sequence[Point]) -> Column:
    canary = [value for point in points for value in _numbers(point.canary)]
    others = [value for point in points for values in point.others.values() for value in _numbers(values)]
    return Column(
        at=points[-1].at,
        canary=_side(canary),
        others=_side(others),
        good=[point.at for point in points if point.outcome == GOOD],
        bad=[point.at for point in points if point.outcome == BAD or _errors(point.canary)],
    )


def _with_steady(seen: Sequence[Column], *, counts: bool) -> list[Column]:
    for number, column in enumerate(seen):
        if column.others:
            around = seen[max(number - STEADY, 0) : number + STEADY + 1]
            middles = [near.others.middle for near in around if near.others]
            steady = column.others.middle if counts else median(middles)
            column.others = Side(column.others.lowest, column.others.middle, column.others.highest, steady)
    return list(seen)


def _summed(points: Sequence[Point]) -> list[Point]:
    """The counts so far: of a canary task, and of each other one."""
    canary, others, found = 0.0, dict[str, float](), list[Point]()
    for point in points:
        counted = _numbers(point.canary)
        canary += sum(counted) / len(counted) if counted else 0.0
        for task, count in point.others.items():
            others[task] = others.get(task, 0.0) + sum(_numbers(count))
        found.append(Point(point.at, point.outcome, canary, _there(others, point.others)))
    return found


def _there(sums: Mapping[str, float], others: Mapping[str, Values]) -> dict[str, Values]:
    return {task: sums[task] for task in others}


def _side(values: Sequence[float]) -> Side | None:
    if not values:
        return None
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return Side(ordered[tenth], median(ordered), ordered[-1 - tenth])


def _numbers(values: Values) -> list[float]:
    if isinstance(values, Sequence):
        return [value for value in values if value is not None]
    return [] if values is None else [values]


def _errors(values: Values) -> bool:
    return isinstance(values, Sequence) and None in values
