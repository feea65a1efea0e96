"""What a canary finds out before it touches anything: is it done, whose turn is it, what is it made of."""

from __future__ import annotations

import re

import pytest

from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.engine.run import Origin
from ecs_pipeline.protocol import release_tags
from tests.fakes.load_balancing import FakeElb
from tests.fakes.names import GROUP, REGISTRY, digest_of
from tests.fakes.resources import FakeDeployment
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import canary, promote, rollback

# ---- done already


@pytest.mark.parametrize("start", ["A is a canary", "A is promoted"])
def test_what_is_done_changes_nothing(start: str) -> None:
    end = canary(start_of(start), release="A")
    assert (end.code, end.writes) == (0, [])
    assert end.message("preflight") == "release A is done already: nothing was changed"


@pytest.mark.parametrize(("start", "previous"), [("A is a canary", "web:2"), ("A is promoted", "web:2")])
def test_the_report_of_what_is_done_has_the_release_whole(start: str, previous: str) -> None:
    found = canary(start_of(start), release="A").run.recorder.record.release
    revisions = [arn.rpartition("/")[2] for arn in (found.task_definition, found.previous_task_definition)]
    assert (found.id, found.image, found.digest) == ("A", f"{REGISTRY}/web@{digest_of('A')}", digest_of("A"))
    assert revisions == ["web:3", previous]


def test_an_inconclusive_verdict_is_reported_with_its_release_and_canary() -> None:
    world = start_of("A is a canary")
    world.alive()[0].tags[release_tags.VERDICT] = "inconclusive"
    record = canary(world, release="A").run.recorder.record
    assert [(task.arn, task.target_groups) for task in record.canary] == [(world.alive()[0].arn, (GROUP,))]
    assert record.share == 25
    assert (record.release.id, record.release.task_definition.rpartition("/")[2]) == ("A", "web:3")


def test_an_inconclusive_verdict_ends_as_it_did() -> None:
    world = start_of("A is a canary")
    world.alive()[0].tags[release_tags.VERDICT] = "inconclusive"
    end = canary(world, release="A")
    assert (end.code, end.writes) == (5, [])
    assert "the checks of release A were inconclusive" in end.text


def test_a_verdict_does_not_count_when_the_target_is_out_of_the_traffic() -> None:
    world = start_of("A is a canary")
    world.targets.clear()
    end = canary(world, release="A")
    assert (end.code, end.writes) == (0, ["TagResource", "TagResource", "RegisterTargets", "TagResource"])


# ---- whose turn


def test_a_second_release_is_refused_and_told_who_holds_the_service() -> None:
    end = canary(start_of("A is a canary"), release="B")
    assert (end.code, end.writes) == (3, [])
    assert re.match(r"release A holds prd/web: its canary task \w+ lives, since .* UTC; promote it", end.text)


def test_the_holders_build_is_named() -> None:
    world = start_of("P runs")
    canary(world, Origin(build="https://ci.example.com/7/"), release="A")
    assert "UTC, build https://ci.example.com/7/; " in canary(world, release="B").text


def test_with_replace_the_other_release_goes_first() -> None:
    world = start_of("A is a canary")
    end = canary(world, release="B", replace=True)
    assert end.code == 0
    assert [task.tags[release_tags.RELEASE] for task in world.alive()] == ["B"]
    assert end.writes.index("StopTask") < end.writes.index("RunTask")
    assert [
        revision.active for revision in world.revisions.values() if revision.tags.get(release_tags.RELEASE) == "A"
    ] == [False]


def test_with_replace_the_new_revision_is_made_from_the_one_that_the_service_went_back_to() -> None:
    world = start_of("A is a canary")
    kill_at(world, "after", "UpdateService", lambda: promote(world, release="A"))
    world.revisions[world.deployments[0].revision].definition["cpu"] = "512"
    assert canary(world, release="B", replace=True).code == 0
    made = [revision for revision in world.revisions.values() if revision.tags.get(release_tags.RELEASE) == "B"]
    assert ["cpu" in revision.definition for revision in made] == [False]


@pytest.mark.parametrize("image", ["", f"{REGISTRY}/web:A"])
def test_a_dry_run_with_replace_plans_as_if_the_other_were_gone(image: str) -> None:
    world = start_of("A is a canary")
    end = canary(world, release="B", image=image, replace=True, dry_run=True)
    assert (end.code, end.writes) == (0, [])
    assert end.message("tasks") == "would run 1 task of web:new"
    assert [task.tags[release_tags.RELEASE] for task in world.alive()] == ["A"]


def test_with_replace_there_need_not_be_another() -> None:
    assert canary(start_of("P runs"), release="B", replace=True).code == 0


def test_with_replace_the_release_itself_is_not_replaced() -> None:
    end = canary(start_of("A is a canary"), release="A", replace=True)
    assert (end.code, end.writes) == (0, [])


# ---- what it is made of


def test_a_service_with_a_controller_that_we_do_not_know_is_refused() -> None:
    world = start_of("P runs")
    world.raw["deploymentController"] = {"type": "CODE_DEPLOY"}
    end = canary(world, release="B")
    assert (end.code, end.writes) == (3, [])


def test_a_service_on_a_revision_that_was_cancelled_is_refused() -> None:
    world = start_of("A was rolled back")
    gone = next(revision.arn for revision in world.revisions.values() if not revision.active)
    world.deployments = [FakeDeployment("ecs-svc/9", gone, world.now, rollout="COMPLETED")]
    end = canary(world, release="B")
    assert (end.code, end.writes) == (3, [])
    assert end.text == "prd/web runs web:3, which was cancelled; `rollback` brings it back first"
    rollback(world)
    assert canary(world, release="B").code == 0


def test_a_revision_that_somebody_else_deregistered_is_registered_anew_first() -> None:
    world = World()
    (only,) = world.revisions.values()
    only.active = False
    end = canary(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert end.text == "prd/web runs web:1, which was deregistered; `rollback --to web:1` registers it anew first"
    assert rollback(world, to="web:1").code == 0
    assert canary(world, release="A").code == 0


def test_a_run_that_resumes_a_canary_says_so_and_that_its_bake_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("P runs")
    told: list[str] = []
    monkeypatch.setattr(Recorder, "progress", lambda _self, line: told.append(line))
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, release="A"))
    line = "release A is resumed: its canary lives, its bake starts over"
    assert line not in told
    assert canary(world, release="A").code == 0
    assert told.count(line) == 1


def test_a_service_without_room_for_our_tags_is_refused() -> None:
    world = start_of("P runs")
    world.service_tags |= {f"key-{number}": "x" for number in range(42)}
    end = canary(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert end.text == "service prd/web has 42 tags; ECS allows 50, and 9 are needed; remove some"


def test_a_dry_run_writes_nothing_and_tells_each_step() -> None:
    world = start_of("P runs")
    end = canary(world, release="A", dry_run=True)
    assert (end.code, end.writes, world.images) == (0, [], start_of("P runs").images)
    told = [step.message for step in end.run.recorder.record.steps if step.name not in ("preflight", "restore")]
    assert told.pop(3) == "no container health check"
    assert all(line.startswith("would ") for line in told), told


def test_a_dry_run_says_that_there_is_no_load_balancer() -> None:
    world = start_of("P runs")
    world.with_load_balancer = False
    end = canary(world, release="A", dry_run=True)
    assert end.message("traffic") == "the service has no load balancer: no traffic"
    assert not [line for line in end.run.recorder.record.plan if line.startswith("register them")]


@pytest.mark.parametrize("replace", [False, True])
def test_a_target_group_that_was_deleted_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, *, replace: bool
) -> None:
    world = start_of("A is a canary") if replace else World()
    monkeypatch.setattr(FakeElb, "target_group", lambda _self, _arn: None)
    end = canary(world, release="B", replace=replace)
    assert (end.code, end.writes) == (3, [])
    assert end.text == "target group web of prd/web was deleted; give the service its load balancer back"


def test_a_replacement_that_died_while_it_rolled_the_other_back_finishes_that() -> None:
    world = start_of("A is a canary")
    kill_at(world, "after", "TagResource", lambda: canary(world, release="B", replace=True))
    assert canary(world, release="B", replace=True).code == 0
    assert not list(clean(world))


def test_a_service_that_cannot_move_is_refused_before_anything_is_written() -> None:
    world = start_of("P runs")
    world.raw = {"deploymentConfiguration": {"minimumHealthyPercent": 100, "maximumPercent": 100}}
    end = canary(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert "none of its 3 tasks may be stopped" in end.text
