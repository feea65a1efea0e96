"""GetMetricData: metrics by their own dimensions, expressions, order, and what is refused.

API reference of CloudWatch, operation GetMetricData and data type MetricDataQuery. In the JSON and CBOR protocols,
which SDKs speak; the older Query protocol is left to ministack.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ministack.services import cloudwatch

from embedded_aws.cloudwatch.metric_math import Expression
from embedded_aws.cloudwatch.series import Series, ValidationError, Value, read_metric

if TYPE_CHECKING:
    from embedded_aws.api import Members, Response

_ID = re.compile(r"[a-z]\w*$")
_SHORT_PERIODS = {1, 5, 10, 20, 30}
_MAXIMUM = 500
_plain = cloudwatch._get_metric_data


def install() -> None:
    """Replace ministack's operation."""
    cloudwatch._get_metric_data = _get_metric_data


def _get_metric_data(parameters: Members, request: Members, is_cbor: bool, is_json: bool = False) -> Response:  # noqa: FBT001, FBT002
    if not (is_cbor or is_json):
        plain: Response = _plain(parameters, request, is_cbor, is_json)
        return plain
    try:
        results = _Request(request).results()
    except ValidationError as error:
        refused: Response = cloudwatch._error("ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor)
        return refused
    if is_cbor:
        results = [cloudwatch._cbor_metric_data_result(result) for result in results]
    answer: Response = (cloudwatch._cbor_ok if is_cbor else cloudwatch._json_ok)({"MetricDataResults": results})
    return answer


class _Request:
    """The queries of one request; each is evaluated once, when it is first needed."""

    def __init__(self, request: Members) -> None:
        self._queries = _queries(request)
        self._times = _times(request)
        self._is_ascending = request.get("ScanBy") == "TimestampAscending"
        self._values: dict[str, Value] = {}
        self._under_way: list[str] = []

    def results(self) -> list[Members]:
        """Evaluate all queries, and give those that are to be returned."""
        values = {name: self._value(name) for name in self._queries}
        return [
            self._result(query, series)
            for name, query in self._queries.items()
            if query.get("ReturnData", True)
            for series in _returned(name, values[name])
        ]

    def _result(self, query: Members, series: Series) -> Members:
        times = sorted(series.points, reverse=not self._is_ascending)
        default = query["Id"] if "Expression" in query and not _is_search(query) else series.label
        return {
            "Id": query["Id"],
            "Label": query.get("Label") or default,
            "Timestamps": times,
            "Values": [series.points[time] for time in times],
            "StatusCode": "Complete",
        }

    def _value(self, name: str) -> Value:
        if name not in self._queries:
            raise ValidationError(f"unknown id {name}")
        if name in self._under_way:
            raise ValidationError(f"the expressions refer to each other: {' → '.join([*self._under_way, name])}")
        if name not in self._values:
            self._under_way.append(name)
            self._values[name] = self._evaluate(self._queries[name])
            self._under_way.pop()
        return self._values[name]

    def _evaluate(self, query: Members) -> Value:
        if "MetricStat" in query:
            return _read(query["MetricStat"], self._times)
        try:
            return Expression(query["Expression"], self._value, self._metrics, self._times).evaluate()
        except ValidationError as error:
            raise ValidationError(f"Error in expression '{query['Id']}': {error}") from None

    def _metrics(self, part_of_name: str = "") -> list[Any]:
        return [
            self._value(name) for name, query in self._queries.items() if "MetricStat" in query and part_of_name in name
        ]


def _queries(request: Members) -> dict[str, Members]:
    queries = request.get("MetricDataQueries") or []
    if not 1 <= len(queries) <= _MAXIMUM:
        raise ValidationError(f"The parameter MetricDataQueries must hold from 1 to {_MAXIMUM} queries.")
    for number, query in enumerate(queries, start=1):
        place = f"MetricDataQueries.member.{number}"
        if not _ID.match(query.get("Id") or ""):
            message = f"The value {query.get('Id')} for parameter {place}.Id is not matching the expected pattern"
            raise ValidationError(f"{message} ^[a-z][a-zA-Z0-9_]*$.")
        if ("Expression" in query) == ("MetricStat" in query):
            raise ValidationError(f"{place} must have either Expression or MetricStat.")
        if "MetricStat" in query:
            _check_period(place, int(query["MetricStat"]["Period"]))
    by_id = {query["Id"]: query for query in queries}
    if len(by_id) < len(queries):
        raise ValidationError("The values for parameter Id in MetricDataQueries are not unique.")
    return by_id


def _check_period(place: str, period: int) -> None:
    if period not in _SHORT_PERIODS and (period < 60 or period % 60):
        raise ValidationError(f"{place}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60.")


def _times(request: Members) -> tuple[float, float]:
    """From and until; the start goes back to a whole minute, or to its own 5, 10, 30 s when periods are shorter."""
    start, end = cloudwatch._parse_ts(request.get("StartTime")), cloudwatch._parse_ts(request.get("EndTime"))
    if start is None or end is None or start >= end:
        raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def _read(query: Members, times: tuple[float, float]) -> Series:
    metric, period = query["Metric"], int(query["Period"])
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(metric.get("Dimensions") or []))
    rounding = min(period, 60)
    start = times[0] // rounding * rounding
    return read_metric(
        (metric["Namespace"], metric["MetricName"], dimensions), query["Stat"], period, (start, times[1])
    )


def _returned(name: str, value: Value) -> list[Series]:
    if isinstance(value, (int, float, str)):
        raise ValidationError(f"Error in expression '{name}': its result is no time series.")
    return value if isinstance(value, list) else [value]


def _is_search(query: Members) -> bool:
    return str(query["Expression"]).lstrip().upper().startswith("SEARCH")
