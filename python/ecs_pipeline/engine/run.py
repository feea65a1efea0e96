"""What one stage has at hand: settings, adapters, the clock and the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ecs_pipeline.config.lookups import EnvironmentSource, Lookups
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.ports import (
    CloudWatchPort,
    EcsPort,
    ElbPort,
    EnginePort,
    LogsPort,
    PermissionsPort,
    QuotasPort,
    RepositoryPort,
    ScalingPort,
    ScansPort,
    SecretsPort,
    TaskDefinitionsPort,
)
from ecs_pipeline.protocol.observe import Observer
from ecs_pipeline.timing.clock import Clock


@dataclass(frozen=True)
class Origin:
    """Where the release comes from: the commit that is built, and the build that runs the stage.

    `source` is the repository's URL, `place` the config's folder within it, `committed` the commit's time; '' and None
    when they are not known.
    `problem`: why the commit of a repository that is there cannot be told.
    """

    commit: str = ""
    clean: bool = False
    build: str = ""
    source: str = ""
    place: str | None = None
    committed: datetime | None = None
    problem: str = ""


@dataclass(frozen=True)
class Run:
    """Everything that a stage works with; one for each process."""

    settings: Settings
    folder: Path
    ecs: EcsPort
    definitions: TaskDefinitionsPort
    elb: ElbPort
    repositories: RepositoryPort
    scans: ScansPort
    scaling: ScalingPort
    engine: EnginePort
    logs: LogsPort
    cloudwatch: CloudWatchPort
    permissions: PermissionsPort
    quotas: QuotasPort
    secrets: SecretsPort
    clock: Clock
    recorder: Recorder
    observer: Observer
    session: Any = None  # aws.session.AwsSession: only wiring makes further clients of it
    origin: Origin = Origin()
    dry_run: bool = False
    lookups: Lookups = field(default_factory=lambda: Lookups(EnvironmentSource({})))

    def aws_time(self) -> datetime:
        """The time in UTC as AWS has it, to compare with the times in its answers; the agent's may be minutes off."""
        now: datetime = self.session.now() if self.session else self.clock.wall()
        return now


def note(recorder: Recorder, line: str) -> None:
    """Say something that the reports are to keep too."""
    recorder.record.notes.append(line)
    recorder.progress(line)
