"""Options as JSON in ECS_PIPELINE_ARGS, as the Jenkins steps hand them over: free of any shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.protocol.simulation import start_of

ROLE = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def given(monkeypatch: pytest.MonkeyPatch, options: Any) -> None:
    monkeypatch.setenv("ECS_PIPELINE_ARGS", options if isinstance(options, str) else json.dumps(options))


def test_options_are_taken_by_their_names(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"cluster": "prd", "service": "web", "release": "A", "role_arn": ROLE, "reports": "r"}
    given(monkeypatch, {**names, "dry_run": True})
    assert run("canary").code == 0
    assert run.world.writes() == start_of("P runs").writes()
    assert (run.common.cluster, run.common.role_arn, run.common.reports) == ("prd", ROLE, "r")


def test_a_name_may_be_written_as_on_the_command_line(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"cluster": "prd", "service": "web", "role-arn": ROLE, "dry-run": True})
    assert run("canary").code == 0
    assert (run.common.role_arn, run.common.dry_run) == (ROLE, True)


def test_the_command_line_goes_before_them(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"release": "A", "reports": "theirs"})
    run("canary", *NAMED, "--release", "B", "--reports", "ours")
    assert report(folder="ours")["release"]["id"] == "B"


@pytest.mark.parametrize("value", ["it's", 'a "b"', "$(id)", "a; b", "é", "-x", "canary"])
def test_a_value_may_hold_what_a_shell_would_read(run: Commands, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    given(monkeypatch, {"environment": value, "cluster": "prd", "service": "web"})
    assert run("status").code == 0
    assert run.common.environment == value


@pytest.mark.parametrize("flags", [{"dry_run": False, "replace": False, "verbose": False}, {}])
def test_a_flag_may_be_off(run: Commands, monkeypatch: pytest.MonkeyPatch, flags: dict[str, bool]) -> None:
    given(monkeypatch, flags)
    assert run("canary", *NAMED, "--release", "A").code == 0
    assert report()["exit_code"] == 0


@pytest.mark.parametrize("canary", [True, False])
def test_an_option_that_python_calls_otherwise_is_taken_too(
    run: Commands, monkeypatch: pytest.MonkeyPatch, *, canary: bool
) -> None:
    run.world = start_of("A is promoted")
    given(monkeypatch, {"canary": canary})
    assert run("rollback", *NAMED).code == 0
    outcomes = {step["name"]: step["outcome"] for step in report("rollback")["steps"]}
    assert outcomes["service-update"] == ("skipped" if canary else "passed")


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_option_without_a_value_is_not_given(
    run: Commands, monkeypatch: pytest.MonkeyPatch, nothing: str | None
) -> None:
    given(monkeypatch, {"release": nothing, "reports": "ours", "output": None, "dry_run": None})
    assert run("canary", *NAMED).code == 0
    assert report(folder="ours")["release"]["id"]


def test_a_number_may_name_a_release(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"release": 42})
    run("canary", *NAMED)
    assert report()["release"]["id"] == "42"


def test_a_number_is_taken_as_it_is_written(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, '{"release": 1.10}')
    run("canary", *NAMED)
    assert report()["release"]["id"] == "1.10"


@pytest.mark.parametrize("text", ["", "{}"])
def test_there_may_be_none(run: Commands, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    given(monkeypatch, text)
    assert run("status", *NAMED).code == 0


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("{", "ECS_PIPELINE_ARGS is not JSON: "),
        ("[]", "ECS_PIPELINE_ARGS is not a JSON object"),
        ("[" * 100_000, "ECS_PIPELINE_ARGS is not JSON: character 102: nested more than 100 levels deep"),
        ('{"release": "A", "release": "B"}', "ECS_PIPELINE_ARGS is not JSON: character 18: key 'release' stands there"),
        ('{"release": NaN}', "ECS_PIPELINE_ARGS is not JSON: character 13: JSON has no NaN"),
        ('{"tasks": ' + 5000 * "1" + "}", "ECS_PIPELINE_ARGS is not JSON: character 11: no number that can be read"),
        ('"x"', "ECS_PIPELINE_ARGS is not a JSON object"),
        ({"relase": "x"}, "ECS_PIPELINE_ARGS: no option relase of canary (did you mean release?)"),
        ({"to": "1"}, "ECS_PIPELINE_ARGS: no option to of canary"),
        ({"image": ["a"]}, "ECS_PIPELINE_ARGS: image: one value is expected, not a list or an object"),
        ({"release": {"id": "a"}}, "ECS_PIPELINE_ARGS: release: one value is expected, not a list or an object"),
    ],
)
def test_what_is_wrong_with_them_is_told_in_one_line(
    run: Commands, monkeypatch: pytest.MonkeyPatch, options: Any, line: str
) -> None:
    given(monkeypatch, options)
    end = run("canary", *NAMED)
    assert (end.code, end.out, end.err.count("\n")) == (2, "", 1)
    assert end.err.startswith(f"ecs-pipeline: {line}")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(("option", "value"), [("output", "xml"), ("replace", "maybe")])
def test_a_wrong_value_is_told_as_on_the_command_line(
    run: Commands, monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    given(monkeypatch, {option: value})
    end = run("canary", *NAMED)
    assert (end.code, end.err.count("\n")) == (2, 1)
    assert end.err.startswith(f"ecs-pipeline canary: Invalid value for '--{option}'")


def test_options_that_exclude_each_other_are_refused_here_too(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"to": "1", "release": "A"})
    end = run("rollback", *NAMED)
    assert (end.code, "--to excludes --release and --canary" in end.err) == (2, True)


def test_the_words_of_a_command_are_a_list(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["sh", "-c", "echo $HOME; exit 0", "--name", "", "é"]
    given(monkeypatch, {"command": words, "name": "migrate"})
    assert run("run", *NAMED).code == 0
    [task] = [task for task in run.world.tasks.values() if task.started_by.startswith("run/")]
    assert task.parameters["overrides"] == {"containerOverrides": [{"name": "app", "command": words}]}


def test_words_of_the_command_line_go_before_them(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"command": ["theirs"]})
    assert run("run", *NAMED, "--", "ours").code == 0
    [task] = [task for task in run.world.tasks.values() if task.started_by.startswith("run/")]
    assert task.parameters["overrides"]["containerOverrides"][0]["command"] == ["ours"]


@pytest.mark.parametrize("words", ["./migrate", [], ["a", 1], [["a"]], [None], {"a": "b"}, None, "", True])
def test_what_are_no_words_is_told_in_one_line(run: Commands, monkeypatch: pytest.MonkeyPatch, words: Any) -> None:
    given(monkeypatch, {"command": words})
    end = run("run", *NAMED)
    assert (end.code, end.out, end.err.count("\n")) == (2, "", 1)
    assert end.err.startswith("ecs-pipeline: ECS_PIPELINE_ARGS: command: a list of texts is expected")


@pytest.mark.parametrize(("command", "key"), [("report", "folders"), ("diff", "old"), ("run", "name")])
def test_only_the_words_of_a_command_may_be_a_list(
    run: Commands, monkeypatch: pytest.MonkeyPatch, command: str, key: str
) -> None:
    given(monkeypatch, {key: ["a"]})
    end = run(command, *NAMED, "--", "x")
    assert (end.code, f"{key}: one value is expected, not a list" in end.err) == (2, True)


def test_they_do_not_matter_to_the_help(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "{")
    assert run("--help").code == 0
