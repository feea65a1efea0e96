"""The page of a release, written from its stages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.html import HtmlReport
from ecs_pipeline.reports.json_report import JsonReport


def written(folder: Path, record: StageRecord, after: float = 0) -> StageRecord:
    """The reports of a stage that began so many seconds later than the others."""
    record.started += timedelta(seconds=after)
    for report in (JsonReport, HtmlReport):
        report(ReportFolder(folder), record.stage).finished(record)
    return record
