"""When a rollout has to be over, and what that follows from."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model import rollout_time
from ecs_pipeline.model.load_balancing import TargetGroup
from ecs_pipeline.model.release import Service
from ecs_pipeline.timing.wait import Deadline, duration


def groups_of(run: Run, service: Service) -> list[TargetGroup]:
    """The target groups of a service that exist."""
    found = [run.elb.target_group(entry.target_group) for entry in service.load_balancing]
    return [group for group in found if group]


def deadline(run: Run, service: Service, revision: str) -> Deadline:
    """When a rollout has to be over: as the config says, else from what the service needs; the console says it."""
    promote, canary = run.settings.promote, run.settings.canary
    definition = run.definitions.get(revision).definition
    within = promote.stable_within
    if within is None:
        within = rollout_time.allowed(
            service,
            groups_of(run, service),
            definition,
            starts_within=canary.healthy_within,
            stall=promote.stalled_after,
        )
    run.recorder.progress(
        f"{service.desired} tasks, {min(rollout_time.batch(service), service.desired)} at a time: "
        f"{duration(within)} at most, {duration(promote.stalled_after)} without a change"
    )
    return Deadline.after(run.clock, within)
