"""`rollback --to FILE`: back to a revision that AWS describes no more, from the file that a promotion left of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.task_definitions import previous_definition
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.commands import NAMED, Commands, commands
from tests.unit.facts import definition
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import promote, rollback, serving

KEPT = Path("ecs-pipeline-reports/promote.previous-task-definition.json")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def forgotten(world: World, release: str = "P") -> str:
    """The revision of a release is deregistered, and AWS describes it no more."""
    found = next(
        revision for revision in world.revisions.values() if revision.tags.get("ecs-pipeline:release") == release
    )
    found.active, found.forgotten = False, True
    return found.arn


def file(folder: Path, content: Any) -> str:
    path = folder / "previous.json"
    path.write_text(json.dumps(content))
    return str(path)


def container(world: World) -> dict[str, Any]:
    """What the service runs."""
    found: dict[str, Any] = world.revisions[world.deployments[0].revision].definition["containerDefinitions"][0]
    return found


# ---- what the promotion leaves


@pytest.mark.parametrize("command", ["canary", "promote"])
def test_the_revision_to_return_to_is_kept_beside_the_report(run: Commands, command: str) -> None:
    run.world = start_of("P runs" if command == "canary" else "A is a canary")
    arn = run.world.deployments[0].revision
    assert run(command, *NAMED, "--release", "A").code == 0

    kept = json.loads((KEPT.parent / f"{command}.previous-task-definition.json").read_text())
    assert kept["taskDefinition"]["taskDefinitionArn"] == arn
    whole = run.world.revisions[arn].definition
    assert {key: kept["taskDefinition"][key] for key in whole} == whole
    assert {"key": "ecs-pipeline:release", "value": "P"} in kept["tags"]


def test_a_promotion_that_was_done_before_keeps_what_it_replaced(run: Commands) -> None:
    run.world = start_of("A is promoted")
    assert run("promote", *NAMED, "--release", "A").code == 0
    assert json.loads(KEPT.read_text())["taskDefinition"]["taskDefinitionArn"].endswith("web:2")


def test_a_promotion_that_was_done_before_is_done_also_when_what_it_replaced_is_gone() -> None:
    world = start_of("A is promoted")
    forgotten(world)
    assert promote(world, release="A").code == 0


def test_values_that_may_be_secret_are_not_kept() -> None:
    containers: list[dict[str, Any]] = [
        {
            "name": "app",
            "environment": [{"name": "DB_PASSWORD", "value": "hunter2"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:x:1:parameter/key"}],
            "logConfiguration": {
                "logDriver": "splunk",
                "options": {"splunk-token": "hunter2", "awslogs-group": "/ecs/web"},
            },
        },
        {"name": "router", "firelensConfiguration": {"type": "fluentbit", "options": {"Passwd": "hunter2"}}},
    ]
    plain = definition()
    whole = replace(plain, definition={**plain.definition, "containerDefinitions": containers})
    kept = previous_definition.document(whole, ())
    assert "hunter2" not in json.dumps(kept)
    assert "hunter2" in json.dumps(dict(whole.definition))
    app = kept["taskDefinition"]["containerDefinitions"][0]
    assert app["secrets"][0]["valueFrom"] == "arn:aws:ssm:x:1:parameter/key"
    assert app["logConfiguration"]["options"]["awslogs-group"] == "/ecs/web"
    assert previous_definition.hidden_in(kept["taskDefinition"]) == [
        "app: DB_PASSWORD",
        "app: splunk-token",
        "router: Passwd",
    ]


# ---- a plain rollback


def test_a_plain_rollback_to_what_aws_describes_no_more_writes_nothing_and_names_the_file() -> None:
    world = start_of("A is promoted")
    forgotten(world)
    end = rollback(world)
    assert (end.code, end.writes, serving(world)) == (3, [], "web:3")
    assert end.text.startswith(
        "web:2, to which the service is to return, was deregistered, and AWS describes it no more; "
    )
    assert "`rollback --to FILE`" in end.text
    assert KEPT.name in end.text


# ---- --to FILE


def test_with_to_file_the_service_goes_to_what_the_promotion_kept(run: Commands) -> None:
    run.world = start_of("A is a canary")
    before = container(run.world)
    assert run("promote", *NAMED, "--release", "A").code == 0
    gone = forgotten(run.world)
    assert run("rollback", *NAMED).code == 3

    assert run("rollback", *NAMED, "--to", str(KEPT)).code == 0

    assert container(run.world) == before
    tags = run.world.revisions[run.world.deployments[0].revision].tags
    assert (tags["ecs-pipeline:restores"], tags["ecs-pipeline:release"]) == (gone, "P")
    assert run.world.marks()["release"] == "P"
    assert not list(clean(run.world))


def test_with_to_file_given_again_nothing_is_written(tmp_path: Path) -> None:
    world = start_of("A is promoted")
    plain = {"family": "web", "containerDefinitions": [container(world)]}
    path = file(tmp_path, plain)
    assert rollback(world, to=path).code == 0
    assert rollback(world, to=path).writes == []


def test_after_a_death_the_revision_that_was_registered_is_taken(tmp_path: Path) -> None:
    world = start_of("A is promoted")
    path = file(tmp_path, {"family": "web", "containerDefinitions": [container(world)]})
    kill_at(world, "after", "RegisterTaskDefinition", lambda: rollback(world, to=path))
    end = rollback(world, to=path)
    assert (end.code, serving(world)) == (0, "web:4")
    assert "RegisterTaskDefinition" not in end.writes


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            {
                "containerDefinitions": [
                    {
                        "name": "app",
                        "portMappings": [{"containerPort": 8000}],
                        "environment": [{"name": "A", "value": previous_definition.HIDDEN}],
                    }
                ]
            },
            "values are still to be written in: app: A; ",
        ),
        ({"services": {}}, "not a task definition"),
        (
            {"containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": 8000}]}]},
            "no container app, which the service's load balancer sends requests to",
        ),
    ],
)
def test_a_file_that_cannot_be_registered_changes_nothing(tmp_path: Path, content: Any, why: str) -> None:
    end = rollback(start_of("A is a canary"), to=file(tmp_path, content))
    assert (end.code, end.writes) == (2, [])
    assert why in end.text


def test_a_file_that_there_is_not_changes_nothing(tmp_path: Path) -> None:
    end = rollback(start_of("A is a canary"), to=str(tmp_path / "nothing.json"))
    assert (end.code, end.writes) == (2, [])
    assert "nothing.json: no such file; " in end.text


def test_a_dry_run_says_what_it_would_register(tmp_path: Path) -> None:
    world = start_of("A is promoted")
    path = file(tmp_path, {"family": "web", "containerDefinitions": [container(world)]})
    end = rollback(world, dry_run=True, to=path)
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.plan == [f"register a revision of web from {path}", "update prd/web to it"]
