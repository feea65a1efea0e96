"""`config`: the merged settings of an environment, each with where it comes from; `--schema`: what a file may say."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.options import Common, common_options
from ecs_pipeline.cli.runner import run_on_config

if TYPE_CHECKING:
    from ecs_pipeline.config.load import Config


@click.command("config")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of ecs-pipeline.yml instead.")
@common_options
def command(schema: bool, **common: Any) -> int:  # noqa: FBT001
    """Show the merged settings, each with where it comes from; AWS is asked for look-ups alone."""
    settings = Common(**common)
    if schema:
        from ecs_pipeline.config.schema import config_schema

        streams.show([json.dumps(config_schema(), indent=2, ensure_ascii=False)])
        return 0
    return run_on_config(settings, lambda config: _show(config, settings.output))


def _show(config: Config, output: str) -> None:
    from ecs_pipeline.config.sources import settings_of

    found = settings_of(config)
    if output == "json":
        streams.show([json.dumps([asdict(setting) for setting in found], indent=2, ensure_ascii=False)])
        return
    keys, values = (max(len(getattr(setting, name)) for setting in found) for name in ("key", "value"))
    width = min(values, 48)
    streams.show(f"{setting.key:<{keys}}  {setting.value:<{width}}  {setting.origin}" for setting in found)
