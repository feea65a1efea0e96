"""`config`: the merged settings, each with where it comes from; secrets by name only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecs_pipeline.config.load import load
from ecs_pipeline.config.sources import Setting, settings_of
from tests.unit.commands import Commands, commands

CONFIG = """\
app: sample-app
image: {build_args: {VERSION: null, TOKEN: very-secret}}
canary:
  tasks: 2
  checks:
    - http: {path: /health, p95: 300ms}
    - logs: {filter: ERROR, at_most: 0}
environments:
  stg: {canary: {bake: 0s}}
  prd:
    canary: {percent: 25, bake: 10m}
  ci:
    canary: {checks: [{http: {path: /ready}}]}
"""


def found(tmp_path: Path, environment: str, **flags: str) -> dict[str, Setting]:
    """The settings of an environment by their keys."""
    file = tmp_path / "ecs-pipeline.yml"
    file.write_text(CONFIG)
    return {setting.key: setting for setting in settings_of(load(str(file), environment, flags))}


def told(setting: Setting) -> tuple[str, str, int]:
    return setting.value, setting.kind, setting.line


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("app", ("sample-app", "file", 1)),
        ("cluster", ("sample-app-prd", "derived", 1)),
        ("service", ("web", "flag", 0)),
        ("image.repository", ("sample-app", "derived", 1)),
        ("canary.percent", ("25", "overlay", 11)),
        ("canary.bake", ("10m", "overlay", 11)),
        ("canary.healthy_within", ("5m", "default", 0)),
        ("canary.checks.0.http.p95", ("300ms", "file", 6)),
        ("canary.checks.1.logs.at_most", ("0", "file", 7)),
        ("canary.checks.1.interval", ("10s", "default", 0)),
        ("promote.stable_within", ("auto", "default", 0)),
    ],
)
def test_a_setting_tells_where_it_comes_from(tmp_path: Path, key: str, expected: tuple[str, str, int]) -> None:
    assert told(found(tmp_path, "prd", service="web")[key]) == expected


def test_a_key_that_the_overlay_s_excludes_is_not_there(tmp_path: Path) -> None:
    assert "canary.tasks" not in found(tmp_path, "prd")
    assert told(found(tmp_path, "stg")["canary.tasks"]) == ("2", "file", 4)


def test_the_default_number_of_tasks_is_told(tmp_path: Path) -> None:
    file = tmp_path / "plain.yml"
    file.write_text("app: web")
    settings = {setting.key: setting for setting in settings_of(load(str(file), "prd", {}))}
    assert told(settings["canary.tasks"]) == ("1", "default", 0)


def test_a_list_of_an_overlay_takes_the_place_of_the_whole_list(tmp_path: Path) -> None:
    settings = found(tmp_path, "ci")
    assert told(settings["canary.checks.0.http.path"]) == ("/ready", "overlay", 13)
    assert "canary.checks.0.http.p95" not in settings
    assert "canary.checks.1.logs.filter" not in settings
    assert told(settings["canary.checks.0.http.via"]) == ("canary", "default", 0)


def test_values_that_may_be_secret_are_not_shown(tmp_path: Path) -> None:
    settings = found(tmp_path, "prd")
    assert settings["image.build_args.TOKEN"].value == "(not shown)"
    assert settings["image.build_args.VERSION"].value == "(from the environment)"
    assert "very-secret" not in str(settings)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def test_the_command_prints_a_line_for_each_setting_and_asks_nobody(run: Commands) -> None:
    Path("ecs-pipeline.yml").write_text(CONFIG)
    run.failing(AssertionError("AWS is asked"))
    end = run("config", "--environment", "prd")
    assert (end.code, end.err) == (0, "")
    [line] = [line for line in end.out.splitlines() if line.startswith("canary.bake ")]
    assert line.split(maxsplit=2) == ["canary.bake", "10m", "ecs-pipeline.yml:11 (environments.prd)"]


def test_json_has_the_same(run: Commands) -> None:
    Path("ecs-pipeline.yml").write_text(CONFIG)
    end = run("config", "--environment", "stg", "--output", "json")
    by_key = {setting["key"]: setting for setting in json.loads(end.out)}
    assert by_key["canary.bake"] == {
        "key": "canary.bake",
        "value": "0s",
        "kind": "overlay",
        "origin": "ecs-pipeline.yml:9 (environments.stg)",
        "line": 9,
    }


def test_a_mistake_of_the_config_is_one_line(run: Commands) -> None:
    Path("ecs-pipeline.yml").write_text("app: a\ncanary: {bakee: 1s}\n")
    end = run("config", "--environment", "prd")
    assert (end.code, end.out) == (2, "")
    assert end.err == "ecs-pipeline: ecs-pipeline.yml:2: canary.bakee: unknown key (did you mean bake?)\n"


def test_the_schema_needs_no_config(run: Commands) -> None:
    assert json.loads(run("config", "--schema").out)["title"] == "ecs-pipeline.yml"
