"""The kind `logs`: lines that match a pattern in the logs of all the canary's containers, counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ecs_pipeline.check_settings import LogsCheck
from ecs_pipeline.checks.comparison import Difference, compare_counts
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, Conclusion, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model import CANARY, FAIL, INCONCLUSIVE
from ecs_pipeline.signals import LogLine, LogStream
from ecs_pipeline.wait import duration

LATE = timedelta(seconds=60)
"""Lines may arrive this late: each time the last minute is read again."""
SHOWN = 5
MINUTE = 60.0


class Logs:
    """One check: a sample is the count of the lines so far."""

    def __init__(self, settings: LogsCheck, subject: Subject) -> None:
        self._settings = settings
        self._subject = subject
        self._lines: dict[str, dict[str, LogLine]] = {CANARY: {}}
        self._read_from: dict[str, datetime] = {}
        self._most = 0
        self._others_seconds = 0.0
        self._looked: datetime = subject.since
        self._difference: Difference | None = None
        self.value: str | float | None = None
        self.limit: str | float | None = None if settings.compare else settings.at_most or 0
        self.unit = "lines/min" if settings.compare or settings.per == MINUTE else "lines"

    def begin(self) -> None:
        """The lines are read when they are asked for."""

    def collect(self) -> Sequence[Sample] | None:
        """One sample: how many lines there are."""
        now = self._subject.run.aws_time()
        groups = (CANARY, *([self._settings.compare] if self._settings.compare else []))
        try:
            for group in groups:
                self._read(group, now)
            return [self._compared_sample(now) if self._settings.compare else self._counted_sample(now)]
        except Trouble as error:
            return [Sample(MISSING, error.message)]

    def conclude(self) -> Conclusion | None:
        """Over the whole bake: too many lines, or more than the others have."""
        if not self._settings.compare:
            over = self._settings.per is None and self._over(len(self._lines[CANARY]))
            return Conclusion(FAIL, self._too_many(len(self._lines[CANARY]))) if over else None
        found = self._difference
        if found is None or found.worse is None:
            return Conclusion(INCONCLUSIVE, found.message if found else "no logs were read")
        return Conclusion(FAIL, found.message) if found.worse else None

    def summary(self) -> str:
        """How many lines matched, or how the canary compares."""
        if self._settings.compare:
            return self._difference.message if self._difference else ""
        return f"{_lines(self._most)} with {self._settings.filter}{self._within}, limit {self._settings.at_most or 0}"

    def details(self) -> Sequence[str]:
        """The last lines that matched."""
        lines = sorted(self._lines[CANARY].values(), key=lambda one: one.at)
        return [f"{line.at:%H:%M:%S} {line.stream}: {line.text}" for line in lines[-self._shown :] if self._shown]

    def close(self) -> None:
        """Nothing is left under way."""

    def _read(self, group: str, now: datetime) -> None:
        since = self._read_from.get(group, self._subject.since)
        known = self._lines.setdefault(group, {})
        streams = self._streams(group)
        found = self._subject.run.logs.matches(streams, self._settings.filter, since) if streams else []
        known.update({one.id: one for one in found if one.at >= self._subject.since})
        self._read_from[group] = max(self._subject.since, now - LATE)

    def _streams(self, group: str) -> list[LogStream]:
        run, streams = self._subject.run, []
        tasks = self._subject.tasks(group)
        for task in tasks:
            streams += run.logs.streams(task, run.definitions.get(task.revision))
        if tasks and not streams:
            raise Trouble(f"no container of the {group} logs with awslogs")
        return streams

    def _counted_sample(self, now: datetime) -> Sample:
        per, lines = self._settings.per, self._lines[CANARY].values()
        counted = sum(1 for one in lines if per is None or one.at > now - timedelta(seconds=per))
        self.value, self._most = counted, max(self._most, counted)
        if self._over(counted):
            return Sample(BAD, self._too_many(counted))
        return Sample(GOOD, f"{_lines(counted)} with {self._settings.filter}{self._within}")

    def _over(self, counted: int) -> bool:
        return counted > (self._settings.at_most or 0)

    def _too_many(self, counted: int) -> str:
        last = max(self._lines[CANARY].values(), key=lambda one: one.at)
        said = f": {last.text[:160]}" if self._shown else ""
        limit = f"at most {self._settings.at_most or 0} may be"
        return f"{_lines(counted)} with {self._settings.filter}{self._within}, {limit}{said}"

    @property
    def _shown(self) -> int:
        """How many lines of the log may be shown."""
        return min(SHOWN, self._subject.run.settings.reports.log_lines)

    @property
    def _within(self) -> str:
        return f" within {duration(self._settings.per)}" if self._settings.per else ""

    def _compared_sample(self, now: datetime) -> Sample:
        group = str(self._settings.compare)
        others = len(self._subject.tasks(group))
        seconds = (now - self._subject.since).total_seconds()
        self._others_seconds += others * (now - self._looked).total_seconds()
        self._looked = now
        self._difference = compare_counts(
            len(self._lines[CANARY]),
            len(self._lines[group]),
            exposure=len(self._subject.canary) * seconds,
            other_exposure=self._others_seconds if others else 0.0,
            tolerance=self._settings.tolerance,
            name=group,
        )
        self.value = self._difference.rate
        self.limit = self._difference.other_rate * (1 + self._settings.tolerance)
        return Sample(BAD if self._difference.worse else GOOD, self._difference.message)


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"
