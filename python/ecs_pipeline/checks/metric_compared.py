"""The kind `metric` with `compare`: the same series of the canary's tasks and of others, moment by moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import takewhile

from ecs_pipeline.checks import queries
from ecs_pipeline.checks.comparisons.moment import Moment
from ecs_pipeline.checks.judges.against_others import AgainstOthers
from ecs_pipeline.checks.judges.compared import Compared
from ecs_pipeline.checks.metric import Datapoints, Metrics
from ecs_pipeline.checks.sample import UNCLEAR, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.model.release import CANARY

LATE = 3
"""Periods that a datapoint of another task is waited for."""


class MetricCompared(AgainstOthers, Datapoints):
    """One comparison: each time of which both sides have datapoints is a sample."""

    def __init__(self, settings: CheckSettings, subject: Subject, metrics: Metrics) -> None:
        self._compared = Compared(settings)
        super().__init__(settings, subject, metrics, self._compared)
        self._group = str(self._settings.compare)
        self._canary: Mapping[datetime, Mapping[str, list[float]]] = {}
        self._others: Mapping[datetime, Mapping[str, list[float]]] = {}
        self._newest: datetime | None = None
        self._nobody = False

    def _queries(self) -> dict[str, queries.Asked]:
        self._nobody = not self._subject.compared_with(self._group)
        if self._nobody:
            return {}
        query, subject = self._settings.query, self._subject
        return {group: queries.asked_apart(query, subject, group) for group in (CANARY, self._group)}

    def _samples(self, now: datetime) -> list[Sample]:
        if self._alone:
            return [Sample(UNCLEAR, self._no_others)]
        since, until = self._subject.since, now - self._period
        self._canary = self._asked[CANARY].points_by_task(since, until)
        self._others = self._asked[self._group].points_by_task(since, until)
        new = sorted(at for at in self._canary if self._is_new(at))
        ready = list(takewhile(lambda at: self._subject.judged_alone or self._late(at, now) or self._whole(at), new))
        return self._missing(now, new[-1] if new else None) or self._take(ready)

    def _take(self, times: list[datetime]) -> list[Sample]:
        """Samples of these times, until a failure is shown."""
        samples = []
        for at in times:
            if self._compared.decided():
                break
            self._newest = at
            samples.append(self._compared.add(Moment(self._seconds(at), self._canary[at], self._others.get(at, {}))))
        return samples

    def _is_new(self, at: datetime) -> bool:
        """In the order of time: a datapoint that is later than the next one is left out."""
        return self._newest is None or at > self._newest

    def _whole(self, at: datetime) -> bool:
        """Everybody who had datapoints before has one now."""
        there = self._others.get(at, {})
        return bool(there) and all(set(tasks) <= set(there) for time, tasks in self._others.items() if time < at)

    def _late(self, at: datetime, now: datetime) -> bool:
        """The others have had time enough."""
        return now - at > (1 + LATE) * self._period

    @property
    def _alone(self) -> bool:
        return self._nobody or super()._alone
