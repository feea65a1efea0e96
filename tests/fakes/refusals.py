"""What Amazon ECS refuses, as the adapters tell it.

API reference: data type Tag, RunTask, RegisterTaskDefinition; Developer Guide, "Tag restrictions".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ecs_pipeline.errors import InvalidInput, TooManyTags, Trouble

MOST_TAGS = 50
TEXT = re.compile(r"[\w\s+\-=.:/@]*")
FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{0,128}")
TOKEN = re.compile(r"[!-~]{1,64}")
NO_DEFINITION = "ClientException: TaskDefinition not found."
INACTIVE = "ClientException: TaskDefinition is inactive"
NO_RESOURCE = "ResourceNotFoundException: The specified resource wasn't found."


def check_definition(definition: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    """Raise InvalidInput for what RegisterTaskDefinition does not take."""
    if not FAMILY.fullmatch(str(definition["family"])):
        raise InvalidInput(f"ECS does not take the task definition {definition['family']}: the family's characters")
    if problem := _problem(tags):
        raise InvalidInput(f"ECS does not take the task definition {definition['family']}: {problem}")


def check_request(parameters: Mapping[str, Any]) -> None:
    """Raise Trouble for parameters that RunTask does not take."""
    forms = {"clientToken": TOKEN, "startedBy": STARTED_BY}
    for name, form in forms.items():
        if not form.fullmatch(parameters[name]):
            raise Trouble(f"ecs:RunTask: InvalidParameterException: {name} is {parameters[name]!r}")
    if problem := _problem({tag["key"]: tag["value"] for tag in parameters["tags"]}):
        raise Trouble(f"ecs:RunTask: InvalidParameterException: {problem}")


def add_tags(held: dict[str, str], tags: Mapping[str, str]) -> None:
    """TagResource: all of them or none. Raises Trouble, TooManyTags."""
    if problem := _problem(tags):
        raise Trouble(f"ecs:TagResource: InvalidParameterException: {problem}")
    if len({*held, *tags}) > MOST_TAGS:
        raise TooManyTags("it has the 50 tags that ECS allows")
    held.update(tags)


def _problem(tags: Mapping[str, str]) -> str:
    if len(tags) > MOST_TAGS:
        return f"The maximum number of tags is {MOST_TAGS}."
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            return f"the length of {key!r}: {value!r}"
        if key.lower().startswith("aws:") or not TEXT.fullmatch(key) or not TEXT.fullmatch(value):
            return f"the characters of {key!r}: {value!r}"
    return ""
