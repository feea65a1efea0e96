"""The types that settings are made of: sections, durations, arguments, parts of a whole."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from ecs_pipeline.documents import shown

DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 168 * 3600.0
"""Seconds: nobody waits longer than a week for a canary."""
PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)\s?%")


def parse_duration(text: Any) -> float:
    """Seconds of `300ms`, `90s`, `5m`, `1h`; anything else is a ValueError that says so."""
    found = DURATION.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{shown(text)} is not a duration; write 300ms, 90s, 5m or 1h")
    seconds = float(found[1]) * UNITS[found[2]]
    if seconds > LONGEST:
        raise ValueError(f"{found[1][:20]}{found[2]} is too long; {LONGEST / UNITS['h']:.0f}h is the most")
    return seconds


def _drain(value: Any) -> Any:
    return None if value == "auto" else value


def _argument(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def parse_percentage(text: Any) -> float:
    """The part that `25%` is of 1; anything else is a ValueError that says so."""
    found = PERCENTAGE.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{shown(text)} is not a percentage; write 25%")
    return float(found[1]) / 100


def in_words(seconds: float) -> str:
    """A duration as a file has it, in the largest unit that it is a whole number of."""
    for unit, size in reversed(UNITS.items()):
        count = round(seconds / size, 6)
        if count >= 1 and count == int(count):
            return f"{count:.0f}{unit}"
    return f"{seconds:g}s"


DURATION_SCHEMA = {"type": "string", "pattern": rf"^{DURATION.pattern}$", "examples": ["300ms", "90s", "5m", "1h"]}
Duration = Annotated[float, BeforeValidator(parse_duration), PlainSerializer(in_words), WithJsonSchema(DURATION_SCHEMA)]
OptionalDuration = Annotated[
    Duration | None,
    BeforeValidator(_drain),
    WithJsonSchema({"anyOf": [{"const": "auto"}, DURATION_SCHEMA], "default": "auto"}),
]
PLAIN = ["string", "number", "boolean"]
Argument = Annotated[str | None, BeforeValidator(_argument), WithJsonSchema({"type": [*PLAIN, "null"]})]
Word = Annotated[str, BeforeValidator(_argument), WithJsonSchema({"type": PLAIN})]
PERCENTAGE_SCHEMA = {"type": "string", "pattern": rf"^{PERCENTAGE.pattern}$", "examples": ["25%"]}
Percentage = Annotated[
    float,
    BeforeValidator(parse_percentage),
    PlainSerializer(lambda part: f"{100 * part:g}%"),
    WithJsonSchema(PERCENTAGE_SCHEMA),
]


class Section(BaseModel):
    """Frozen; a key that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
