"""`report`: one page for the whole release, from the reports of its stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.options import Common, common_options
from ecs_pipeline.cli.runner import run_alone


@click.command("report")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@common_options
def command(folders: tuple[str, ...], **common: Any) -> int:
    """Write release.html into --reports: one page for the release whose stages left their reports in DIR."""
    settings = Common(**common)

    def write() -> None:
        from ecs_pipeline.reports.whole_release import PAGE, write_release

        stages, notes = write_release([Path(folder) for folder in folders], Path(settings.reports))
        page = str(Path(settings.reports) / PAGE)
        if settings.output == "json":
            told = [{"stage": stage.stage, "outcome": stage.outcome, "exit_code": stage.exit_code} for stage in stages]
            found = {"page": page, "release": stages[0].release.id, "stages": told, "notes": notes}
            streams.show([json.dumps(found, indent=2, ensure_ascii=False)])
            return
        ran = ", ".join(f"{stage.stage} {stage.outcome}" for stage in stages)
        streams.show([f"{page}: release {stages[0].release.id}: {ran}", *notes])

    return run_alone(settings, write)
