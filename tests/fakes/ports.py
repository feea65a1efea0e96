"""A Run whose ports are those of a World."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ecs_pipeline.config.lookups import EnvironmentSource, Lookups
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.engine.run import Origin, Run, note
from ecs_pipeline.protocol.observe import Observer
from ecs_pipeline.task_definitions import definition_file
from tests.fakes.account_limits import FakePermissions, FakeQuotas, FakeSecrets
from tests.fakes.clock import FakeClock
from tests.fakes.ecs import FakeDefinitions, FakeEcs
from tests.fakes.images import FakeEngine, FakeRepositories, FakeScans
from tests.fakes.load_balancing import FakeElb
from tests.fakes.names import CLUSTER, SERVICE
from tests.fakes.scaling import FakeScaling
from tests.fakes.telemetry import FakeCloudWatch, FakeLogs
from tests.fakes.world import World


def new_run(world: World, stage: str, steps: Sequence[str], settings: Mapping[str, Any] | None = None) -> Run:
    """A run of a stage on a world."""
    defaults: dict[str, Any] = {"cluster": CLUSTER, "service": SERVICE, "image": {"repository": SERVICE}}
    quick = {"canary": {"bake": "5s", "healthy_within": "30s"}}
    chosen = Settings.model_validate({**defaults, **quick, **(settings or {})})
    clock = FakeClock(world)
    record = StageRecord(stage, CLUSTER, SERVICE, "", clock.wall(), [StepRecord(name) for name in steps])
    ecs, definitions, elb = FakeEcs(world), FakeDefinitions(world), FakeElb(world)
    recorder = Recorder(record, clock, ())
    observer = Observer(ecs, definitions, elb, SERVICE, now=clock.now, tell=partial(note, recorder))
    if chosen.task_definition:
        observer.follow(definition_file.family(Path(chosen.task_definition), Lookups(EnvironmentSource({}))))
    return Run(
        settings=chosen,
        folder=Path(),
        ecs=ecs,
        definitions=definitions,
        elb=elb,
        repositories=FakeRepositories(world),
        scans=FakeScans(world),
        scaling=FakeScaling(world),
        engine=FakeEngine(world),
        logs=FakeLogs(),
        cloudwatch=FakeCloudWatch(),
        permissions=FakePermissions(world),
        quotas=FakeQuotas(),
        secrets=FakeSecrets(),
        clock=clock,
        recorder=recorder,
        observer=observer,
        origin=Origin(),
    )
