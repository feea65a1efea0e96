"""What a promotion would do, step by step, from what its preflight saw; nothing is written."""

from __future__ import annotations

from ecs_pipeline.engine.converge import planned
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision
from ecs_pipeline.plans.promote import Plan
from ecs_pipeline.steps import scaling_hold
from ecs_pipeline.steps.removal import departure
from ecs_pipeline.steps.traffic import targets_seen


def tell(run: Run, plan: Plan) -> None:
    """Note the service's update to the revision, and the end of the canary's tasks."""
    service, tasks, name = plan.seen.service, plan.ours, Revision(plan.revision).name
    seen = targets_seen(run, tasks, service)
    targets = [target for target in seen.targets if (health := seen.any(target)) and health.registered]
    update = f"update {service.label} from {Revision(service.revision).name} to {name}"
    steps = {
        "service-update": [*scaling_hold.planned(run, service), *([] if plan.told else [update])],
        "stable": [f"wait until {service.label} runs {name} and nothing else"],
        "drain": [departure(target) for target in targets],
        "cleanup": [f"stop task {task.id}" for task in tasks],
    }
    for step_name, changes in steps.items():
        with run.recorder.step(step_name) as step:
            step.message = planned(run, changes, writes=step_name != "stable")
