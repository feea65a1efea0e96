"""`validate`: all that a release would find in its way, at once."""

from __future__ import annotations

from typing import Any

import click

from ecs_pipeline.cli.options import Common, common_options, text_option
from ecs_pipeline.cli.runner import run_stage


@click.command("validate")
@text_option("--image", metavar="URI", help="The image that the canary would be given.")
@text_option("--tag", metavar="TAG", help="The same as a tag of the repository that the service's image is of.")
@common_options
def command(image: str, tag: str, **common: Any) -> int:
    """Find what would keep a release from going through, all of it at once; nothing is written to AWS."""
    from ecs_pipeline.stages import validate as stage

    if image and tag:
        raise click.UsageError("--image excludes --tag")
    return run_stage("validate", stage.STEPS, Common(**common), lambda run: stage.validate(run, image, tag))
