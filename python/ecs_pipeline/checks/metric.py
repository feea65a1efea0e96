"""The kind `metric`: one series of CloudWatch, held to a limit or to the same series of other tasks.

All metrics that are due are read with one GetMetricData. A datapoint counts once its period is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ecs_pipeline.check_settings import CheckSettings
from ecs_pipeline.checks import queries
from ecs_pipeline.checks.comparison import Difference, compare_values, percent
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, UNCLEAR, Conclusion, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.comparison_settings import BASELINE
from ecs_pipeline.errors import PipelineError, Trouble
from ecs_pipeline.model import CANARY, FAIL, INCONCLUSIVE
from ecs_pipeline.ports import CloudWatchPort
from ecs_pipeline.record import measured
from ecs_pipeline.wait import duration


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
        shared = [index for index, one in enumerate(wanted) if not one.alone]
        groups = [[index] for index, one in enumerate(wanted) if one.alone] + ([shared] if shared else [])
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


class Metric:
    """One check: each datapoint since the bake began is a sample."""

    def __init__(self, settings: CheckSettings, subject: Subject, metrics: Metrics) -> None:
        assert settings.metric  # noqa: S101 - the kinds choose by it
        self._shared = settings
        self._settings = settings.metric
        self._subject = subject
        self._metrics = metrics
        self._period = timedelta(seconds=queries.period_of(self._settings.query))
        self._asked: dict[str, queries.Asked] = {}
        self._points: dict[str, dict[datetime, list[float]]] = {CANARY: {}}
        self._expected = subject.since + 3 * self._period
        self._difference: Difference | None = None
        self._trouble = ""
        self._nobody = False
        self.value: str | float | None = None
        limits = (self._settings.at_most, self._settings.at_least, self._settings.tolerance)
        limit = next(one for one in limits if one is not None)
        self.limit: str | float | None = 100 * limit if self._settings.compare else limit
        self.unit = "%" if self._settings.compare else self._settings.unit_shown

    def begin(self) -> None:
        """Ask for the series of the canary, and of those it is compared with."""
        compare, self._trouble = self._settings.compare, ""
        self._asked = {}
        try:
            self._nobody = bool(compare) and not self._subject.tasks(str(compare))
            for group in (CANARY, *([compare] if compare else [])):
                self._asked[group] = queries.asked(self._settings.query, self._subject, group)
        except PipelineError as error:
            self._trouble, self._asked = error.message, {}
        for one in self._asked.values():
            self._metrics.want(one, self._subject.since)

    def collect(self) -> Sequence[Sample] | None:
        """Samples of the datapoints that are new."""
        now = self._subject.run.clock.wall()
        self._metrics.read(now)
        if self._alone:
            return [Sample(UNCLEAR, f"no {self._settings.compare} task lives to compare with")]
        trouble = self._trouble or next((one.trouble for one in self._asked.values() if one.trouble), "")
        if trouble:
            return [Sample(MISSING, trouble)]
        new: list[datetime] = []
        for group, one in self._asked.items():
            known = self._points.setdefault(group, {})
            points = one.points(self._subject.since, now - self._period)
            new += [at for at in sorted(points) if group == CANARY and at not in known]
            known.update(points)
        if self._subject.judged_alone:
            new = new[-max(self._shared.failures, self._shared.min_samples) :]
        if new:
            self._expected = max(self._expected, new[-1] + 3 * self._period)
            if self._settings.compare:
                return self._compared_samples(len(new))
            return [self._sample(at) for at in new]
        if now >= self._expected:
            self._expected = now + self._period
            return [Sample(MISSING, f"no datapoint of a {duration(self._period.total_seconds())} period")]
        return []

    def conclude(self) -> Conclusion | None:
        """Of a comparison: over all datapoints, is the canary worse?"""
        if not self._settings.compare:
            return None
        nothing_is_fine = self._shared.on_missing == "pass" and not self._points[CANARY] and not self._alone
        found = self._compared()
        if found.worse is None:
            return None if nothing_is_fine else Conclusion(INCONCLUSIVE, found.message)
        return Conclusion(FAIL, found.message) if found.worse else None

    def summary(self) -> str:
        """How the canary compares, or the datapoint that is nearest to the limit."""
        if self._settings.compare:
            return self._difference.message if self._difference else ""
        values = [value for values in self._points[CANARY].values() for value in values]
        word, kind = ("highest", "at most") if self._settings.at_most is not None else ("lowest", "at least")
        extreme = (max if word == "highest" else min)(values, default=None)
        shown = "no datapoint" if extreme is None else f"{word} {measured(extreme, self.unit)}"
        return f"{shown}, limit {kind} {measured(self.limit, self.unit)}"

    def details(self) -> Sequence[str]:
        """What the comparison found."""
        return [self._difference.message] if self._difference else []

    def close(self) -> None:
        """Nothing is left under way."""

    @property
    def _alone(self) -> bool:
        """There is nobody to compare with: no verdict, whatever `on_missing` says of the canary's own data."""
        return self._nobody or (self._settings.compare == BASELINE and not self._subject.baseline)

    def _sample(self, at: datetime) -> Sample:
        values = self._points[CANARY][at]
        most, least = self._settings.at_most, self._settings.at_least
        value = max(values) if most is not None else min(values)
        self.value = value
        shown = f"{measured(value, self.unit)} at {at:%H:%M:%S}"
        if most is not None and value > most:
            return Sample(BAD, f"{shown}, more than {measured(most, self.unit)}")
        if least is not None and value < least:
            return Sample(BAD, f"{shown}, less than {measured(least, self.unit)}")
        return Sample(GOOD, shown)

    def _compared_samples(self, number: int) -> list[Sample]:
        """As many as there are new datapoints, all of which say how the canary compares by now."""
        found = self._compared()
        self.value = percent(found.effect)
        return number * [Sample(BAD if found.worse else GOOD, found.message)]

    def _compared(self) -> Difference:
        group = str(self._settings.compare)
        if self._alone:
            self._difference = Difference(None, f"no {group} task lives to compare with")
            return self._difference
        values: Mapping[str, list[float]] = {
            one: [value for values in self._points.get(one, {}).values() for value in values] for one in (CANARY, group)
        }
        least = self._shared.min_samples
        self._difference = compare_values(
            values[CANARY],
            values[group],
            tolerance=self._settings.tolerance,
            direction=self._settings.direction,
            name=group,
        )
        if min(len(values[CANARY]), len(values[group])) < least:
            self._difference = Difference(None, self._difference.message)
        return self._difference
