"""CloudWatch Logs: the last lines of a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_pipeline.aws.session import AwsSession
from ecs_pipeline.errors import PipelineError
from ecs_pipeline.model import Task, TaskDefinition

LINES = 20


class Logs:
    """Reads what containers with the awslogs driver wrote."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def tail(self, task: Task, definition: TaskDefinition, container: str, lines: int = LINES) -> list[str]:
        """The last lines of a container (GetLogEvents); [] when it has another log driver or none.

        It never fails: evidence that cannot be read is replaced by the reason.
        """
        stream = log_stream(task, definition, container)
        if stream is None:
            return []
        group, name, region = stream
        try:
            answer = self._session.client("logs", region).call(
                "GetLogEvents", logGroupName=group, logStreamName=name, limit=lines, startFromHead=False
            )
        except PipelineError as error:
            return [f"(its log cannot be read: {error.message})"]
        return [str(event.get("message", "")).rstrip() for event in answer["events"]][-lines:]


def log_stream(task: Task, definition: TaskDefinition, container: str) -> tuple[str, str, str] | None:
    """(group, stream, region) of a container's log: PREFIX/CONTAINER/TASK-ID (awslogs driver's options)."""
    found = definition.container(container) or {}
    configuration: Mapping[str, Any] = found.get("logConfiguration") or {}
    options = configuration.get("options") or {}
    if configuration.get("logDriver") != "awslogs" or not options.get("awslogs-stream-prefix"):
        return None
    stream = f"{options['awslogs-stream-prefix']}/{container}/{task.id}"
    return str(options["awslogs-group"]), stream, str(options.get("awslogs-region", ""))
