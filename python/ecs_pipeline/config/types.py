"""The types that settings are made of: sections, durations, arguments, parts of a whole."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from ecs_pipeline.documents.yaml import shown

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LONGEST = 168 * 3600.0
"""Seconds: nobody waits longer than a week for a canary."""
PERCENTAGE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")
RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?/ ?(s|min|h)")
RATE_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


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


def parse_rate(text: Any) -> float:
    """So many a second, of `5/s`, `1/min` or `10/h`; anything else is a ValueError that says so."""
    found = RATE.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{shown(text)} is not a rate; write 5/s, 1/min or 10/h")
    return float(found[1]) / RATE_UNITS[found[2]]


def rate_in_words(rate: float) -> str:
    """A rate as it is written: in the greatest unit that leaves no more than a few digits."""
    for unit, seconds in RATE_UNITS.items():
        number = float(f"{rate * seconds:.6g}")
        if number >= 1 or unit == "h":
            return f"{number:g}/{unit}"
    raise AssertionError(rate)


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

RATE_SCHEMA = {"type": "string", "pattern": rf"^{RATE.pattern}$", "examples": ["5/s", "1/min", "10/h"]}
Rate = Annotated[float, BeforeValidator(parse_rate), PlainSerializer(rate_in_words), WithJsonSchema(RATE_SCHEMA)]


class Section(BaseModel):
    """Frozen; a key that it does not have is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
