"""Options as one JSON object in the environment: how the Jenkins steps hand them over, free of any shell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ecs_pipeline import json_document
from ecs_pipeline.documents import closest
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.json_document import NotJson, WrittenFloat

ARGUMENTS = "ECS_PIPELINE_ARGS"
CURE = 'write an object of options: {"environment": "prd"}'


def options_of(command: click.Command, environment: Mapping[str, str]) -> dict[str, Any]:
    """The options that ECS_PIPELINE_ARGS holds for a command, by the names of its parameters.

    They are written as on the command line, `dry-run`, or with an underscore. Raises InvalidInput.
    """
    text = environment.get(ARGUMENTS, "")
    if not text:
        return {}
    try:
        given = json_document.parse(text)
    except NotJson as error:
        place = f"character {error.position + 1}"
        raise InvalidInput(f"{ARGUMENTS} is not JSON: {place}: {error.problem}", cure=CURE) from None
    if not isinstance(given, dict):
        raise InvalidInput(f"{ARGUMENTS} is not a JSON object", cure=CURE)
    names = {option.lstrip("-"): str(one.name) for one in command.params for option in one.opts}
    found = {}
    for key, value in given.items():
        name = key.replace("_", "-")
        if name not in names:
            raise InvalidInput(f"{ARGUMENTS}: no option {key} of {command.name}{closest(name, list(names))}")
        if isinstance(value, dict | list):
            raise InvalidInput(f"{ARGUMENTS}: {key}: one value is expected, not a list or an object")
        if value not in (None, ""):
            found[names[name]] = value.text if isinstance(value, WrittenFloat) else value
    return found
