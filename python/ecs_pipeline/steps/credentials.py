"""Whether the job's credentials outlast what begins: a canary that nobody watches any more stays in the traffic."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import Refused
from ecs_pipeline.model import rollout_time
from ecs_pipeline.model.release import Service
from ecs_pipeline.steps.rollout_deadline import groups_of
from ecs_pipeline.timing.wait import duration

SHORTEST_SESSION = 900.0
"""Seconds that the credentials of AWS STS last at least (AWS STS API reference, AssumeRole, DurationSeconds)."""
LONGER = "give credentials that last longer, or that renew themselves: the agent's role, web identity, a profile"


def refuse_short_bake(run: Run, service: Service, revision: str) -> None:
    """Raises Refused when the credentials end before the bakes do; what may take longer is told."""
    canary = run.settings.canary
    bakes = canary.initial_delay + sum(size.bake or 0.0 for size in canary.sizes)
    most = bakes + canary.healthy_within * len(canary.sizes) + _drain(run, service, revision)
    _refuse_short(run, "the bake", least=bakes, most=most)


def refuse_short_drain(run: Run, service: Service, revision: str) -> None:
    """Raises Refused when the credentials end before the canary can have drained; what may take longer is told."""
    drain = _drain(run, service, revision)
    rollout = run.settings.promote.stable_within or rollout_time.SHORTEST
    _refuse_short(run, "the drain", least=drain, most=rollout + drain)


def _drain(run: Run, service: Service, revision: str) -> float:
    return rollout_time.until_gone(groups_of(run, service), run.definitions.get(revision).definition)


def _refuse_short(run: Run, what: str, *, least: float, most: float) -> None:
    found = run.session.lasting() if run.session else None
    if found is None or (found.ends is None and not (found.temporary and least > SHORTEST_SESSION)):
        return
    if found.ends is None:
        lifetime = "the AWS credentials are temporary and do not tell when they end"
        note(run.recorder, f"{lifetime}; {what} alone takes {duration(least)}: {LONGER}")
        return
    left = max(0.0, (found.ends - run.aws_time()).total_seconds())
    lifetime = f"the AWS credentials end at {found.ends:%H:%M} UTC, in {duration(left)}"
    if left < least:
        raise Refused(f"{lifetime}; {what} alone takes {duration(least)}", cure=LONGER)
    if left < most:
        note(run.recorder, f"{lifetime}; this may take {duration(most)}: {LONGER}")
