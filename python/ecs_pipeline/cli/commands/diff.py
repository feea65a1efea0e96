"""`diff`: what a canary would change, or what differs between two revisions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.options import Common, common_options, text_option
from ecs_pipeline.cli.runner import run_quietly

if TYPE_CHECKING:
    from ecs_pipeline.engine.run import Run
    from ecs_pipeline.stages.diff import Difference

DIFFERENT = 1
"""As `git diff --exit-code` and diff(1) end."""


@click.command("diff")
@click.argument("old", metavar="[R1", default="")
@click.argument("new", metavar="[R2]]", default="")
@text_option("--image", metavar="URI", help="The image of the canary; default: the one that would be built.")
@click.option("--exit-code", is_flag=True, help="End with 1 when something differs.")
@common_options
def command(old: str, new: str, image: str, exit_code: bool, **common: Any) -> int:  # noqa: FBT001
    """Show what a canary would change in the service's task definition; nothing is written.

    With R1, what differs between the service's revision and R1; with R2 too, between R1 and R2. A revision is a NUMBER,
    FAMILY:NUMBER, an ARN, the id of a release, or a FILE with a definition.
    """
    from ecs_pipeline.stages import diff as stage

    if image and old:
        raise click.UsageError("--image excludes R1 and R2")
    settings = Common(**common)

    def show(run: Run) -> int:
        found = stage.diff(run, old, new, image)
        if settings.output == "json":
            streams.show([json.dumps(asdict(found), indent=2, ensure_ascii=False)])
        else:
            streams.show(_lines(found))
        return DIFFERENT if exit_code and found.changes else 0

    return run_quietly(settings, show)


def _lines(found: Difference) -> Iterator[str]:
    """The lines of a terminal; where there is none, click leaves the colours out."""
    if not found.changes:
        yield f"{found.old} and {found.new}: no difference"
        return
    yield click.style(f"{found.old} → {found.new}", bold=True)
    for line in found.changes:
        place, _, values = line.partition(": ")
        old, arrow, new = values.partition(" → ")
        told = f"{click.style(old, fg='red')} → {click.style(new, fg='green')}" if arrow else values
        yield f"  {place}: {told}"
