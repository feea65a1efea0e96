"""The names that Jenkinsfiles rely on: commands, options, exit codes, steps. A change here breaks a user."""

from __future__ import annotations

import click
import pytest

from ecs_pipeline import errors
from ecs_pipeline.cli.commands.main import cli
from ecs_pipeline.stages import canary, judge, promote, rollback

COMMON = {
    "--config",
    "--environment",
    "--cluster",
    "--service",
    "--region",
    "--role-arn",
    "--reports",
    "--output",
    "--dry-run",
    "--verbose",
}
OWN = {
    "canary": {"--release", "--image", "--tag", "--replace"},
    "promote": {"--release", "--unjudged", "--approved-by", "--comment"},
    "rollback": {"--release", "--canary", "--to"},
    "judge": {"--release"},
    "status": {"--watch"},
    "provision": {"--image"},
    "config": {"--schema"},
    "init": {"--task-definition", "--jenkinsfile"},
    "validate": {"--image", "--tag"},
    "report": set(),
    "run": {"--name", "--release", "--timeout"},
    "policy": {"--trust", "--issuer", "--subject"},
    "diff": {"--image", "--exit-code"},
}
FLAGS = {
    "--dry-run",
    "--verbose",
    "--replace",
    "--unjudged",
    "--canary",
    "--watch",
    "--schema",
    "--exit-code",
    "--task-definition",
    "--jenkinsfile",
}
DEFAULTS = {"--reports": "ecs-pipeline-reports", "--output": "text"}

EXIT_CODES = {
    errors.ReleaseFailed: 1,
    errors.InvalidInput: 2,
    errors.Refused: 3,
    errors.Cancelled: 3,
    errors.MarksVanished: 3,
    errors.Trouble: 4,
    errors.AnswerLost: 4,
    errors.Inconclusive: 5,
}


def options(command: str) -> dict[str, click.Option]:
    """The options of a command by each of their names."""
    found = [param for param in cli.commands[command].params if isinstance(param, click.Option)]
    return {name: option for option in found for name in option.opts}


@pytest.mark.parametrize("command", OWN)
def test_a_command_has_its_own_options_and_those_of_all(command: str) -> None:
    assert set(options(command)) >= OWN[command] | COMMON


@pytest.mark.parametrize("command", OWN)
def test_flags_take_no_value_and_all_others_one(command: str) -> None:
    kinds = {name: option.is_flag for name, option in options(command).items() if name in OWN[command] | COMMON}
    assert {name for name, flag in kinds.items() if flag} == set(kinds) & FLAGS


@pytest.mark.parametrize("command", OWN)
def test_no_option_is_required_and_defaults_are_as_documented(command: str) -> None:
    found = options(command)
    assert not [name for name, option in found.items() if option.required]
    assert {name: found[name].default for name in DEFAULTS} == DEFAULTS
    output = found["--output"].type
    assert isinstance(output, click.Choice)
    assert tuple(output.choices) == ("text", "json")


@pytest.mark.parametrize("command", OWN)
def test_every_option_says_what_it_does(command: str) -> None:
    assert not [name for name, option in options(command).items() if not option.help]
    assert cli.commands[command].help


@pytest.mark.parametrize("error", EXIT_CODES)
def test_each_kind_of_error_has_its_exit_code(error: type[errors.PipelineError]) -> None:
    assert error("why").exit_code == EXIT_CODES[error]


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_signals_have_their_exit_codes(number: int, code: int) -> None:
    assert errors.Interrupted(number).exit_code == code


def test_the_help_tells_the_exit_codes() -> None:
    text = " ".join((cli.help or "").split())
    told = "0 done, 1 the release failed and was undone, 2 bad usage or config, 3 refused, 4 AWS or Docker trouble"
    assert told in text
    assert "5 inconclusive, 130/143 interrupted" in text


def test_stages_have_the_steps_that_are_junit_cases() -> None:
    assert canary.STEPS == (
        "preflight",
        "image",
        "task-definition",
        "tasks",
        "healthy",
        "traffic",
        "bake",
        "restore",
    )
    assert promote.STEPS == ("preflight", "service-update", "stable", "drain", "cleanup", "restore")
    assert judge.STEPS == ("preflight", "checks")
    assert rollback.STEPS == ("preflight", "drain", "cleanup", "service-update", "stable", "deregister")
