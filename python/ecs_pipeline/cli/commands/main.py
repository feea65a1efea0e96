"""The command line: what commands and options there are."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from ecs_pipeline import __version__
from ecs_pipeline.cli import streams
from ecs_pipeline.cli.commands import config, diff, init, policy, prune, report, run, status, validate
from ecs_pipeline.cli.environment import options_of
from ecs_pipeline.cli.options import Common, common_options, text_option
from ecs_pipeline.cli.rehearsal import Rehearsing, rehearsal_options
from ecs_pipeline.cli.runner import run_stage
from ecs_pipeline.documents.suggestions import nearest
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.text import message


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="ecs-pipeline")
def cli() -> None:
    """Canary, promote and roll back Amazon ECS services, one idempotent stage at a time.

    Every stage may be run again at any time: it goes on from what AWS holds.

    Exit codes: 0 done, 1 the release failed and was undone, 2 bad usage or config, 3 refused,
    4 AWS or Docker trouble (the same command resumes), 5 inconclusive, 130/143 interrupted.
    """


@cli.command()
@text_option("--release", metavar="ID", help="Id of the release; default: timestamp, commit and something unique.")
@text_option("--image", metavar="URI", help="Deploy this image: nothing is built or tagged.")
@text_option("--tag", metavar="TAG", help="Deploy this tag of the repository that the service's image is of.")
@click.option("--replace", is_flag=True, help="Roll back another release's canary first.")
@common_options
def canary(release: str, image: str, tag: str, replace: bool, **common: Any) -> int:  # noqa: FBT001
    """Put a new image beside the old one: image, revision, task(s), traffic, bake."""
    from ecs_pipeline.plans.canary_request import CanaryOptions
    from ecs_pipeline.stages import canary as stage

    if image and tag:
        raise click.UsageError("--image excludes --tag")
    options = CanaryOptions(release=release, image=image, tag=tag, replace=replace)
    return run_stage("canary", stage.STEPS, Common(**common), lambda run: stage.canary(run, options))


@cli.command()
@text_option("--release", metavar="ID", help="Refuse to promote any other release.")
@click.option("--unjudged", is_flag=True, help="Take a canary whose bake did not end with a verdict.")
@text_option("--approved-by", metavar="NAME", help="Recorded on the service and in the reports.")
@text_option("--comment", metavar="TEXT", help="What the approver said: recorded in the reports.")
@text_option("--digest", metavar="SHA256", help="Refuse any other image than the one that was approved.")
@text_option("--epoch", metavar="EPOCH", help="Refuse what was rolled back and started again since it was approved.")
@text_option("--task-definition", metavar="REVISION", help="Refuse any other revision than the one that was approved.")
@common_options
def promote(
    release: str,
    unjudged: bool,  # noqa: FBT001
    approved_by: str,
    comment: str,
    **options: Any,
) -> int:
    """Let the whole service follow the canary, then remove the canary."""
    from ecs_pipeline.plans.approval import Approved
    from ecs_pipeline.plans.promote import PromoteOptions
    from ecs_pipeline.stages import promote as stage

    approved = Approved(**{name: options.pop(name) for name in ("digest", "epoch", "task_definition")})
    wanted = PromoteOptions(release, unjudged, approved_by, comment, approved)
    return run_stage("promote", stage.STEPS, Common(**options), lambda run: stage.promote(run, wanted))


@cli.command()
@text_option("--release", metavar="ID", help="That release only: its canary, or its promotion.")
@click.option("--canary", "canary_only", is_flag=True, help="A live canary only; a promoted service is left alone.")
@text_option("--to", metavar="REVISION|RELEASE|FILE", help="Send the service to any revision, release or definition.")
@common_options
def rollback(release: str, canary_only: bool, to: str, **common: Any) -> int:  # noqa: FBT001
    """Undo what is under way, or what was released last."""
    from ecs_pipeline.plans.rollback_scope import Options
    from ecs_pipeline.stages import rollback as stage

    if to and (release or canary_only):
        raise click.UsageError("--to excludes --release and --canary")
    options = Options(release=release, canary_only=canary_only, to=to)
    return run_stage("rollback", stage.STEPS, Common(**common), lambda run: stage.rollback(run, options))


@cli.command()
@text_option("--release", metavar="ID", help="Refuse to judge any other release.")
@rehearsal_options
@common_options
def judge(release: str, rehearsal: Rehearsing, **common: Any) -> int:
    """Run the checks alone, once, on the live canary; exit 0, 1 or 5, and nothing is changed.

    With --replay, --from or --simulate nobody is asked: it judges samples that are recorded, or drawn.
    """
    if rehearsal.asked:
        lines = rehearsal.lines(as_json=common["output"] == "json")
        streams.show(lines)
        return 0
    from ecs_pipeline.stages import judge as stage

    return run_stage("judge", stage.STEPS, Common(**common), lambda run: stage.judge(run, release))


@cli.command()
@text_option("--image", metavar="URI", help="The first image; default: built from the config.")
@text_option("--release", metavar="ID", help="Tag of the first image; default: as for canary.")
@click.option("--delete", is_flag=True, help="Remove the environment.")
@text_option("--confirm", metavar="STACK", help="The stack's name, which --delete asks for.")
@common_options
def provision(image: str, release: str, delete: bool, confirm: str, **common: Any) -> int:  # noqa: FBT001
    """Create or update the environment: cluster, repositories, roles, load balancer, service, autoscaling."""
    from ecs_pipeline.cli.wiring import new_provision
    from ecs_pipeline.provision.plan import Options
    from ecs_pipeline.stages import provision as stage

    options = Options(image=image, release=release, delete=delete, confirm=confirm)
    return run_stage(
        "provision", stage.STEPS, Common(**common), lambda run: stage.provision(new_provision(run), options)
    )


for module in (config, diff, init, policy, prune, report, run, status, validate):
    cli.add_command(module.command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    streams.settle()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        defaults = _defaults(words)
        code = cli.main(words, prog_name="ecs-pipeline", standalone_mode=False, default_map=defaults)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.Abort:
        return 130
    except click.ClickException as error:
        return _usage(error)
    except InvalidInput as error:
        click.echo(f"ecs-pipeline: {error}", err=True)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "ecs-pipeline"
    said = message(error.format_message()).rstrip(".")
    if isinstance(error, click.NoSuchOption) and context:
        said = _no_option(error.option_name, context.command)
    click.echo(f"{command}: {said} (see `{command} --help`)", err=True)
    return 2


def _no_option(given: str, command: click.Command) -> str:
    """An option that there is not, with the one that must be meant."""
    known = [option.removeprefix("--") for parameter in command.params for option in parameter.opts]
    near = nearest(given.lstrip("-"), known)
    return message(f"No such option '{given}'") + (f". Did you mean '--{near}'?" if near else "")


def _defaults(words: Sequence[str]) -> dict[str, Any]:
    """Options from the environment for the command that is called."""
    command = next((cli.commands[word] for word in words if word in cli.commands), None)
    return {str(command.name): options_of(command, os.environ)} if command else {}
