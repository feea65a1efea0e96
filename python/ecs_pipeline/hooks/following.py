"""Follows a one-off task to its end, and tells its log as it comes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import CommandFailed, Refused, Trouble
from ecs_pipeline.model.release import Task, TaskDefinition
from ecs_pipeline.model.telemetry import LogStream
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, duration

POLL = 2.0
"""Seconds between two looks."""
SEEN_WITHIN = 60.0
"""Seconds in which DescribeTasks has to know a task that RunTask named."""


class Log:
    """The lines of a task's container, printed once each. Its stream comes with the first line, so trouble may pass."""

    def __init__(self, run: Run, task: Task, revision: TaskDefinition, container: str) -> None:
        self._run = run
        wanted = f"/{container}/{task.id}"
        streams = run.logs.streams(task, revision)
        self._streams: list[LogStream] = [stream for stream in streams if stream.name.endswith(wanted)] or streams
        self._since: datetime = task.created
        self._printed: set[str] = set()

    def tell(self, *, last: bool = False) -> None:
        """Say what came since the last time; the last time also why nothing can be read."""
        if not self._streams or not self._run.settings.reports.log_lines:
            return
        try:
            lines = self._run.logs.matches(self._streams, "", self._since)
        except Trouble as trouble:
            if last:
                note(self._run.recorder, f"its log cannot be read: {trouble.message}")
            return
        for line in sorted(lines, key=lambda line: line.at):
            if line.id not in self._printed:
                self._printed.add(line.id)
                self._run.recorder.progress(f"| {line.text}")


class Gone(Refused):
    """AWS describes a task no more; `task` is its id."""

    def __init__(self, arn: str) -> None:
        self.task = arn.rpartition("/")[2]
        super().__init__(
            f"task {self.task} ran, and AWS describes it no more: how it ended cannot be known",
            cure="look into its log; another --name runs the command again",
        )


def first_seen(run: Run, arn: str, watch: Callable[[], object] = lambda: None) -> Task:
    """The task that RunTask named, as soon as DescribeTasks shows it. Raises Gone, and what `watch` raises."""
    for _ in wait.looks(run.clock, POLL, Deadline.after(run.clock, SEEN_WITHIN)):
        watch()
        found = run.ecs.tasks([arn])
        if found:
            return found[0]
    raise Gone(arn)


def follow(
    run: Run,
    first: Task,
    revision: TaskDefinition,
    container: str,
    *,
    within: float,
    watch: Callable[[], object] = lambda: None,
) -> Task:
    """The task once it has stopped. Raises Trouble when it still runs after so many seconds: the same command waits on.

    `first` is how it was seen just now. Raises Gone when AWS describes it no more. `watch` is called at each look.
    """
    log = Log(run, first, revision, container)
    task = first
    for again in wait.looks(run.clock, POLL, Deadline.after(run.clock, within)):
        if again:
            watch()
            found = run.ecs.tasks([task.arn])
            if not found:
                raise Gone(task.arn)
            task = found[0]
        log.tell()
        if task.status == "STOPPED":
            wait.pause(run.clock, POLL)  # the driver sends the last lines a moment later
            log.tell(last=True)
            return task
    raise Trouble(f"the command still runs after {duration(within)}", cure="the same command waits on")


def exit_code_of(task: Task, container: str) -> int:
    """Of the container. Raises CommandFailed with 1 when it never had one: it did not start."""
    found = next((each for each in task.containers if each.name == container), None)
    if found is None or found.exit_code is None:
        why = " ".join(filter(None, (found.reason if found else "", task.stopped_reason))) or "no reason given"
        raise CommandFailed(f"the command did not run: {why}", 1, cure="correct it and run it under another --name")
    return found.exit_code
