"""`init`: a config for a live service, with its task definition and a Jenkinsfile where they are wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ecs_pipeline.cli import streams
from ecs_pipeline.cli.options import Common, common_options
from ecs_pipeline.cli.runner import run_quietly
from ecs_pipeline.config.load import DEFAULT_FILE
from ecs_pipeline.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ecs_pipeline.engine.run import Run
    from ecs_pipeline.stages.init import Proposal

JENKINSFILE = """\
@Library('ecs-pipeline') _                       // ecs-pipeline@REVISION pins a version

pipeline {
    agent none
    options { disableConcurrentBuilds() }
    stages {
        stage('Canary') {
            agent any
            steps { ecsCanary%(call)s }
        }
        stage('Approve') {                       // no agent: nothing is held while people make up their minds
            steps { ecsApprove%(with)ssubmitters: 'release-managers', timeLimit: '4h', watch: '2m' }
        }
        stage('Promote') {
            agent any
            steps { ecsPromote%(call)s }
        }
    }
    post {                                       // undoes what this build began and did not finish, nothing else
        failure { ecsRollback%(call)s }
        aborted { ecsRollback%(call)s }
        notBuilt { ecsRollback%(call)s }
    }
}
"""


@click.command("init")
@click.option("--task-definition", is_flag=True, help="Write the task definition as a file, too: taskdef.json.")
@click.option("--jenkinsfile", is_flag=True, help="Write a Jenkinsfile, too.")
@common_options
def command(task_definition: bool, jenkinsfile: bool, **common: Any) -> int:  # noqa: FBT001
    """Write a small config for a service that runs: give --cluster and --service. No file is ever overwritten."""
    from ecs_pipeline.stages.init import DEFINITION, propose

    settings = Common(**common)
    target = Path(settings.config or DEFAULT_FILE)

    def write(run: Run) -> None:
        wanted = [target, *([target.with_name(DEFINITION)] if task_definition else [])]
        wanted += [target.with_name("Jenkinsfile")] if jenkinsfile else []
        if not settings.dry_run:
            _refuse_existing(wanted)
        proposal = propose(run, settings.environment, with_definition=task_definition)
        texts = [proposal.config, *([proposal.definition] if task_definition else [])]
        texts += [jenkinsfile_of(settings.environment)] if jenkinsfile else []
        files = dict(zip(wanted, texts, strict=True))
        if not settings.dry_run:
            _write(files)
        _show(settings, files, proposal)

    return run_quietly(settings, write, on_flags=True)


def jenkinsfile_of(environment: str) -> str:
    """The Jenkinsfile of README for an environment, '' for none."""
    quoted = environment.replace("\\", "\\\\").replace("'", "\\'")
    given = f" environment: '{quoted}'" if environment else "()"
    with_more = f" environment: '{quoted}', " if environment else " "
    return JENKINSFILE % {"call": given, "with": with_more}


def _refuse_existing(files: list[Path]) -> None:
    for file in files:
        if file.exists() or file.is_symlink():
            raise InvalidInput(f"{file} is there already", cure="move it away, or name another: --config FILE")


def _write(files: Mapping[Path, str]) -> None:
    for file, text in files.items():
        try:
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
        except OSError as error:
            raise InvalidInput(f"{file} cannot be written: {error.strerror or error}", cure="see --config") from error


def _show(settings: Common, files: Mapping[Path, str], proposal: Proposal) -> None:
    if settings.output == "json":
        told = {"files": {str(file): text for file, text in files.items()}, "notes": proposal.notes}
        streams.show([json.dumps(told, indent=2, ensure_ascii=False)])
        return
    for file, text in files.items():
        streams.show([f"# {file}", text] if settings.dry_run else [f"wrote {file}"])
    streams.show(f"note: {note}" for note in proposal.notes)
    environment = f" --environment {settings.environment}" if settings.environment else ""
    if not settings.dry_run:
        streams.show([f"→ next: ecs-pipeline validate{environment}"])
