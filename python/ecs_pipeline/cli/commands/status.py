"""`status`: what a service runs and whether a canary lives; with --all, of every service of a cluster."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.options import Common, common_options, text_option
from ecs_pipeline.cli.runner import run_quietly
from ecs_pipeline.errors import Inconclusive

if TYPE_CHECKING:
    from ecs_pipeline.engine.run import Run

LEFT_ALONE = Inconclusive.exit_code
"""A canary that is older than allowed waits for a person, as one without a verdict does."""


@click.command("status")
@click.option("--watch", is_flag=True, help="Show what changes, until the canary has its verdict or is gone.")
@click.option("--all", "whole_cluster", is_flag=True, help="Every service of the cluster, a line each.")
@text_option(
    "--older-than", metavar="TIME", help="Exit 5 when a canary is older; default: the config's canary.expires."
)
@common_options
def command(watch: bool, whole_cluster: bool, older_than: str, **common: Any) -> int:  # noqa: FBT001
    """Show what the service runs and whether a canary lives."""
    if watch and (whole_cluster or older_than):
        raise click.UsageError("--watch excludes --all and --older-than")
    if whole_cluster and common["service"]:
        raise click.UsageError("--all excludes --service")
    given, settings = _seconds(older_than), Common(**common)
    if whole_cluster:
        # The adapters want a service's name; nothing is asked with it.
        return run_quietly(replace(settings, service="all"), lambda run: _show_cluster(run, settings, given))
    return run_quietly(settings, lambda run: _show_service(run, settings, given, watch=watch))


def _show_service(run: Run, settings: Common, given: float | None, *, watch: bool) -> int:
    from ecs_pipeline.reports.json_report import in_one_line
    from ecs_pipeline.reports.status_table import rows
    from ecs_pipeline.stages import status as stage

    most = run.settings.canary.expires if given is None else given
    shown: set[tuple[str, str]] = set()
    older: list[str] = []
    for facts in stage.watch(run) if watch else [stage.status(run)]:
        canary = facts["canary"]
        older = [facts["service"]] if canary and most is not None and canary["age_seconds"] > most else []
        facts.update(_told(older))
        if settings.output == "json":
            streams.show([json.dumps(in_one_line(facts), indent=None if watch else 2)])
            continue
        table = rows(facts)
        streams.show([f"{name:<12}{value}" for name, value in table if (name, value) not in shown])
        shown = set(table)
    return _code(older)


def _show_cluster(run: Run, settings: Common, given: float | None) -> int:
    from ecs_pipeline.reports.json_report import in_one_line
    from ecs_pipeline.stages import cluster_status as stage

    facts = stage.cluster_status(run, run.settings.canary.expires if given is None else given)
    facts.update(_told(facts["older"]))
    streams.show([json.dumps(in_one_line(facts), indent=2)] if settings.output == "json" else stage.lines(facts))
    return _code(facts["older"])


def _told(older: list[str]) -> dict[str, Any]:
    """What a machine is told of canaries that are too old, in the words that every failure has."""
    message = f"canary too old: {', '.join(older)}"
    cure = "promote it, or `rollback --canary`"
    return {"message": message, "cure": cure, "exit_code": LEFT_ALONE} if older else {}


def _code(older: list[str]) -> int:
    return LEFT_ALONE if older else 0


def _seconds(older_than: str) -> float | None:
    from ecs_pipeline.config.types import parse_duration

    try:
        return parse_duration(older_than) if older_than else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--older-than'") from error
