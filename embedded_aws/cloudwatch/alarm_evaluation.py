"""The state of an alarm from its data points, and what missing ones are taken for.

CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from ministack.services import cloudwatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members

EXTRA_PERIODS = 2
"""How much longer the evaluation range is than the evaluation periods, as in the guide's examples."""
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def evaluate(alarm: Members, now: float) -> tuple[str, str]:
    """Give the state and its reason from the alarm's own metric until now (epoch seconds)."""
    values = _values(alarm, now)
    breaches = _COMPARISONS[alarm["ComparisonOperator"]]
    points = [None if value is None else breaches(value, alarm["Threshold"]) for value in values]
    periods: int = alarm["EvaluationPeriods"]
    enough = alarm.get("DatapointsToAlarm") or periods
    state = state_of(points, periods, enough, alarm.get("TreatMissingData") or "missing", alarm["StateValue"])
    shown = ", ".join("missing" if value is None else f"{value:g}" for value in values)
    return state, f"{alarm['ComparisonOperator']} {alarm['Threshold']:g}: the last data points were [{shown}]."


def state_of(points: list[bool | None], periods: int, enough: int, missing: str, current: str) -> str:
    """Decide from the points of the evaluation range, the newest first: breaching, not breaching, or None."""
    real = [point for point in points if point is not None]
    used = real[:periods]
    to_fill = periods - len(used)
    if missing in {"breaching", "notBreaching"}:
        used += [missing == "breaching"] * to_fill
    elif not used:
        return "INSUFFICIENT_DATA" if missing == "missing" else current
    if used.count(True) >= enough:
        return "ALARM"
    if to_fill and missing in {"missing", "ignore"} and all(used):
        oldest = max(age for age, point in enumerate(points, start=1) if point)
        return "ALARM" if missing == "missing" and oldest >= enough else current
    return "OK"


def _values(alarm: Members, now: float) -> list[float | None]:
    period: int = alarm["Period"]
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(alarm.get("Dimensions") or []))
    stored = list(cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or [])
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    values: list[float | None] = []
    for age in range(alarm["EvaluationPeriods"] + EXTRA_PERIODS):
        end = now - age * period
        inside = [point for point in stored if end - period < point["Timestamp"] <= end]
        values.append(cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside) if inside else None)
    return values
