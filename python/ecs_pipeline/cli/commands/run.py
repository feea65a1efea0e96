"""`run`: a one-off task of the release's revision, with another command."""

from __future__ import annotations

from typing import Any

import click

from ecs_pipeline.cli.environment import words_callback
from ecs_pipeline.cli.options import Common, common_options, text_option
from ecs_pipeline.cli.runner import run_stage


@click.command("run")
@click.argument("command", metavar="-- COMMAND...", nargs=-1, type=click.UNPROCESSED, callback=words_callback)
@text_option("--name", metavar="NAME", help="Run it once a release: given again it ends as it did.")
@text_option("--release", metavar="ID", help="Of that release; default: the live canary's, else what the service runs.")
@text_option("--timeout", metavar="TIME", default="1h", show_default=True, help="How long it may take.")
@common_options
def command(command: tuple[str, ...], name: str, release: str, timeout: str, **common: Any) -> int:
    """Run a command in a task of the release's revision; its log is shown, its exit code is this command's."""
    from ecs_pipeline.config.types import parse_duration
    from ecs_pipeline.stages import one_off as stage

    try:
        options = stage.Options(command, name, release, parse_duration(timeout))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--timeout'") from error
    return run_stage("run", stage.STEPS, Common(**common), lambda run: stage.run_command(run, options))
