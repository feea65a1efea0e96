"""The kind `logs`: lines that match a pattern in the logs of all the canary's containers, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.judges.against_others import AgainstOthers
from ecs_pipeline.checks.judges.compared import Compared
from ecs_pipeline.checks.judges.judged import Judged
from ecs_pipeline.checks.judges.limits import LinesLimit
from ecs_pipeline.checks.log_lines import LogLines
from ecs_pipeline.checks.sample import MISSING, UNCLEAR, Sample, Shown
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings, LogsCheck
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import CANARY
from ecs_pipeline.model.telemetry import LogLine

SHOWN = 5
LETTERS = 160


class Logs(Judged):
    """One check with a limit: a sample is the count of the lines so far."""

    def __init__(self, settings: LogsCheck, subject: Subject) -> None:
        self._held_to = LinesLimit(settings.filter, settings.at_most or 0, settings.per)
        super().__init__(self._held_to)
        self._subject = subject
        self._lines = LogLines(subject, settings.filter, CANARY)

    def begin(self) -> None:
        """The lines are read when they are asked for."""

    def collect(self) -> Sequence[Sample] | None:
        """One sample: how many lines there are."""
        now = self._subject.run.aws_time()
        try:
            found = self._lines.read(self._subject.canary, now)
        except Trouble as error:
            return [Sample(MISSING, error.message)]
        new = [line for lines in found.values() for line in lines]
        known = self._lines.known.values() if shown(self._subject) else ()
        last = max(known, key=lambda line: line.at).text[:LETTERS] if known else ""
        at = self._seconds(now)
        sample = self._held_to.add(at, [self._seconds(line.at) for line in new], last)
        return [replace(sample, shown=Shown(at, len(new)))]

    def details(self) -> Sequence[str]:
        """The last lines that matched."""
        return last_lines(self._lines, shown(self._subject))

    def _seconds(self, moment: datetime) -> float:
        return (moment - self._subject.since).total_seconds()


class LogsCompared(AgainstOthers):
    """One comparison: a sample is what canary and others have written since the sample before."""

    def __init__(self, settings: CheckSettings, subject: Subject) -> None:
        assert settings.logs  # noqa: S101 - the kinds choose by it
        self._compared = Compared(settings)
        super().__init__(self._compared)
        self._subject = subject
        self._group = str(settings.logs.compare)
        self._lines = {group: LogLines(subject, settings.logs.filter, group) for group in (CANARY, self._group)}
        self._there: set[str] | None = None

    def begin(self) -> None:
        """The lines are read when they are asked for."""

    def collect(self) -> Sequence[Sample] | None:
        """One sample; a task counts from the second time on that it is there, for it may have just begun."""
        now = self._subject.run.aws_time()
        if now <= self._subject.since:
            return []
        try:
            others = self._subject.compared_with(self._group)
            if not others:
                return [Sample(UNCLEAR, self._no_others)]
            mine = self._lines[CANARY].read(self._subject.canary, now)
            theirs = self._lines[self._group].read(others, now)
        except Trouble as error:
            return [Sample(MISSING, error.message)]
        there = {task.id for task in others}
        both = there if self._there is None else there & self._there
        self._there = there
        at = (now - self._subject.since).total_seconds()
        counted = {task: count for task, count in _counted(theirs).items() if task in both}
        return [self._compared.add(Moment(at, _counted(mine), counted))]

    def details(self) -> Sequence[str]:
        """The last lines of the canary that matched."""
        return last_lines(self._lines[CANARY], shown(self._subject))


def shown(subject: Subject) -> int:
    """How many lines of the log may be shown: `reports.log_lines`."""
    return min(SHOWN, subject.run.settings.reports.log_lines)


def last_lines(lines: LogLines, most: int) -> list[str]:
    """The last ones that were read, so many at most."""
    ordered = sorted(lines.known.values(), key=lambda line: line.at)
    return [f"{line.at:%H:%M:%S} {line.stream}: {line.text}" for line in ordered[-most:] if most]


def _counted(found: Mapping[str, Sequence[LogLine]]) -> dict[str, list[float]]:
    return {task: [len(lines)] for task, lines in found.items() if task}
