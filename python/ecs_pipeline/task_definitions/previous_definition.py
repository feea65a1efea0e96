"""The revision that a rollback returns to, kept whole in the reports but for values that may be secret. Pure.

AWS need not describe a deregistered revision (DescribeTaskDefinition: "You can only describe INACTIVE task definitions
while an active task or service references them"): then `rollback --to FILE` needs this.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ecs_pipeline.model.release import TaskDefinition

HIDDEN = "<hidden: write the value here>"
"""In place of the values of environment variables and of options that may be secret; references to secrets stay."""
HARMLESS_OPTIONS = "awslogs-"
NEEDED = frozenset(("taskDefinitionArn",))
"""What only a description has and is needed: which revision it is."""


def document(whole: TaskDefinition, read_only: Collection[str]) -> dict[str, Any]:
    """The revision as `--to FILE` takes it."""
    plain = copy.deepcopy(
        {key: value for key, value in whole.definition.items() if key in NEEDED or key not in read_only}
    )
    for container in plain.get("containerDefinitions", []):
        for variable in container.get("environment") or []:
            variable["value"] = HIDDEN
        for options in _options(container):
            options.update({key: HIDDEN for key in options if not key.startswith(HARMLESS_OPTIONS)})
    tags = [{"key": key, "value": value} for key, value in sorted(whole.tags.items()) if not key.startswith("aws:")]
    return {"taskDefinition": plain, "tags": tags}


def hidden_in(definition: Mapping[str, Any]) -> list[str]:
    """Where values are still to be written in: CONTAINER: NAME."""
    return sorted(
        f"{container.get('name')}: {name}" for container in _containers(definition) for name in _hidden(container)
    )


def _hidden(container: Mapping[str, Any]) -> Iterator[str]:
    for variable in container.get("environment") or []:
        if variable.get("value") == HIDDEN:
            yield str(variable.get("name"))
    for options in _options(container):
        yield from (str(key) for key, value in options.items() if value == HIDDEN)


def _options(container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for member in ("logConfiguration", "firelensConfiguration"):
        options = (container.get(member) or {}).get("options")
        if isinstance(options, dict):
            yield options


def _containers(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [container for container in definition.get("containerDefinitions") or [] if isinstance(container, Mapping)]
