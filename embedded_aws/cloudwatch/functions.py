"""The functions of metric math that are emulated; others are refused by name.

CloudWatch User Guide, "Using math expressions with CloudWatch metrics", functions supported for metric math.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from embedded_aws.cloudwatch.series import Series, ValidationError, Value, aggregate, combine

if TYPE_CHECKING:
    from collections.abc import Callable


def call(name: str, arguments: list[Any], times: tuple[float, float]) -> Value:
    """Call a function; `times` (from, until) are those of the request, which FILL needs."""
    if name in _REDUCERS:
        return aggregate(_only(name, arguments), _REDUCERS[name])
    if name in _CHANGES:
        change = _CHANGES[name]
        return _each(_only(name, arguments), lambda series: series.map(change))
    if name in _STEPS:
        step = _STEPS[name]
        return _each(_only(name, arguments), lambda series: _steps(series, step))
    if name == "PERIOD":
        return float(_single(_only(name, arguments)).period)
    if name == "IF" and len(arguments) in {2, 3}:
        return _if(*arguments)
    if name == "FILL" and len(arguments) == 2:
        return _each(arguments[0], lambda series: _fill(series, arguments[1], times))
    known = ", ".join(sorted([*_REDUCERS, *_CHANGES, *_STEPS, "FILL", "IF", "METRICS", "PERIOD", "SEARCH"]))
    raise ValidationError(f"function {name} with {len(arguments)} argument(s) is not emulated; known: {known}")


def _if(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    """Choose by a number once, by a series at each of its times; without a third value there is no point."""
    other = math.nan if otherwise is None else otherwise
    if not isinstance(condition, Series):
        if isinstance(condition, list):
            raise ValidationError("the condition of IF cannot be an array of time series")
        return then if condition else other
    chosen = ((time, _at(then if value else other, time)) for time, value in condition.points.items())
    return condition.with_points(chosen)


def _at(value: Value, time: int) -> float:
    if isinstance(value, list):
        raise ValidationError("IF cannot choose from an array of time series")
    return value.points.get(time, math.nan) if isinstance(value, Series) else value


def _fill(series: Series, filler: float | str | Series, times: tuple[float, float]) -> Series:
    """Fill the missing points of the request's whole time."""
    first = int(times[0] // series.period) * series.period
    wanted = range(first, math.ceil(times[1]), series.period)
    if isinstance(filler, Series):
        return series.with_points((time, series.points.get(time, filler.points.get(time, math.nan))) for time in wanted)
    if filler == "REPEAT":
        return series.with_points(_repeated(series, wanted))
    if isinstance(filler, str):
        raise ValidationError(f"FILL with {filler} is not emulated; known: a number, a time series, REPEAT")
    return series.with_points((time, series.points.get(time, filler)) for time in wanted)


def _repeated(series: Series, wanted: range) -> list[tuple[int, float]]:
    last, filled = math.nan, []
    for time in wanted:
        last = series.points.get(time, last)
        filled.append((time, last))
    return filled


def _steps(series: Series, step: Callable[[float, int], float]) -> Series:
    """Apply to each pair of neighbours: what came between them, and the seconds."""
    times = sorted(series.points)
    pairs = itertools.pairwise(times)
    return series.with_points(
        (now, step(series.points[now] - series.points[before], now - before)) for before, now in pairs
    )


def _each(value: Value, change: Callable[[Series], Series]) -> Value:
    return [change(each) for each in value] if isinstance(value, list) else change(_single(value))


def _only(name: str, arguments: list[Any]) -> Value:
    if len(arguments) != 1:
        raise ValidationError(f"function {name} takes one argument, or an array: {name}([m1, m2])")
    value: Value = arguments[0]
    return value


def _single(value: Value) -> Series:
    if not isinstance(value, Series):
        raise ValidationError("a time series is needed here")
    return value


def divide(left: float, right: float) -> float:
    """Divide as metric math does: by zero there is no value."""
    return left / right if right else math.nan


def power(left: float, right: float) -> float:
    """Raise to a power; what is no real number is no value."""
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return math.nan
    return result if isinstance(result, float) else math.nan


_REDUCERS: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "MAX": max,
    "MIN": min,
    "SUM": sum,
}
_CHANGES: dict[str, Callable[[float], float]] = {"ABS": abs, "CEIL": math.ceil, "FLOOR": math.floor}
_STEPS: dict[str, Callable[[float, int], float]] = {
    "DIFF": lambda difference, _seconds: difference,
    "RATE": lambda difference, seconds: difference / seconds,
}

__all__ = ["call", "combine", "divide", "power"]
