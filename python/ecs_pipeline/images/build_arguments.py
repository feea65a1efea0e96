"""Build arguments: their values, and a filter that keeps those from the environment, and secrets, out of a log."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping

from ecs_pipeline.images.build import Secret

SHORTEST_ANYWHERE = 6
"""Characters; a shorter value is hidden only where it stands alone, for it would be found within any word."""


def values_of(arguments: Mapping[str, str | None]) -> dict[str, str]:
    """Values of the arguments; null takes the environment's, and without one the Dockerfile's default."""
    found = {key: os.environ.get(key) if value is None else value for key, value in arguments.items()}
    return {key: value for key, value in found.items() if value is not None}


def hiding(arguments: Mapping[str, str | None], secrets: Iterable[Secret] = ()) -> Callable[[str], str]:
    """Takes secrets, and the values that come from the environment, out of a line: a Dockerfile may print them.

    A value of several lines (a PEM file) comes line by line, so each of its lines is hidden; of a secret's only those
    that say something: a brace alone stands in every log.
    """
    values = [os.environ.get(key, "") for key, value in arguments.items() if value is None]
    for secret in secrets:
        whole = secret.value().strip()
        lines = [line.strip() for line in whole.splitlines()]
        values += [whole] if len(lines) == 1 else [line for line in lines if len(line) >= SHORTEST_ANYWHERE]
    hidden = _expression(values)
    return lambda line: hidden.sub("***", line) if hidden else line


def _expression(values: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all that is to be hidden, the longest first: a value may begin like another one."""
    parts = {part.strip() for value in values for part in (value, *value.splitlines())} - {""}
    words = [_word(part) for part in sorted(parts, key=len, reverse=True)]
    return re.compile("|".join(words)) if words else None


def _word(part: str) -> str:
    escaped = re.escape(part)
    return escaped if len(part) >= SHORTEST_ANYWHERE else rf"(?<![^\W_]){escaped}(?![^\W_])"
