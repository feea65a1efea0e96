"""`validate`: all that a release would find in its way, at once."""

from __future__ import annotations

from typing import Any

import click

from ecs_pipeline.cli.options import Common, common_options
from ecs_pipeline.cli.runner import run_stage


@click.command("validate")
@common_options
def command(**common: Any) -> int:
    """Find what would keep a release from going through, all of it at once; nothing is written to AWS."""
    from ecs_pipeline.stages import validate as stage

    return run_stage("validate", stage.STEPS, Common(**common), stage.validate)
