"""The kind `metric`: one series of CloudWatch, held to a limit.

All metrics that are due are read with one GetMetricData. A datapoint counts once its period is over.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ecs_pipeline.checks import queries
from ecs_pipeline.checks.judges.judged import Judged
from ecs_pipeline.checks.judges.limits import ValueLimit
from ecs_pipeline.checks.sample import MISSING, Judge, Sample, Shown
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.config.metrics import MetricCheck
from ecs_pipeline.config.reachable import period_of
from ecs_pipeline.errors import PipelineError, Trouble
from ecs_pipeline.model.release import CANARY
from ecs_pipeline.ports import CloudWatchPort
from ecs_pipeline.timing.wait import duration


class Metrics:
    """Reads series: what all checks that are due ask for, in one call, when the first one needs it."""

    def __init__(self, cloudwatch: CloudWatchPort) -> None:
        self._cloudwatch = cloudwatch
        self._wanted: list[queries.Asked] = []
        self._since: list[datetime] = []
        self._trouble: Trouble | None = None

    def want(self, asked: queries.Asked, since: datetime) -> None:
        """Ask for the series of a check."""
        self._wanted.append(asked)
        self._since.append(since)

    def read(self, now: datetime) -> None:
        """Read all that is asked for; a query that bears no company is read alone."""
        wanted, since = self._wanted, self._since
        self._wanted, self._since = [], []
        shared = [index for index, query in enumerate(wanted) if not query.alone]
        groups = [[index] for index, query in enumerate(wanted) if query.alone] + ([shared] if shared else [])
        for group in groups:
            numbered = [query for index in group for query in wanted[index].numbered(index)]
            try:
                found = self._cloudwatch.series(numbered, min(since[index] for index in group), now)
            except Trouble as error:
                for index in group:
                    wanted[index].trouble = error.message
                continue
            for index in group:
                wanted[index].take(index, found)


class Datapoints(Judged):
    """Asks for series, and makes samples of the datapoints since the bake began, as far as their periods are over."""

    def __init__(self, settings: CheckSettings, subject: Subject, metrics: Metrics, judge: Judge) -> None:
        super().__init__(judge)
        assert settings.metric  # noqa: S101 - the kinds choose by it
        self._shared = settings
        self._settings: MetricCheck = settings.metric
        self._subject = subject
        self._metrics = metrics
        self._period = timedelta(seconds=period_of(self._settings.query))
        self._asked: dict[str, queries.Asked] = {}
        self._expected = subject.since + 3 * self._period
        self._trouble = ""

    def begin(self) -> None:
        """Ask for the series."""
        self._asked, self._trouble = {}, ""
        try:
            self._asked = self._queries()
        except PipelineError as error:
            self._trouble = error.message
        for asked in self._asked.values():
            self._metrics.want(asked, self._subject.since)

    def collect(self) -> Sequence[Sample] | None:
        """Samples of the datapoints that are new."""
        now = self._subject.run.aws_time()
        self._metrics.read(now)
        trouble = self._trouble or next((asked.trouble for asked in self._asked.values() if asked.trouble), "")
        if trouble:
            return [Sample(MISSING, trouble)]
        return self._samples(now)

    @abstractmethod
    def _queries(self) -> dict[str, queries.Asked]:
        """What is asked, by whom it is about."""

    @abstractmethod
    def _samples(self, now: datetime) -> list[Sample]:
        """Samples of what was read."""

    def _missing(self, now: datetime, newest: datetime | None) -> list[Sample]:
        """A sample without data, once three periods have none of the canary's, and for each further one."""
        if newest:
            self._expected = max(self._expected, newest + 3 * self._period)
        elif now >= self._expected:
            self._expected = now + self._period
            return [Sample(MISSING, f"no datapoint of a {duration(self._period.total_seconds())} period")]
        return []

    def _seconds(self, at: datetime) -> float:
        """Of the bake."""
        return (at - self._subject.since).total_seconds()


class Metric(Datapoints):
    """One check with a limit: each datapoint of the canary is a sample."""

    def __init__(self, settings: CheckSettings, subject: Subject, metrics: Metrics) -> None:
        assert settings.metric  # noqa: S101 - the kinds choose by it
        chosen = settings.metric
        self._held_to = ValueLimit(chosen.at_most, chosen.at_least, chosen.unit_shown)
        super().__init__(settings, subject, metrics, self._held_to)
        self._known: set[datetime] = set()

    def _queries(self) -> dict[str, queries.Asked]:
        return {CANARY: queries.asked(self._settings.query, self._subject, CANARY)}

    def _samples(self, now: datetime) -> list[Sample]:
        points = self._asked[CANARY].points(self._subject.since, now - self._period)
        new = [at for at in sorted(points) if at not in self._known]
        self._known.update(new)
        if self._subject.judged_alone:
            new = new[-self._shared.asked_alone :]
        missing = self._missing(now, new[-1] if new else None)
        return missing or [self._sample(at, points[at]) for at in new]

    def _sample(self, at: datetime, values: Sequence[float]) -> Sample:
        sample = self._held_to.add(values, f"at {at:%H:%M:%S}")
        return replace(sample, shown=Shown(self._seconds(at), list(values)))
