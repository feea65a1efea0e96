"""What no canary may begin with: a cancelled service, a lost target group, too many tasks or tags."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.model.load_balancing import group_name
from ecs_pipeline.model.release import Revision, Service, canaries_for
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot

OUR_TAGS = 9
"""Tags of ours that a service has at once: those of a release, and two records of targets. Those of one-off commands
are counted as they are.
"""

MOST_TASKS = 100
"""Canary tasks of one service."""


def refuse_when_cancelled(seen: Snapshot) -> None:
    """The service runs what a rollback took away, or what somebody else deregistered without a way back recorded."""
    if not decide.cancelled(seen, seen.service.revision):
        return
    name, back = Revision(seen.service.revision).name, decide.rollback_target(seen, "")
    raise Refused(
        f"{seen.service.label} runs {name}, which was {'cancelled' if back else 'deregistered'}",
        cure="`rollback` brings it back first" if back else f"`rollback --to {name}` registers it anew first",
    )


def refuse_lost_groups(run: Run, service: Service, canary: str = "") -> None:
    """A target group of the service that was deleted: nothing could be registered in it.

    `canary`: the release whose canary lives, which a rollback takes away.
    """
    gone = [entry.target_group for entry in service.load_balancing if run.elb.target_group(entry.target_group) is None]
    if gone:
        raise Refused(
            f"target group {group_name(gone[0])} of {service.label} was deleted",
            cure="give the service its load balancer back" + (f", or `rollback --release {canary}`" if canary else ""),
        )


def refuse_crowds(run: Run, service: Service) -> None:
    """A percentage near 100 may ask for thousands of tasks."""
    for size in run.settings.canary.sizes:
        count = canaries_for(size.percent, service.desired) if size.percent else 0
        if count > MOST_TASKS:
            raise InvalidInput(
                f"canary.percent: {size.percent:g} % beside {service.desired} tasks of {service.label} "
                f"would be {count} canary tasks; {MOST_TASKS} are the most",
                cure="lower it",
            )


def refuse_without_room(service: Service, more: int = 0) -> None:
    """A service with so many tags of its own that ours, and so many more that the config needs, would not fit."""
    tags = service.raw.get("tags") or {}
    own = [*release_tags.theirs(tags), *(key for key in tags if key.startswith(release_tags.RAN))]
    needed = OUR_TAGS + more
    if len(own) + needed > release_tags.MOST_TAGS:
        raise Refused(
            f"service {service.label} has {len(own)} tags; ECS allows {release_tags.MOST_TAGS}, "
            f"and {needed} are needed",
            cure="remove some",
        )
