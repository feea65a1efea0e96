"""`prune`: revisions and images that nothing needs; a dry run unless it is told to do it."""

from __future__ import annotations

from typing import Any

import click

from ecs_pipeline.cli.options import Common, common_options
from ecs_pipeline.cli.runner import run_stage

MOST = 1000


@click.command("prune")
@click.option(
    "--keep", metavar="N", type=click.IntRange(1, MOST), default=10, show_default=True, help="Last releases that stay."
)
@click.option("--yes", is_flag=True, help="Do it; without it the plan is printed and nothing is written.")
@common_options
def command(keep: int, yes: bool, **common: Any) -> int:  # noqa: FBT001
    """Remove the revisions and images of old releases that nothing needs: a dry run without --yes."""
    from ecs_pipeline.cli.wiring import new_prune
    from ecs_pipeline.stages import prune as stage

    settings = Common(**{**common, "dry_run": common["dry_run"] or not yes})
    return run_stage("prune", stage.STEPS, settings, lambda run: stage.prune(new_prune(run), keep))
