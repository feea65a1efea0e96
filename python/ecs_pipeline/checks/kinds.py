"""Makes a check of each kind, and holds what the checks of one kind share."""

from __future__ import annotations

from ecs_pipeline.check_settings import CheckSettings
from ecs_pipeline.checks.command import Command
from ecs_pipeline.checks.http import Http, Requests
from ecs_pipeline.checks.sample import Check
from ecs_pipeline.checks.subject import Subject


class Kinds:
    """The kinds of checks."""

    def __init__(self) -> None:
        self._requests = Requests()

    def make(self, settings: CheckSettings, subject: Subject) -> Check:
        """The check that the settings describe."""
        if settings.http:
            return Http(settings.http, subject, self._requests)
        assert settings.command  # noqa: S101 - the settings have one kind
        return Command(settings.command, subject)

    def close(self) -> None:
        """End what is shared."""
        self._requests.close()
