"""Whether a service can be deployed here: asked by every stage before it writes, with what the answer needs."""

from __future__ import annotations

from ecs_pipeline import service_kinds, shares
from ecs_pipeline.model import Service
from ecs_pipeline.run import Run
from ecs_pipeline.service_kinds import Use
from ecs_pipeline.steps.rollout_deadline import groups_of


def tell_shares(run: Run, service: Service) -> None:
    """Say what makes the canary's share of the traffic another one than its share of the targets."""
    for group in groups_of(run, service):
        for note in shares.notes(group):
            run.recorder.progress(note)
            run.recorder.record.notes.append(note)


def refuse_unfit(run: Run, service: Service, use: Use) -> None:
    """Raises Refused. Only for a canary of a service without a load balancer AWS is asked for its service revision."""
    if use is Use.UPDATE:
        service_kinds.refuse(service, use)
        return
    balanced = service.load_balancing or service.raw.get("loadBalancers")
    revision = {} if balanced else run.ecs.service_revision(service)
    service_kinds.refuse(service, use, groups_of(run, service), revision)
