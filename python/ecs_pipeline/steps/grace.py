"""Whether the service would have given the canary as much time to become healthy as it took.

The grace period is not for a canary, which is no task of the service. An app that starts slower than that passes as a
canary, and is then stopped again and again by the rollout.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Service, Task
from ecs_pipeline.steps.rollout_deadline import groups_of
from ecs_pipeline.timing.wait import duration


def warn_of_a_slow_start(run: Run, service: Service, tasks: Sequence[Task], started_here: Collection[str]) -> None:
    """Warn when a task that has just become healthy took longer than ECS waits for a task of the service.

    ECS stops a task that its target group finds unhealthy once `healthCheckGracePeriodSeconds` are over; a target is
    unhealthy after so many failed checks (CreateService; Application Load Balancers guide, "Health checks"). Tasks that
    another process started are passed over: when they became healthy is not known.
    """
    allowed = _allowed(run, service)
    began = [task.started or task.created for task in tasks if task.arn in started_here]
    if allowed is None or not began:
        return
    took = (run.clock.wall() - min(began)).total_seconds()
    if took > allowed:
        run.recorder.progress(
            f"warning: the canary was healthy after {duration(took)}, but ECS stops a task of the service that is not "
            f"healthy after {duration(allowed)}: raise the service's health check grace period, or promote will fail"
        )


def _allowed(run: Run, service: Service) -> float | None:
    """Seconds that a new task of the service has; None without a load balancer."""
    groups = groups_of(run, service)
    found = [group.interval * group.unhealthy_threshold for group in groups if group.interval]
    grace = float(service.raw.get("healthCheckGracePeriodSeconds") or 0)
    return max(grace, *found) if found else None
