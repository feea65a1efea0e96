"""Amazon CloudWatch: the states of alarms, and the datapoints of metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from botocore.validate import ParamValidator

from ecs_pipeline.aws.session import AwsClient, AwsError, AwsSession
from ecs_pipeline.batches import batches
from ecs_pipeline.model.telemetry import Alarm, Series

ALARM_TYPES = ("MetricAlarm", "CompositeAlarm", "LogAlarm")
"""Types of alarms, the newest last (data type AlarmType); an answer has a list of each, named in the plural."""
NAMED_AT_ONCE = 100
"""DescribeAlarms takes so many names."""
QUERIED_AT_ONCE = 500
"""GetMetricData takes so many queries."""
ATTEMPTS = 2
"""Of a call for a sample: the next sample asks again."""


class CloudWatch:
    """Reads for the checks; the client is made with the first call."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session
        self._alarm_types = list(ALARM_TYPES)

    def alarms(self, names: Sequence[str], prefixes: Sequence[str] = ()) -> list[Alarm]:
        """The alarms of those names, and those whose names begin so (DescribeAlarms), of every type."""
        requests: list[dict[str, Any]] = [{"AlarmNames": asked} for asked in batches(names, NAMED_AT_ONCE)]
        requests += [{"AlarmNamePrefix": prefix} for prefix in prefixes]
        found: dict[str, Alarm] = {}
        for request in requests:
            for page in self._alarm_pages(request):
                raw = [alarm for kind in ALARM_TYPES for alarm in page.get(f"{kind}s", [])]
                found.update({alarm["AlarmName"]: _alarm(alarm) for alarm in raw})
        return list(found.values())

    def _alarm_pages(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Without a list of types only metric alarms are shown. A region may not know the newest type yet."""
        try:
            return self._pages("DescribeAlarms", AlarmTypes=self._alarm_types, **request)
        except AwsError as error:
            newest = self._alarm_types[-1]
            if newest not in error.text or len(self._alarm_types) < len(ALARM_TYPES):
                raise
            self._alarm_types = self._alarm_types[:-1]
            return self._pages("DescribeAlarms", AlarmTypes=self._alarm_types, **request)

    def series(self, queries: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> list[Series]:
        """The series that the queries return (GetMetricData); one that is a search may return several.

        Times in UTC, values in the metric's unit. AWS' word on a query that it cannot answer is in `trouble`.
        """
        found: dict[tuple[str, str], Series] = {}
        for asked in batches(queries, QUERIED_AT_ONCE):
            part = [dict(query) for query in asked]
            for page in self._pages("GetMetricData", MetricDataQueries=part, StartTime=since, EndTime=until):
                for raw in page.get("MetricDataResults", []):
                    key = raw["Id"], raw.get("Label", "")
                    found[key] = _joined(found.get(key), raw)
        return list(found.values())

    def mistake(self, queries: Sequence[Mapping[str, Any]]) -> str:
        """What botocore finds wrong with the form of queries; '' when nothing is."""
        shape = self._client.boto.meta.service_model.operation_model("GetMetricData").input_shape
        members = shape.members["MetricDataQueries"]
        report = ParamValidator().validate([dict(query) for query in queries], members)
        return "; ".join(report.generate_report().splitlines()) if report.has_errors() else ""

    @property
    def _client(self) -> AwsClient:
        return self._session.client("cloudwatch")

    def _pages(self, operation: str, /, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token: dict[str, Any] = {}
        while True:
            found.append(self._client.call(operation, attempts=ATTEMPTS, **parameters, **token))
            if not found[-1].get("NextToken"):
                return found
            token = {"NextToken": found[-1]["NextToken"]}


def _alarm(raw: Mapping[str, Any]) -> Alarm:
    since = raw.get("StateTransitionedTimestamp")
    reason = " ".join(str(raw.get("StateReason", "")).split())
    return Alarm(raw["AlarmName"], raw.get("StateValue", ""), reason, _utc(since) if since else None)


def _joined(before: Series | None, raw: Mapping[str, Any]) -> Series:
    points = {
        _utc(at): float(value) for at, value in zip(raw.get("Timestamps", []), raw.get("Values", []), strict=False)
    }
    messages = [str(message.get("Value", "")) for message in raw.get("Messages", [])]
    state = str(raw.get("StatusCode", "Complete"))
    trouble = "" if state in ("Complete", "PartialData") else " ".join([state, *messages])
    return Series(raw["Id"], raw.get("Label", ""), {**(before.points if before else {}), **points}, trouble)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)
