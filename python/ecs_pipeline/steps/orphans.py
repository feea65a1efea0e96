"""(5) Registered targets whose task is gone: out of the target groups, once it is proven that no other task has them.

Addresses are used again at once, and ECS shows things late: a new task of the service may be in a target group before
ListTasks names it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.model.release import Revision, Service, Task, living
from ecs_pipeline.protocol.observe import SERVICE_LAG, TASKS_LAG
from ecs_pipeline.steps import removal
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline


def remove(run: Run, registrations: Collection[Registration], write: removal.Write) -> list[Target]:
    """DeregisterTargets for those of the registrations that nobody has; which they were."""
    unowned = without_owner(registrations)
    proven = _proven(run, unowned) if unowned else []
    removal.deregister(run, proven, write)
    return proven


def without_owner(registrations: Collection[Registration]) -> list[Target]:
    """Targets that take traffic and that no listed task has."""
    return [
        registration.target for registration in registrations if not registration.owner and not registration.draining
    ]


def departures(registrations: Collection[Registration]) -> list[str]:
    """What a plan says of those: whether a task has them is made sure when they are to go."""
    return [f"{removal.departure(target)}, unless a task has it by then" for target in without_owner(registrations)]


def _proven(run: Run, targets: Sequence[Target]) -> list[Target]:
    """Those that no task has, when the service is at rest and all its tasks are listed, or after TASKS_LAG.

    The service's family is looked at again and again, the whole cluster once, at the end.
    """
    steady_since: float | None = None
    left = list(targets)

    def look() -> tuple[list[Target], str]:
        nonlocal steady_since
        service = run.ecs.service()
        running = living(run.ecs.tasks_of_family(Revision(service.revision).family))
        left[:] = _without_holder(run, left, service, running)
        now = run.clock.now()
        steady_since = (steady_since or now) if _all_listed(service, running) else None
        if not left or (steady_since is not None and now - steady_since >= SERVICE_LAG):
            return left, ""
        return left, f"no task is listed that has {', '.join(sorted({str(target) for target in left}))}: looking again"

    wait.last_seen(look, run.clock, Deadline.after(run.clock, TASKS_LAG), run.recorder.progress)
    return _without_holder(run, left, run.ecs.service(), living(run.ecs.running_tasks())) if left else []


def _without_holder(run: Run, targets: Sequence[Target], service: Service, tasks: Sequence[Task]) -> list[Target]:
    held = {target.address for target in run.observer.holders(targets, service, tasks)}
    return [target for target in targets if target.address not in held]


def _all_listed(service: Service, running: Sequence[Task]) -> bool:
    """The service neither starts nor misses a task, and ListTasks names as many as it has."""
    of_service = [task for task in running if task.group == f"service:{service.name}"]
    at_rest = len(service.deployments) == 1 and service.pending == 0 and service.running == service.desired
    return at_rest and len(of_service) >= service.running
