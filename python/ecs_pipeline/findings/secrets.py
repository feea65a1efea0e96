"""What `validate` looks at of the secrets that the tasks get: see findings.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Service
from ecs_pipeline.steps.revision import base_of


def secrets(run: Run, service: Service) -> str:
    """Each secret that the task definition names is there; one that may not be asked for cannot be known."""
    base = base_of(run, run.definitions.get(service.revision), service, run.settings.container)
    where = base.file or service.revision.rpartition("/")[2]
    named: dict[str, str] = {}
    for place, value in named_in(base.definition):
        named.setdefault(value, place)
    problems = {value: run.secrets.problem(value) for value in named}
    unknown = [value for value, problem in problems.items() if problem is None]
    if unknown:
        note(run.recorder, f"whether these secrets are there cannot be known (no permission): {', '.join(unknown)}")
    wrong = [f"{where}: {named[value]}: {value}: {problem}" for value, problem in problems.items() if problem]
    if wrong:
        raise InvalidInput(wrong[0], cure="create it, or name another one: no task would start", evidence=wrong[1:])
    return f"{len(named) - len(unknown)} of {len(named)} are there" if named else "the tasks get none"


def named_in(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The place of each secret of a task definition, and what names it: an ARN, or a parameter's name."""
    for container in definition["containerDefinitions"]:
        name = container.get("name", "")
        logging = (container.get("logConfiguration") or {}).get("secretOptions") or ()
        for secret in (*(container.get("secrets") or ()), *logging):
            yield f"secret {secret.get('name', '')} of container {name}", str(secret.get("valueFrom", ""))
        login = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
        if login:
            yield f"repositoryCredentials of container {name}", str(login)
