"""Time series and what metric math does with them.

CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from ministack.services import cloudwatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from embedded_aws.api import Members


class ValidationError(ValueError):
    """A request that CloudWatch refuses with this message."""


@dataclass(frozen=True)
class Series:
    """Values by time (epoch seconds); `period` in seconds."""

    label: str
    period: int
    points: dict[int, float] = field(default_factory=dict)

    def map(self, change: Callable[[float], float]) -> Series:
        """Change each value; what has no result (0 / 0) leaves no point."""
        return self.with_points((time, change(value)) for time, value in self.points.items())

    def with_points(self, points: Iterable[tuple[int, float]]) -> Series:
        """The same with other points, without those that are no numbers."""
        return replace(self, points={time: value for time, value in points if math.isfinite(value)})


Value: TypeAlias = "float | Series | list[Series]"


def read_metric(
    key: tuple[str, str, str], stat: str, period: int, times: tuple[float, float], label: str = ""
) -> Series:
    """Put the data of one metric (namespace, name, dimensions as ministack keys them) into periods.

    `times` is from a time, which belongs to it, until another, which does not.
    """
    buckets: dict[int, list[Members]] = {}
    for point in list(cloudwatch._metrics.get(key) or []):
        if times[0] <= point["Timestamp"] < times[1]:
            buckets.setdefault(int(point["Timestamp"] // period) * period, []).append(point)
    points = {}
    for time in sorted(buckets):
        value = cloudwatch._stat_value(cloudwatch._calc_stats(buckets[time]), stat, buckets[time])
        if value is not None:
            points[time] = float(value)
    return Series(label or key[1], period, points)


def combine(left: Value, right: Value, operation: Callable[[float, float], float]) -> Value:
    """Apply an operator: to numbers, to each value, to values of the same time, to each series of a list."""
    if isinstance(left, list) and isinstance(right, list):
        raise ValidationError("an operator cannot have two arrays of time series")
    if isinstance(left, list):
        return [_one(combine(each, right, operation)) for each in left]
    if isinstance(right, list):
        return [_one(combine(left, each, operation)) for each in right]
    if isinstance(left, Series) and isinstance(right, Series):
        both = sorted(left.points.keys() & right.points.keys())
        return left.with_points((time, operation(left.points[time], right.points[time])) for time in both)
    if isinstance(left, Series):
        number = _number(right)
        return left.map(lambda value: operation(value, number))
    number = left
    if isinstance(right, Series):
        return right.map(lambda value: operation(number, value))
    return operation(left, right)


def aggregate(value: Value, reduce: Callable[[list[float]], float]) -> Value:
    """Apply SUM, AVG, MIN or MAX: one series gives a number, an array gives a series."""
    if isinstance(value, Series):
        return reduce(list(value.points.values())) if value.points else math.nan
    if isinstance(value, list):
        if not value:
            return Series("", 60)
        times = sorted({time for each in value for time in each.points})
        return value[0].with_points(
            (time, reduce([each.points[time] for each in value if time in each.points])) for time in times
        )
    return value


def _one(value: Value) -> Series:
    assert isinstance(value, Series)
    return value


def _number(value: Value) -> float:
    assert isinstance(value, float)
    return value
