"""Logs, alarms and series that a test puts there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ecs_pipeline.model.release import Task, TaskDefinition
from ecs_pipeline.model.telemetry import Alarm, LogLine, LogStream, Series


class FakeLogs:
    """LogsPort: lines that a test puts there."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def tail(self, task: Task, definition: TaskDefinition, container: str, lines: int = 20) -> list[str]:
        return ["the last line"]

    def streams(self, task: Task, definition: TaskDefinition) -> list[LogStream]:
        return [LogStream("/web", f"app/app/{task.id}")]

    def matches(self, streams: Sequence[LogStream], pattern: str, since: datetime) -> list[LogLine]:
        return [line for line in self.lines if line.at >= since and line.stream in {each.name for each in streams}]


class FakeCloudWatch:
    """CloudWatchPort: alarms and series that a test puts there; it counts the calls."""

    def __init__(self) -> None:
        self.there: dict[str, Alarm] = {}
        self.points: Callable[[Mapping[str, Any]], Mapping[datetime, float]] = lambda _query: {}
        self.calls: list[str] = []

    def alarms(self, names: Sequence[str], prefixes: Sequence[str] = ()) -> list[Alarm]:
        self.calls.append("DescribeAlarms")
        return [
            alarm for alarm in self.there.values() if alarm.name in names or alarm.name.startswith((*prefixes, "\0"))
        ]

    def series(self, queries: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> list[Series]:
        self.calls.append("GetMetricData")
        returned = [query for query in queries if query.get("ReturnData", True)]
        return [
            Series(query["Id"], points={at: value for at, value in self.points(query).items() if since <= at <= until})
            for query in returned
        ]

    def mistake(self, queries: Sequence[Mapping[str, Any]]) -> str:
        return ""
