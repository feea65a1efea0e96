"""Options as one JSON object in the environment: how the Jenkins steps hand them over, free of any shell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ecs_pipeline.documents import json_document
from ecs_pipeline.documents.json_document import NotJson, WrittenFloat
from ecs_pipeline.documents.suggestions import closest
from ecs_pipeline.errors import InvalidInput

ARGUMENTS = "ECS_PIPELINE_ARGS"
CURE = 'write an object of options: {"environment": "prd"}'


def options_of(command: click.Command, environment: Mapping[str, str]) -> dict[str, Any]:
    """The options that ECS_PIPELINE_ARGS holds for a command, by the names of its parameters.

    They are written as on the command line, `dry-run`, or with an underscore; the words of a command to run are a list.
    Raises InvalidInput.
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
    parameters = {option.lstrip("-"): parameter for parameter in command.params for option in parameter.opts}
    found: dict[str, Any] = {}
    for key, value in given.items():
        name = key.replace("_", "-")
        if name not in parameters:
            raise InvalidInput(f"{ARGUMENTS}: no option {key} of {command.name}{closest(name, list(parameters))}")
        parameter = parameters[name]
        if _takes_words(parameter):
            found[str(parameter.name)] = _words(key, value)
        elif isinstance(value, dict | list):
            raise InvalidInput(f"{ARGUMENTS}: {key}: one value is expected, not a list or an object")
        elif value not in (None, ""):
            found[str(parameter.name)] = value.text if isinstance(value, WrittenFloat) else value
    return found


def words_callback(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a command line, else those of ECS_PIPELINE_ARGS: click asks no default for any number of words.

    Raises click.MissingParameter when there are none.
    """
    found = value or tuple(context.lookup_default(str(parameter.name)) or ())
    if not found:
        raise click.MissingParameter(ctx=context, param=parameter)
    return found


def _takes_words(parameter: click.Parameter) -> bool:
    """Whether a parameter takes the words of another program's command."""
    return isinstance(parameter, click.Argument) and parameter.nargs == -1 and parameter.type is click.UNPROCESSED


def _words(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise InvalidInput(f"{ARGUMENTS}: {key}: a list of texts is expected", cure='write the words: ["./migrate"]')
    return value
