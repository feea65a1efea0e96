"""What a promotion would do, step by step, from what its preflight saw; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.engine.converge import planned
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.breaker import rolled_back
from ecs_pipeline.model.release import Revision, Service, Task
from ecs_pipeline.steps import scaling_hold
from ecs_pipeline.steps.removal import departure
from ecs_pipeline.steps.traffic import targets_seen


def tell(run: Run, service: Service, revision: str, tasks: Sequence[Task]) -> None:
    """Plan the service's update to the revision, and the end of the canary's `tasks`."""
    seen, name = targets_seen(run, tasks, service), Revision(revision).name
    targets = [target for target in seen.targets if (health := seen.any(target)) and health.registered]
    told = service.revision == revision or rolled_back(service, revision)
    update = f"update {service.label} from {Revision(service.revision).name} to {name}"
    steps = {
        "service-update": [*scaling_hold.planned(run, service), *([] if told else [update])],
        "stable": [f"wait until {service.label} runs {name} and nothing else"],
        "drain": [departure(target) for target in targets],
        "cleanup": [f"stop task {task.id}" for task in tasks],
    }
    for step_name, changes in steps.items():
        with run.recorder.step(step_name) as step:
            step.message = planned(run, changes, writes=step_name != "stable")
