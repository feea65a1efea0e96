"""Makes a check of each kind, and holds what the checks of one kind share."""

from __future__ import annotations

from ecs_pipeline.checks.alarm import Alarms, AlarmStates
from ecs_pipeline.checks.command import Command
from ecs_pipeline.checks.http import Http, Requests
from ecs_pipeline.checks.http_compared import HttpCompared
from ecs_pipeline.checks.logs import Logs, LogsCompared
from ecs_pipeline.checks.metric import Metric, Metrics
from ecs_pipeline.checks.metric_compared import MetricCompared
from ecs_pipeline.checks.sample import Check
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.ports import CloudWatchPort


class Kinds:
    """The kinds of checks, for one bake."""

    def __init__(self, cloudwatch: CloudWatchPort) -> None:
        self._requests = Requests()
        self._alarms = Alarms(cloudwatch)
        self._metrics = Metrics(cloudwatch)

    def make(self, settings: CheckSettings, subject: Subject) -> Check:
        """The check that the settings describe."""
        if settings.compared:
            return self._comparison(settings, subject)
        if settings.http:
            return Http(settings.http, subject, self._requests)
        if settings.alarm:
            return AlarmStates(settings.alarm, subject, self._alarms)
        if settings.metric:
            return Metric(settings, subject, self._metrics)
        if settings.logs:
            return Logs(settings.logs, subject)
        assert settings.command  # noqa: S101 - the settings have one kind
        return Command(settings.command, subject)

    def _comparison(self, settings: CheckSettings, subject: Subject) -> Check:
        """The canary with others."""
        if settings.http:
            return HttpCompared(settings, subject, self._requests)
        if settings.metric:
            return MetricCompared(settings, subject, self._metrics)
        return LogsCompared(settings, subject)

    def close(self) -> None:
        """End what is shared."""
        self._requests.close()
