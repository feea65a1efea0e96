"""`policy`: the least-privilege IAM policy for this config and service, and who may become the role."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.options import Common, common_options, text_option
from ecs_pipeline.cli.runner import run_quietly

if TYPE_CHECKING:
    from ecs_pipeline.engine.run import Run

TRUST = ("jenkins-oidc", "instance")


@click.command("policy")
@click.option("--trust", type=click.Choice(TRUST), help="Print the role's trust policy instead.")
@text_option("--issuer", metavar="HOST", help="With jenkins-oidc: the issuer of the tokens.")
@text_option("--subject", metavar="TEXT", help="With jenkins-oidc: the subject of the tokens, * stands for anything.")
@click.option("--prune", is_flag=True, help="With what `prune` needs beside the stages.")
@click.option(
    "--run", "named_runs", is_flag=True, help="With what `run --name` needs; hooks of the config need it too."
)
@common_options
def command(
    trust: str | None,
    issuer: str,
    subject: str,
    prune: bool,  # noqa: FBT001
    named_runs: bool,  # noqa: FBT001
    **common: Any,
) -> int:
    """Print the IAM policy that the stages need for this config, and no more."""
    from ecs_pipeline.policy import of_config as stage

    if (issuer or subject) and trust != "jenkins-oidc":
        raise click.UsageError("--issuer and --subject go with --trust jenkins-oidc")
    if (prune or named_runs) and trust:
        raise click.UsageError(f"--{'prune' if prune else 'run'} goes without --trust")

    def show(run: Run) -> None:
        notes: list[str] = []
        if trust:
            document = stage.trust(run, trust, issuer, subject)
        else:
            document, notes = stage.policy(run, prune=prune, named_runs=named_runs)
        streams.show([json.dumps(document, indent=2, ensure_ascii=False)])
        missing = [] if trust != "jenkins-oidc" else [word for word, given in _words(issuer, subject) if not given]
        notes += [f"put in your value for {word}" for word in missing]
        for note in notes:
            click.echo(f"ecs-pipeline policy: {note}", err=True)

    return run_quietly(Common(**common), show)


def _words(issuer: str, subject: str) -> tuple[tuple[str, str], ...]:
    return ("ISSUER", issuer), ("SUBJECT", subject)
