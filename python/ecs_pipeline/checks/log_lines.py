"""Reads the lines of tasks that match a pattern: those that are new, with the task that wrote each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Task
from ecs_pipeline.model.telemetry import LogLine

LATE = timedelta(seconds=60)
"""Lines may arrive this late: each time the last minute is read again."""


class LogLines:
    """The matching lines of one group of tasks since the bake began."""

    def __init__(self, subject: Subject, pattern: str, group: str) -> None:
        self._subject, self._pattern, self._group = subject, pattern, group
        self._tasks: dict[str, str] = {}
        self._read_from = subject.since
        self.known: dict[str, LogLine] = {}

    def read(self, tasks: Sequence[Task], now: datetime) -> dict[str, list[LogLine]]:
        """The new lines of each task (FilterLogEvents). Raises Trouble, also when none of them has a log to read."""
        run, streams = self._subject.run, []
        for task in tasks:
            of_task = run.logs.streams(task, run.definitions.get(task.revision))
            self._tasks.update({stream.name: task.id for stream in of_task})
            streams += of_task
        if tasks and not streams:
            raise Trouble(f"no container of the {self._group} logs with awslogs")
        lines = run.logs.matches(streams, self._pattern, self._read_from) if streams else []
        new = {line.id: line for line in lines if line.at >= self._subject.since and line.id not in self.known}
        self.known |= new
        self._read_from = max(self._subject.since, now - LATE)
        found: dict[str, list[LogLine]] = {task.id: [] for task in tasks}
        for line in new.values():
            found.setdefault(self._tasks.get(line.stream, ""), []).append(line)
        return found
