"""`init`: a small config for a live service; nothing is ever overwritten, and what it writes is a valid config."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.cli.commands.init import jenkinsfile_of
from ecs_pipeline.config.load import load
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.telemetry import Alarm
from ecs_pipeline.stages import proposed_checks
from tests.fakes.names import definition_with
from tests.fakes.telemetry import FakeCloudWatch
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CONFIG = Path("ecs-pipeline.yml")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


def with_container(world: World, **members: Any) -> None:
    """Give the container of what the service runs these members."""
    world.revisions[world.deployments[0].revision].definition["containerDefinitions"][0].update(members)


def settings(environment: str = "") -> Settings:
    loaded: Settings = load("", environment, {}).settings
    return loaded


def test_a_plain_service_needs_its_names_only(run: Commands) -> None:
    end = run("init", *NAMED)
    assert (end.code, end.err) == (0, "")
    assert end.out.splitlines() == ["wrote ecs-pipeline.yml", "→ next: ecs-pipeline validate"]
    lines = CONFIG.read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=ecs-pipeline.schema.json"
    assert [line for line in lines if not line.startswith("#")] == [
        "region: eu-west-1",
        "cluster: prd",
        "service: web",
        "image:                               # where the service's image comes from",
        '  registry: "123456789012/ap-northeast-1"',
    ]
    assert run.world.writes() == []
    assert settings().service == "web"


def test_checks_are_proposed_of_what_there_is(run: Commands) -> None:
    run.world.health_path, run.world.health_codes = "/health", "200-299"
    with_container(run.world, logConfiguration={"logDriver": "awslogs", "options": {}})
    cloudwatch = FakeCloudWatch()
    cloudwatch.there = {name: Alarm(name, "OK", "", None) for name in ("web-5xx", "other")}
    run.changes = {"cloudwatch": cloudwatch}
    assert run("init", *NAMED).code == 0
    http, logs, alarm = settings().canary.checks
    assert http.http
    assert (http.http.path, http.http.status) == ("/health", ("2xx",))
    assert logs.logs
    assert (logs.logs.filter, logs.required) == ("ERROR", False)
    assert alarm.alarm
    assert alarm.alarm.names == ("web-5xx",)


@pytest.mark.parametrize(
    ("codes", "status"), [("", ("200",)), ("200", ("200",)), ("200,204", ("200", "204")), ("200-399", ("2xx", "3xx"))]
)
def test_the_codes_of_the_target_group_are_those_of_the_check(
    run: Commands, codes: str, status: tuple[str, ...]
) -> None:
    run.world.health_path, run.world.health_codes = "/", codes
    run("init", *NAMED)
    [check] = settings().canary.checks
    assert check.http
    assert check.http.status == status


def test_a_check_that_does_not_reach_the_tasks_is_commented_out(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise InvalidInput("canary.checks.0.http (http /): no connection from here to 10.0.0.1:80", cure="let it in")

    monkeypatch.setattr(proposed_checks, "refuse_unreachable", refuse)
    run.world.health_path = "/"
    run("init", *NAMED)
    assert settings().canary.checks == ()
    assert "# no connection from here to 10.0.0.1:80; let it in:" in CONFIG.read_text()
    assert "# - http: {path: /}" in CONFIG.read_text()


def test_an_environment_gets_the_cluster(run: Commands) -> None:
    run("init", *NAMED, "--environment", "prd-1")
    assert settings("prd-1").cluster == "prd"
    assert "cluster: prd" not in CONFIG.read_text().splitlines()


def test_a_container_that_is_not_clear_is_named(run: Commands) -> None:
    run.world.with_load_balancer = False
    definition = run.world.revisions[run.world.deployments[0].revision].definition
    definition["containerDefinitions"].append({"name": "sidecar", "image": "x"})
    run("init", *NAMED)
    assert settings().container == "app"


def test_the_task_definition_is_written_as_a_file_and_its_values_are_told(run: Commands) -> None:
    with_container(run.world, environment=[{"name": "TOKEN", "value": "very-secret"}])
    end = run("init", *NAMED, "--task-definition")
    assert end.out.splitlines()[:2] == ["wrote ecs-pipeline.yml", "wrote taskdef.json"]
    assert "note: taskdef.json holds the values of variables, commit no secret: app.TOKEN" in end.out
    assert "very-secret" not in end.out
    written = json.loads(Path("taskdef.json").read_text())
    assert set(written) == set(definition_with(""))
    assert settings().task_definition == "taskdef.json"


def test_the_jenkinsfile_is_that_of_the_readme() -> None:
    [shown] = re.findall(r"```groovy\n(.*?)```", README, re.DOTALL)[:1]
    assert jenkinsfile_of("prd") == shown.replace(": see below", "")


def test_a_jenkinsfile_without_an_environment_names_none(run: Commands) -> None:
    run("init", *NAMED, "--jenkinsfile")
    text = Path("Jenkinsfile").read_text()
    assert "steps { ecsCanary() }" in text
    assert "steps { ecsApprove submitters:" in text


@pytest.mark.parametrize("name", ["ecs-pipeline.yml", "taskdef.json", "Jenkinsfile"])
def test_nothing_is_overwritten_and_then_nothing_is_written_at_all(run: Commands, name: str) -> None:
    Path(name).write_text("mine")
    end = run("init", *NAMED, "--task-definition", "--jenkinsfile")
    assert (end.code, end.out) == (2, "")
    assert end.err == f"ecs-pipeline: {name} is there already; move it away, or name another: --config FILE\n"
    assert {file.name for file in Path().iterdir()} == {name}
    assert Path(name).read_text() == "mine"


def test_another_file_may_be_named_beside_one_that_is_there(run: Commands) -> None:
    CONFIG.write_text("no: config")
    assert run("init", *NAMED, "--config", "web.yml").code == 0
    assert Path("web.yml").exists()


def test_a_dry_run_prints_the_files(run: Commands) -> None:
    end = run("init", *NAMED, "--dry-run")
    assert "service: web" in end.out
    assert list(Path().iterdir()) == []


def test_json_has_the_files(run: Commands) -> None:
    end = run("init", *NAMED, "--output", "json")
    assert json.loads(end.out) == {"files": {"ecs-pipeline.yml": CONFIG.read_text()}, "notes": []}


def test_without_a_service_there_is_nothing_to_read(run: Commands) -> None:
    end = run("init", "--cluster", "prd")
    assert (end.code, end.out) == (2, "")
    assert "no service named; give --service" in end.err
