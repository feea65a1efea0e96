"""Whether a service can be deployed here: asked by every stage before it writes, with what the answer needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model import service_kinds, shares
from ecs_pipeline.model.load_balancing import TargetGroup
from ecs_pipeline.model.release import Service
from ecs_pipeline.model.service_kinds import Obstacle, Use
from ecs_pipeline.steps.rollout_deadline import groups_of


def tell_shares(run: Run, service: Service) -> None:
    """Say what makes the canary's share of the traffic another one than its share of the targets."""
    for group in groups_of(run, service):
        for note in shares.notes(group):
            run.recorder.progress(note)
            run.recorder.record.notes.append(note)


def refuse_unfit(run: Run, service: Service, use: Use) -> None:
    """Raises Refused. Only for a canary of a service without a load balancer AWS is asked for its service revision."""
    service_kinds.refuse(service, use, *_asked(run, service, use))


def obstacles_of(run: Run, service: Service, use: Use) -> Iterator[Obstacle]:
    """All that `refuse_unfit` would refuse one after the other."""
    return service_kinds.obstacles(service, use, *_asked(run, service, use))


def _asked(run: Run, service: Service, use: Use) -> tuple[Sequence[TargetGroup], Mapping[str, Any]]:
    """Target groups and service revision, as far as the answer needs them."""
    if use is Use.UPDATE:
        return (), {}
    balanced = service.load_balancing or service.raw.get("loadBalancers")
    return groups_of(run, service), {} if balanced else run.ecs.service_revision(service)
