"""CloudWatch Logs: the last lines of a container, and the lines of many that match a pattern."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ecs_pipeline import text
from ecs_pipeline.aws.session import AwsSession
from ecs_pipeline.batches import batches
from ecs_pipeline.errors import PipelineError
from ecs_pipeline.model.release import Task, TaskDefinition
from ecs_pipeline.model.telemetry import LogLine, LogStream

LINES = 20
FILTERED_AT_ONCE = 100
"""FilterLogEvents takes so many streams."""
MOST_PAGES = 20
"""Pages of one group that are read at a time: what has more matching lines than these hold is bad enough."""
ATTEMPTS = 2
"""Of a call for a sample: the next sample asks again. Of a call for evidence: a restore waits for it."""


class Logs:
    """Reads what containers with the awslogs driver wrote."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def tail(self, task: Task, definition: TaskDefinition, container: str, lines: int = LINES) -> list[str]:
        """The last lines of a container in their order (GetLogEvents); [] when it has another log driver or none.

        It never fails: evidence that cannot be read is replaced by the reason.
        """
        stream = log_stream(task, definition, container)
        if stream is None:
            return []
        group, name, region = stream
        try:
            answer = self._session.client("logs", region).call(
                "GetLogEvents",
                attempts=ATTEMPTS,
                logGroupName=group,
                logStreamName=name,
                limit=lines,
                startFromHead=False,
            )
        except PipelineError as error:
            return [f"(its log cannot be read: {error.message})"]
        return [_shown(event) for event in _in_order(answer.get("events", []))][-lines:]

    def streams(self, task: Task, definition: TaskDefinition) -> list[LogStream]:
        """The streams of all containers of a task that log with awslogs."""
        names = [str(container["name"]) for container in definition.definition["containerDefinitions"]]
        found = [log_stream(task, definition, name) for name in names]
        return [LogStream(*stream) for stream in found if stream]

    def matches(self, streams: Sequence[LogStream], pattern: str, since: datetime) -> list[LogLine]:
        """The lines since then that match (FilterLogEvents, a hundred streams of a group at once).

        No more than MOST_PAGES pages of a group are read. Raises Trouble, also for a group that does not exist.
        """
        found: list[LogLine] = []
        for group, region in dict.fromkeys((stream.group, stream.region) for stream in streams):
            names = [stream.name for stream in streams if (stream.group, stream.region) == (group, region)]
            for asked in batches(names, FILTERED_AT_ONCE):
                request = {
                    "logGroupName": group,
                    "logStreamNames": asked,
                    "filterPattern": pattern,
                    "startTime": int(since.timestamp() * 1000),
                }
                found += self._filtered(region, request)
        return found

    def _filtered(self, region: str, request: Mapping[str, Any]) -> list[LogLine]:
        client = self._session.client("logs", region)
        found: list[LogLine] = []
        token: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            answer = client.call("FilterLogEvents", attempts=ATTEMPTS, **request, **token)
            found += [_line(event) for event in answer.get("events", [])]
            if not answer.get("nextToken"):
                break
            token = {"nextToken": answer["nextToken"]}
        return found


def _in_order(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Events by their time, then by when they came in; those that are alike in both stay as they were written.

    A list that begins with the latest is turned round first: API reference, GetLogEvents, startFromHead.
    """
    times = [(event.get("timestamp", 0), event.get("ingestionTime", 0)) for event in events]
    backwards = bool(times) and times[0] > times[-1]
    ordered = list(reversed(events)) if backwards else list(events)
    return sorted(ordered, key=lambda event: (event.get("timestamp", 0), event.get("ingestionTime", 0)))


def _line(event: Mapping[str, Any]) -> LogLine:
    at = datetime.fromtimestamp(event.get("timestamp", 0) / 1000, timezone.utc)
    line = _shown(event)
    stream = str(event.get("logStreamName", ""))
    return LogLine(str(event.get("eventId") or f"{stream} {at.timestamp()} {line}"), at, stream, line)


def _shown(event: Mapping[str, Any]) -> str:
    """What an event says, cut here: it may be 256 KB long, and nobody is to wait while it is made harmless."""
    return text.cut(str(event.get("message", "")).rstrip(), text.LONGEST_RAW)


def log_stream(task: Task, definition: TaskDefinition, container: str) -> tuple[str, str, str] | None:
    """(group, stream, region) of a container's log: PREFIX/CONTAINER/TASK-ID (awslogs driver's options)."""
    found = definition.container(container) or {}
    configuration: Mapping[str, Any] = found.get("logConfiguration") or {}
    options = configuration.get("options") or {}
    if configuration.get("logDriver") != "awslogs" or not options.get("awslogs-stream-prefix"):
        return None
    stream = f"{options['awslogs-stream-prefix']}/{container}/{task.id}"
    return str(options["awslogs-group"]), stream, str(options.get("awslogs-region", ""))
