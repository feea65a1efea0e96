"""release.html: one page for all stages of a release, from the reports that they left in one folder or several."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.reports.earlier import EarlierStage, content, stages_in
from ecs_pipeline.reports.files import ReportFolder, refuse_unwritable
from ecs_pipeline.reports.html import STYLE, render, style_sheet

PAGE = "release.html"
PICTURES = (".svg", "-narrow.svg")
CHANGING = frozenset(("canary", "promote", "rollback"))
"""Stages that keep the page up to date by themselves."""
LOOKING_ONLY = frozenset(("judge", "validate"))
"""Stages that change nothing: they have no say in what became of the release."""


def write_release(folders: Sequence[Path], target: Path) -> tuple[list[EarlierStage], list[str]]:
    """Write the page of the newest release in the folders; its stages in the order of time, and what was left out.

    Of a stage that ran more than once the last run counts. Raises InvalidInput when no folder has a report.
    """
    found = sorted(
        ((stage, folder) for folder in folders for stage in stages_in(folder)),
        key=lambda pair: pair[0].started.timestamp(),
    )
    named = [pair for pair in found if pair[0].release.id]
    if not named:
        places = ", ".join(str(folder) for folder in folders)
        raise InvalidInput(
            f"no report of a release in {places}", cure="name the folders that stages wrote with --reports"
        )
    last = _of(named[-1][0])
    kept = {stage.stage: (stage, folder) for stage, folder in named if _of(stage) == last}
    others = sorted({_of(stage)[2] for stage, _ in named} - {last[2]})
    stages = sorted((stage for stage, _ in kept.values()), key=lambda stage: stage.started.timestamp())
    refuse_unwritable(str(target))
    reports = ReportFolder(target)
    for stage, folder in kept.values():
        _copy_pictures(stage, folder, reports)
    reports.write(STYLE, style_sheet())
    reports.write(PAGE, render("release.html", style=STYLE, stages=stages, decided=_decided(stages)))
    return stages, [f"left out release {release}: {last[2]} is newer" for release in others]


class ReleasePage:
    """Keeps release.html up to date beside the reports of a stage that changes a release.

    It reads what those have written, so it comes after them. A page that cannot be written is no reason for a stage to
    fail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def step_started(self, record: StageRecord, step: StepRecord) -> None:  # noqa: ARG002
        """A step begins."""
        self._write(record)

    def progressed(self, record: StageRecord, step: StepRecord | None, text: str) -> None:
        """The page tells of steps, and of no more."""

    def updated(self, record: StageRecord) -> None:
        """Nor of numbers while they change."""

    def step_ended(self, record: StageRecord, step: StepRecord) -> None:  # noqa: ARG002
        """A step is over."""
        self._write(record)

    def finished(self, record: StageRecord) -> None:
        """The stage is over."""
        self._write(record)

    def _write(self, record: StageRecord) -> None:
        if record.stage in CHANGING and record.release.id:
            with suppress(InvalidInput, OSError):
                write_release([self._folder], self._folder)


def _of(stage: EarlierStage) -> tuple[str, str, str]:
    return stage.cluster, stage.service, stage.release.id


def _decided(stages: Sequence[EarlierStage]) -> EarlierStage:
    """The stage that tells what became of the release: the last one that may change something."""
    return next((stage for stage in reversed(stages) if stage.stage not in LOOKING_ONLY), stages[-1])


def _copy_pictures(stage: EarlierStage, folder: Path, reports: ReportFolder) -> None:
    """The timeline and the checks of a stage, beside the page; it leaves out those that cannot be read."""
    stage.picture = stage.picture and _copied(stage.stage, folder, reports)
    stage.pictures = {
        number: picture for number, picture in stage.pictures.items() if _copied(picture.name, folder, reports)
    }


def _copied(name: str, folder: Path, reports: ReportFolder) -> bool:
    try:
        pictures = {f"{name}{end}": content(folder / f"{name}{end}") for end in PICTURES}
    except OSError:
        return False
    for file, picture in pictures.items():
        reports.write(file, picture)
    return True
