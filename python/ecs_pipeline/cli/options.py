"""The options that every command takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from ecs_pipeline.config.load import DEFAULT_FILE


@dataclass(frozen=True)
class Common:
    """The options that every command takes."""

    config: str = ""
    environment: str = ""
    cluster: str = ""
    service: str = ""
    region: str = ""
    role_arn: str = ""
    reports: str = "ecs-pipeline-reports"
    output: str = "text"
    dry_run: bool = False
    verbose: bool = False

    @property
    def flags(self) -> dict[str, str]:
        """The ones that are settings."""
        return {key: getattr(self, key) for key in ("cluster", "service", "region", "role_arn")}


def text_option(*names: str, metavar: str, default: str = "", **settings: Any) -> Callable[..., Any]:
    """An option that takes text; given on the command line it is not empty: an unset variable shall not widen it."""

    def check(context: click.Context, option: click.Parameter, value: str) -> str:
        source = context.get_parameter_source(str(option.name))
        if source is click.core.ParameterSource.COMMANDLINE and not value.strip():
            raise click.BadParameter("it is empty: give a value, or leave the option out", ctx=context, param=option)
        return value

    return click.option(*names, metavar=metavar, default=default, callback=check, **settings)


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every command takes."""
    options = (
        text_option("--config", metavar="FILE", help=f"Config file; default: {DEFAULT_FILE}, if there is one."),
        text_option("--environment", metavar="NAME", help="Overlay of the config: stg, prd …"),
        text_option("--cluster", metavar="NAME", help="ECS cluster; default: APP-ENVIRONMENT."),
        text_option("--service", metavar="NAME", help="ECS service; default: APP."),
        text_option("--region", metavar="NAME", help="AWS region; default: as the AWS CLI finds it."),
        text_option("--role-arn", metavar="ARN", help="Role that is assumed for all AWS calls."),
        text_option(
            "--reports", metavar="DIR", default="ecs-pipeline-reports", show_default=True, help="Folder of the reports."
        ),
        click.option(
            "--output",
            type=click.Choice(("text", "json")),
            default="text",
            show_default=True,
            help="What is printed on stdout.",
        ),
        click.option("--dry-run", is_flag=True, help="Print the plan; build, push and write nothing."),
        click.option("--verbose", is_flag=True, help="Show the traceback of every error."),
    )
    for option in reversed(options):
        command = option(command)
    return command
