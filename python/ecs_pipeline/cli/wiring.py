"""Puts the real parts together: config, AWS, Docker, clock and record."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecs_pipeline.cli.options import Common
from ecs_pipeline.config.load import SESSION, Config
from ecs_pipeline.config.lookups import Lookups
from ecs_pipeline.config.types import parse_duration
from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.recorder import Listener, Recorder
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.model.release import Repository
from ecs_pipeline.timing.clock import SystemClock

if TYPE_CHECKING:
    from ecs_pipeline.aws.session import AwsClient, AwsSession
    from ecs_pipeline.plans.needed import Tools
    from ecs_pipeline.provision import plan as provision


def new_record(common: Common, stage: str, steps: tuple[str, ...], clock: SystemClock) -> StageRecord:
    """An empty record; cluster and service are filled in once the config is read."""
    return StageRecord(
        stage=stage,
        cluster=common.cluster or "-",
        service=common.service or "-",
        region=common.region,
        started=clock.wall(),
        steps=[StepRecord(name) for name in steps],
        dry_run=common.dry_run,
    )


def listeners(common: Common, stage: str) -> list[Listener]:
    """The console, and the reports; a dry run leaves no files."""
    from ecs_pipeline.reports import brief_console, reports

    return [brief_console()] if common.dry_run else reports(common.reports, stage)


class Sessions:
    """The AWS session of a process: of the config's look-ups first, then of all else."""

    def __init__(self, clock: SystemClock, environment: Mapping[str, str]) -> None:
        self._clock = clock
        self.environment = environment
        self._made: dict[tuple[str, ...], AwsSession] = {}

    def lookups(self, names: Mapping[str, Any]) -> Lookups:
        """What fills a config in; AWS is asked with the first look-up that is not of the environment."""
        from ecs_pipeline.aws.lookups import AwsSource

        return Lookups(AwsSource(self.environment, lambda: self.of(names)))

    def of(self, names: Mapping[str, Any]) -> AwsSession:
        """The session with the region and the role of a config, by the keys of `SESSION`; made once."""
        from ecs_pipeline.aws.session import AwsSession

        region, role, external_id, duration = (str(names.get(key) or "") for key in SESSION)
        known = (region, role, external_id, duration)
        if known not in self._made:
            self._made[known] = AwsSession(
                self._clock,
                region,
                role,
                self.environment.get("BUILD_TAG", ""),
                external_id=external_id,
                role_duration=_seconds(duration),
            )
        return self._made[known]


def _seconds(duration: str) -> float | None:
    """A duration in seconds; None for none, and for what is no duration: that is told when the config is checked."""
    try:
        return parse_duration(duration)
    except ValueError:
        return None


def new_run(
    config: Config,
    common: Common,
    clock: SystemClock,
    recorder: Recorder,
    sessions: Sessions,
) -> Run:
    """The adapters of one process; the first AWS call is made by the stage."""
    from ecs_pipeline.aws.application_autoscaling import ApplicationAutoScaling
    from ecs_pipeline.aws.cloudwatch import CloudWatch
    from ecs_pipeline.aws.ecr import Ecr
    from ecs_pipeline.aws.ecs import Ecs
    from ecs_pipeline.aws.elb import Elb
    from ecs_pipeline.aws.image_scans import ImageScans
    from ecs_pipeline.aws.logs import Logs
    from ecs_pipeline.aws.permissions import Permissions
    from ecs_pipeline.aws.service_quotas import ServiceQuotas
    from ecs_pipeline.aws.task_definitions import TaskDefinitions
    from ecs_pipeline.aws.task_secrets import TaskSecrets
    from ecs_pipeline.aws.writes import notice_writes
    from ecs_pipeline.engine.origin import origin
    from ecs_pipeline.images.docker_engine import DockerEngine
    from ecs_pipeline.protocol.observe import Observer
    from ecs_pipeline.task_definitions import definition_file

    settings = config.settings
    session = sessions.of(settings.model_dump(include={*SESSION}))
    recorder.counts(lambda: session.calls)
    recorder.record.region = session.region
    ecs = Ecs(session.client("ecs"), settings.cluster, settings.service)
    definitions = TaskDefinitions(session.client("ecs"))
    elb = Elb(session.client("elbv2"))
    for client in (session.client("ecs"), session.client("elbv2")):
        notice_writes(client, recorder.wrote)

    def scaling() -> AwsClient:
        client = session.client("application-autoscaling")
        notice_writes(client, recorder.wrote)
        return client

    observer = Observer(ecs, definitions, elb, settings.service, now=clock.now, tell=partial(note, recorder))
    if settings.task_definition:
        observer.follow(definition_file.family(config.folder / settings.task_definition, config.lookups))
    return Run(
        settings=settings,
        folder=config.folder,
        ecs=ecs,
        definitions=definitions,
        elb=elb,
        repositories=Ecr(session, clock),
        scans=ImageScans(session),
        scaling=ApplicationAutoScaling(cache(scaling)),
        engine=DockerEngine(clock),
        logs=Logs(session),
        cloudwatch=CloudWatch(session),
        permissions=Permissions(session),
        quotas=ServiceQuotas(session),
        secrets=TaskSecrets(session),
        clock=clock,
        recorder=recorder,
        observer=observer,
        session=session,
        origin=origin(config.folder, Path(common.reports), sessions.environment),
        dry_run=common.dry_run,
        lookups=config.lookups,
    )


def new_provision(run: Run) -> provision.Tools:
    """What `provision` works with, with its own adapters."""
    from ecs_pipeline.aws.cloudformation import CloudFormation
    from ecs_pipeline.aws.ec2 import Ec2
    from ecs_pipeline.aws.partitions import partition_of
    from ecs_pipeline.aws.writes import notice_writes
    from ecs_pipeline.provision.plan import Tools

    name = run.settings.provision.stack or run.settings.cluster
    client = run.session.client("cloudformation")
    notice_writes(client, run.recorder.wrote)
    return Tools(
        run=run,
        cloudformation=CloudFormation(client, name, run.settings.provision.capabilities),
        network=Ec2(run.session.client("ec2")),
        partition_of=partition_of,
    )


def new_prune(run: Run) -> Tools:
    """What `prune` works with, with its own adapters."""
    from ecs_pipeline.aws.account import Account
    from ecs_pipeline.aws.event_rules import EventRules
    from ecs_pipeline.aws.schedules import Schedules
    from ecs_pipeline.aws.stored_images import StoredImages
    from ecs_pipeline.aws.writes import notice_writes
    from ecs_pipeline.plans.needed import Tools

    def images_of(repository: Repository) -> StoredImages:
        client = run.session.client("ecr", repository.registry.region)
        notice_writes(client, run.recorder.wrote)
        return StoredImages(client, repository)

    return Tools(
        run=run,
        account=Account(run.session.client("ecs")),
        rules=EventRules(run.session.client("events")),
        schedules=Schedules(run.session.client("scheduler")),
        images_of=images_of,
    )
