"""How many tasks a canary has, size by size."""

from __future__ import annotations

from itertools import accumulate

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Service, canaries_for


def task_counts(run: Run, service: Service) -> list[int]:
    """The tasks of each size; a percentage of few tasks may be less than the size before it has."""
    sizes, desired = run.settings.canary.sizes, service.desired
    return list(accumulate((size.tasks or canaries_for(size.percent or 1.0, desired) for size in sizes), max))
