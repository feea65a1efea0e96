"""`canary` takes a canary for done only when it runs what this run would make; what is changed since stops nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.ecs import READ_ONLY, FakeDefinitions
from tests.fakes.names import REGISTRY, definition_with, digest_of, names
from tests.fakes.resources import FakeTask
from tests.fakes.world import World
from tests.unit.canary_world import dies, kill_at
from tests.unit.intruder import forge, set_by_hand
from tests.unit.protocol.simulation import start_of
from tests.unit.registering import normalising
from tests.unit.stage_runs import canary, promote, rollback

ROLE = "arn:aws:sts::123456789012:assumed-role/deploy"
IMAGE = f"{REGISTRY}/web@{digest_of('B')}"
CONTAINER = {"name": "app", "image": "x", "portMappings": [{"containerPort": 8000}]}


def his_canary(world: World) -> FakeTask:
    """A judged task of a revision with the release's image and his own command: RegisterTaskDefinition and RunTask."""
    whole = definition_with(IMAGE)
    whole["containerDefinitions"][0]["command"] = ["sh", "-c", "his own"]
    revision = world.register(whole, {release_tags.RELEASE: "B", release_tags.EPOCH: "0/"})
    task = forge(world, "B", revision, tags={release_tags.JUDGED_TASKS: "1"})
    world.schedule.now += 30
    return task


def without_traffic(*, built: bool = True) -> World:
    """A service without a load balancer; the release's image is in the repository."""
    world = start_of("P runs")
    world.with_load_balancer = False
    if built:
        world.images[digest_of("B")] = world.images["B"] = digest_of("B")
    return world


def file_of(folder: Path, **members: Any) -> dict[str, Any]:
    """Settings with a task-definition file."""
    path = folder / "taskdef.json"
    whole = {"family": "web", "networkMode": "awsvpc", "containerDefinitions": [CONTAINER | members]}
    path.write_text(json.dumps(whole))
    return {"task_definition": str(path)}


def assert_refused(world: World, his: FakeTask, **options: Any) -> None:
    end = canary(world, release="B", **options)
    assert end.code == 3
    name = names([his.revision])[0]
    assert end.text.startswith(
        f"task {his.arn[-32:]} has the tags of release B's canary, but it runs {name}, "
        "which is not what this run registered"
    )
    assert his.stop_asked is None
    assert world.revisions[his.revision].active


@pytest.mark.parametrize("when", ["before the canary", "its task died"])
def test_a_revision_that_somebody_registered_as_the_releases_is_not_taken_for_it(when: str) -> None:
    world = without_traffic(built=when == "before the canary")
    if when == "its task died":
        assert canary(world, release="B").code == 0
        dies(world)
    assert_refused(world, his_canary(world))
    assert rollback(world, canary_only=True).code == 0
    assert canary(world, release="B").code == promote(world, release="B").code == 0
    assert "command" not in world.revisions[world.deployments[0].revision].definition["containerDefinitions"][0]


def test_nor_is_one_beside_the_releases_own() -> None:
    world = without_traffic(built=False)
    assert canary(world, release="B").code == 0
    his = his_canary(world)
    his.tags[release_tags.INDEX] = "1"
    assert_refused(world, his)


def test_nor_is_one_after_a_forced_deployment() -> None:
    world = without_traffic()
    his = his_canary(world)
    world.deployments[0].created = world.now
    assert_refused(world, his)


def test_nor_is_one_after_the_service_was_set_by_hand_before_it() -> None:
    world = without_traffic()
    set_by_hand(world)
    assert_refused(world, his_canary(world))


@pytest.mark.parametrize("after", ["the canary", "the promotion"])
def test_a_service_that_was_set_by_hand_meanwhile_keeps_nobody_from_going_on(after: str) -> None:
    world = start_of("A is a canary")
    set_by_hand(world)
    if after == "the promotion":
        kill_at(world, "before", "StopTask", lambda: promote(world, release="A"))
    end = canary(world, release="A")
    assert (end.code, end.writes) == (0, [])
    told = ["web:3 of the canary is taken as it is: the service was given web:4 since it began"]
    assert [note for note in end.run.recorder.record.notes if "taken as it is" in note] == (
        told if after == "the canary" else []
    )
    assert promote(world, release="A").code == 0


def test_what_was_made_from_a_file_is_done_and_nothing_is_written(tmp_path: Path) -> None:
    world, file = start_of("P runs"), file_of(tmp_path)
    assert canary(world, release="B", settings=file).code == 0
    end = canary(world, release="B", settings=file)
    assert (end.code, end.writes, end.run.recorder.record.checks) == (0, [], [])


def test_a_file_whose_values_aws_writes_otherwise_is_asked_about_and_the_verdict_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, file = start_of("P runs"), file_of(tmp_path)
    path = Path(str(file["task_definition"]))
    path.write_text(json.dumps({**json.loads(path.read_text()), "cpu": "1 vCPU"}))
    normalising(monkeypatch)
    assert canary(world, release="B", settings=file).code == 0
    before = [arn for arn, revision in world.revisions.items() if revision.active]
    end = canary(world, release="B", settings=file)
    assert (end.code, end.writes) == (0, ["RegisterTaskDefinition", "DeregisterTaskDefinition"])
    assert [arn for arn, revision in world.revisions.items() if revision.active] == before
    assert end.message("preflight") == "release B is done already: nothing was changed"
    dry = canary(world, release="B", settings=file, dry_run=True)
    assert (dry.writes, dry.run.recorder.record.changed) == ([], True)
    assert dry.run.recorder.record.plan[0].startswith("register a revision of web ")


def registered_by(monkeypatch: pytest.MonkeyPatch, who: list[str]) -> None:
    """AWS tells who registered a revision: at each time the last that `who` names."""
    register = World.register

    def noted(self: World, given: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        arn = register(self, given, tags)
        self.revisions[arn].added["registeredBy"] = who[-1]
        return arn

    monkeypatch.setattr(World, "register", noted)
    monkeypatch.setattr(FakeDefinitions, "read_only_members", READ_ONLY | {"registeredBy"})


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_file_that_was_changed_since_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, dry_run: bool
) -> None:
    world, file, who = start_of("P runs"), file_of(tmp_path), [f"{ROLE}/build-1"]
    registered_by(monkeypatch, who)
    assert canary(world, release="B", settings=file).code == 0
    before = [arn for arn, revision in world.revisions.items() if revision.active]
    who.append(f"{ROLE}/build-2")
    file = file_of(tmp_path, command=["new"])
    end = canary(world, release="B", settings=file, dry_run=dry_run)
    assert (end.code, end.message("preflight")) == (0, "release B is done already: nothing was changed")
    told = f"web:3 of the canary is taken as it is: {file['task_definition']} was changed since it began"
    assert (told in end.run.recorder.record.notes) != dry_run
    assert [arn for arn, revision in world.revisions.items() if revision.active] == before


@pytest.mark.parametrize("his_role", [f"{ROLE}-of-his/build-1", ""])
def test_a_revision_of_somebody_else_that_is_not_made_from_the_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, his_role: str
) -> None:
    world, who = without_traffic(), [his_role]
    registered_by(monkeypatch, who)
    his = his_canary(world)
    before = [arn for arn, revision in world.revisions.items() if revision.active]
    who.append(f"{ROLE}/build-1" if his_role else "")
    assert_refused(world, his, settings=file_of(tmp_path))
    assert [arn for arn, revision in world.revisions.items() if revision.active] == before


def test_one_that_the_service_runs_by_now_is_done_whatever_the_file_says(tmp_path: Path) -> None:
    world, file = start_of("P runs"), file_of(tmp_path)
    assert canary(world, release="B", settings=file).code == 0
    kill_at(world, "before", "StopTask", lambda: promote(world, release="B", settings=file))
    assert canary(world, release="B", settings=file_of(tmp_path, command=["new"])).code == 0
