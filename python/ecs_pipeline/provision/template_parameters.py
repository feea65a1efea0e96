"""What a template's parameters take, checked before AWS is asked: a dry run finds the same mistakes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ecs_pipeline.errors import InvalidInput

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
PLACES = {"ClusterName": "cluster", "ServiceName": "service", "RepositoryName": "image.repository"}
"""Where the config has the value of a parameter; that of any other is in provision.parameters."""


def refuse_name(stack: str) -> None:
    """What cannot be a stack's name. Raises InvalidInput."""
    if not STACK_NAME.fullmatch(stack):
        raise InvalidInput(
            f"{stack!r} cannot be the name of a stack: letters, digits and hyphens, the first a letter",
            cure="name it: `provision: {stack: NAME}` in the config",
        )


def refuse(definitions: Mapping[str, Any], given: Mapping[str, str], kept: Collection[str]) -> None:
    """A value that its parameter does not take, or none where one is needed; `kept` have one. Raises InvalidInput.

    Values are not shown: they may be secret.
    """
    for key, definition in definitions.items():
        if key in given:
            why = _wrong(definition or {}, given[key])
        else:
            why = "" if key in kept or "Default" in (definition or {}) else "it has no default"
        if why:
            place = PLACES.get(key, f"provision.parameters.{key}")
            raise InvalidInput(f"{place}: {why}", cure=f"{key} of the template takes it from there")


def _wrong(definition: Mapping[str, Any], value: str) -> str:
    """What a value is not, in the words of the template when it has some."""
    told = str(definition.get("ConstraintDescription", ""))
    allowed = [str(choice) for choice in definition.get("AllowedValues") or ()]
    if allowed and value not in allowed:
        return told or f"one of {', '.join(allowed)} is expected"
    if definition.get("Type") == "Number":
        return _outside(definition, value)
    low, high = int(definition.get("MinLength", 0)), int(definition.get("MaxLength", 4096))
    if not low <= len(value) <= high:
        return f"{low} to {high} characters are expected"
    pattern = str(definition.get("AllowedPattern", ""))
    try:
        fits = not pattern or re.fullmatch(pattern, value)
    except re.error:
        return ""  # CloudFormation's expressions are Java's: it will judge
    return "" if fits else told or f"text that matches {pattern} is expected"


def _outside(definition: Mapping[str, Any], value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "a number is expected"
    low, high = definition.get("MinValue"), definition.get("MaxValue")
    if low is not None and number < float(low):
        return f"a number of {low} or more is expected"
    return f"a number of {high} or less is expected" if high is not None and number > float(high) else ""
