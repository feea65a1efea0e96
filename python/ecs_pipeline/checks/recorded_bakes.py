"""Recorded bakes: lines of a file, each a check and what its samples were; or the checks of a STAGE.json."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from ecs_pipeline.config import problems
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput

Recorded = FiniteFloat | list[FiniteFloat | None] | None
"""Values of one task: a list, or one of them; null for none."""

MOST_OF_A_REPORT = 64 * 1024 * 1024
"""Bytes: the series of a day of checks."""
SHAPE = 'write {"check": {…}, "samples": [{"t": SECONDS, "canary": [VALUE, …], "others": {"TASK": [VALUE, …]}}, …]}'
NOT_NEEDED: dict[str, dict[str, Any]] = {
    "metric": {"query": [{"Id": "recorded", "Expression": "{canary.task_ids}"}]},
    "logs": {"filter": "recorded"},
    "http": {},
}
"""The kinds that can be judged again, and the keys that only say where samples come from."""
COMPARED = {"compare", "tolerance", "detect", "confidence"}
JUDGED = {
    "metric": COMPARED | {"at_most", "at_least", "direction"},
    "logs": COMPARED | {"filter", "at_most", "per", "ignore_below"},
    "http": COMPARED | {"percentiles", "ignore_below"},
}
SHARED = {"failures", "of", "min_samples", "on_missing"}
"""The keys that say how they are judged."""


class RecordedSample(BaseModel):
    """What was seen at one moment; `evidence` and `outcome` are what was made of it then."""

    model_config = ConfigDict(extra="forbid", strict=True)

    t: FiniteFloat
    canary: Recorded = None
    others: dict[str, Recorded] = {}
    evidence: FiniteFloat | None = None
    outcome: str = ""


class RecordedLine(BaseModel):
    """One line of a file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    check: dict[str, Any]
    samples: list[RecordedSample]


@dataclass(frozen=True)
class RecordedBake:
    """One check of one bake: its settings and its samples in the order of time."""

    settings: CheckSettings
    samples: Sequence[RecordedSample]
    name: str = ""


def read_lines(lines: IO[str], file: str, changes: Mapping[str, Any]) -> Iterator[RecordedBake]:
    """The bakes of a file, a line each; empty lines are passed over. Raises InvalidInput with the line."""
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _bake(_parsed(RecordedLine, line, f"{file}:{number}"), f"{file}:{number}", changes)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file}:{number + 1}: not UTF-8 text", cure="save the file as UTF-8") from error


def read_stage(path: Path, changes: Mapping[str, Any]) -> list[RecordedBake]:
    """The checks of a STAGE.json that have a series. Raises InvalidInput."""
    try:
        stage = json.loads(yaml.read_text(path, "check --from", most=MOST_OF_A_REPORT))
        checks = [check for check in stage["checks"] if check.get("series") and check.get("rules")]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise InvalidInput(f"{path}: no report of a stage", cure="give canary.json or judge.json") from error
    if not checks:
        raise InvalidInput(f"{path}: none of its checks has samples that can be judged again", cure="check --from")
    found = []
    for check in checks:
        place = f"{path}: check {check.get('name')}"
        line = _parsed(RecordedLine, json.dumps({"check": check["rules"], "samples": check["series"]}), place)
        found.append(RecordedBake(_settings(line.check, place, changes), line.samples, str(check.get("name", ""))))
    return found


def _bake(line: RecordedLine, place: str, changes: Mapping[str, Any]) -> RecordedBake:
    return RecordedBake(_settings(line.check, place, changes), line.samples)


def _parsed(model: type[RecordedLine], text: str, place: str) -> RecordedLine:
    try:
        line = model.model_validate_json(text)
    except ValidationError as error:
        raise InvalidInput(f"{place}: {problems.first(error)}", cure=SHAPE) from error
    times = [sample.t for sample in line.samples]
    if any(later < earlier for earlier, later in itertools.pairwise(times)):
        raise InvalidInput(f"{place}: samples are not in the order of their `t`", cure="sort them")
    return line


def _settings(check: Mapping[str, Any], place: str, changes: Mapping[str, Any]) -> CheckSettings:
    return _known_settings(json.dumps(check, sort_keys=True), place, json.dumps(changes, sort_keys=True))


@lru_cache(maxsize=64)
def _cached(check: str, changes: str) -> CheckSettings:
    given: dict[str, Any] = json.loads(check)
    kind = next((kind for kind in NOT_NEEDED if isinstance(given.get(kind), dict)), "")
    if kind:
        given[kind] = {**NOT_NEEDED[kind], **given[kind], **json.loads(changes)}
    settings = CheckSettings.model_validate(given)
    if settings.kind not in NOT_NEEDED:
        raise ValueError(f"a check of the kind {settings.kind} cannot be judged again")
    return settings


def _known_settings(check: str, place: str, changes: str) -> CheckSettings:
    """The settings of a check; those of line after line are mostly the same."""
    try:
        return _cached(check, changes)
    except ValidationError as error:
        why = problems.first(error, ("canary", "checks", 0))
        raise InvalidInput(f"{place}: check: {why}", cure="write it as in canary.checks (docs/checks.md)") from error
    except ValueError as error:
        raise InvalidInput(f"{place}: check: {error}", cure=f"give one of {', '.join(NOT_NEEDED)}") from error


def rules_of(settings: CheckSettings) -> dict[str, Any]:
    """What a check is judged by, as an entry of canary.checks; where its samples come from is left out.

    Headers of requests and the like are no part of it: they may be secret. Empty for kinds that are not judged again.
    """
    kind = settings.kind
    if kind not in NOT_NEEDED:
        return {}
    section = getattr(settings, kind)
    whole = section.model_dump(mode="json", exclude_unset=True, exclude_none=True, include=JUDGED[kind])
    if settings.logs and settings.logs.per:
        whole["per"] = f"{settings.logs.per:g}s"
    percentiles = {f"p{part}": limit for part, limit in whole.pop("percentiles", {}).items()}
    unit = {"unit": settings.metric.unit_shown} if settings.metric and settings.metric.unit_shown else {}
    shared = settings.model_dump(mode="json", exclude_unset=True, include=SHARED)
    return {kind: {**whole, **percentiles, **unit}, **shared}


def unit_of(settings: CheckSettings) -> str:
    """The unit of the values that a check's series has."""
    if settings.metric:
        return settings.metric.unit_shown
    return {"http": "ms", "logs": "lines"}.get(settings.kind, "")
