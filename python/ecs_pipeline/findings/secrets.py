"""What `validate` looks at of the secrets that the tasks get: see findings.py."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Service
from ecs_pipeline.steps.revision import base_of
from ecs_pipeline.task_definitions import definition


def secrets(run: Run, service: Service) -> str:
    """Each secret that the task definition names is there; one that may not be asked for cannot be known."""
    base = base_of(run, run.definitions.get(service.revision), service, run.settings.container)
    where = base.file or service.revision.rpartition("/")[2]
    named: dict[str, str] = {}
    for place, value in definition.secrets_named_in(base.definition):
        named.setdefault(value, place)
    problems = {value: run.secrets.problem(value) for value in named}
    unknown = [value for value, problem in problems.items() if problem is None]
    if unknown:
        note(run.recorder, f"whether these secrets are there cannot be known (no permission): {', '.join(unknown)}")
    wrong = [f"{where}: {named[value]}: {value}: {problem}" for value, problem in problems.items() if problem]
    if wrong:
        raise InvalidInput(wrong[0], cure="create it, or name another one: no task would start", evidence=wrong[1:])
    return f"{len(named) - len(unknown)} of {len(named)} are there" if named else "the tasks get none"
