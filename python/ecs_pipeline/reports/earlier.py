"""The stages that a release went through before this one, read back from their STAGE.json in the reports folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ecs_pipeline.engine.record import StageRecord

STAGE = re.compile(r"[a-z]+")
LARGEST = 10_000_000
"""Bytes of a report that is read: ours are far smaller."""


class EarlierStep(BaseModel):
    """A step as STAGE.json has it."""

    name: str
    outcome: str
    seconds: float = 0.0
    message: str = ""


class EarlierCheck(BaseModel):
    """A check as STAGE.json has it."""

    name: str
    kind: str
    verdict: str = ""
    samples: int = 0
    failures: int = 0
    value: str | float | None = None
    limit: str | float | None = None
    unit: str = ""
    message: str = ""
    required: bool = True
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    """A picture beside the page, by the name that its two files begin with, and what it shows in words."""

    name: str
    alternative: str


class EarlierRelease(BaseModel):
    """The release as STAGE.json has it, as far as it is compared."""

    id: str


class EarlierCanary(BaseModel):
    """The canary as STAGE.json has it, as far as it is shown."""

    share: float = 0.0


class EarlierApproval(BaseModel):
    """Who approved a promotion, and what they said."""

    by: str = ""
    comment: str = ""


class EarlierStage(BaseModel):
    """A stage as STAGE.json has it; `picture` when its timeline lies beside it."""

    stage: str
    outcome: str
    exit_code: int
    cluster: str
    service: str
    release: EarlierRelease
    started: datetime
    seconds: float = 0.0
    failed_step: str = ""
    message: str = ""
    cure: str = ""
    canary: EarlierCanary = EarlierCanary()
    approval: EarlierApproval = EarlierApproval()
    evidence: tuple[str, ...] = ()
    checks: tuple[EarlierCheck, ...] = ()
    steps: tuple[EarlierStep, ...] = ()
    picture: bool = False
    pictures: dict[int, Picture] = {}


def earlier_stages(folder: Path, record: StageRecord) -> list[EarlierStage]:
    """The other stages of the record's release that left a report in the folder, the newest first.

    A file that cannot be read, or is no report of ours, is passed over: the folder is the workspace's.
    """
    if not record.release.id:
        return []
    mine = (record.cluster, record.service, record.release.id)
    found = [
        stage
        for stage in stages_in(folder)
        if (stage.cluster, stage.service, stage.release.id) == mine and stage.stage != record.stage
    ]
    return sorted(found, key=lambda stage: stage.started.timestamp(), reverse=True)


def stages_in(folder: Path) -> Iterator[EarlierStage]:
    """The stages that left a report in a folder; other files are passed over."""
    for path in sorted(folder.glob("*.json")):
        try:
            stage = EarlierStage.model_validate_json(content(path))
        except (OSError, ValueError, ValidationError):
            continue
        if STAGE.fullmatch(path.stem) and stage.stage == path.stem:
            stage.picture = all((folder / f"{path.stem}{end}.svg").is_file() for end in ("", "-narrow"))
            stage.pictures = _pictures(folder, stage)
            yield stage


def picture_of(stage: str, number: int) -> str:
    """What the two files begin with that show a check; the first has number 1."""
    return f"{stage}-check-{number}"


def _pictures(folder: Path, stage: EarlierStage) -> dict[int, Picture]:
    names = {number: picture_of(stage.stage, number + 1) for number in range(len(stage.checks))}
    return {
        number: Picture(name, f"Samples of the check {stage.checks[number].name}")
        for number, name in names.items()
        if all((folder / f"{name}{end}.svg").is_file() for end in ("", "-narrow"))
    }


def content(path: Path) -> bytes:
    """What a regular file holds; links, pipes and files that are too large are refused with an OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise OSError(f"{path} is no report")
        return file.read(LARGEST)
