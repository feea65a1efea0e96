"""Tasks with our tags that no release made: named and refused, never adopted, never in the traffic, never promoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from ecs_pipeline.reports.status_table import rows
from ecs_pipeline.stages.status import status
from tests.fakes.names import names
from tests.fakes.ports import new_run
from tests.fakes.resources import FakeTask
from tests.unit.canary_world import dies, once
from tests.unit.intruder import epoch_of, evil_revision, forge, in_traffic, the_lock
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, active, canary, promote, rollback, serving

STARTS = ["P runs", "A was rolled back"]


@pytest.mark.parametrize("start", STARTS)
def test_one_that_lives_before_the_canary_is_named_and_nothing_is_written(start: str) -> None:
    world = start_of(start)
    forged = forge(world, "B", evil_revision(world, "B"))
    end = canary(world, release="B")
    assert (end.code, end.writes) == (3, [])
    assert end.text.startswith(
        f"task {forged.arn[-32:]} has the tags of release B's canary, but it runs evil:1, which is of another family"
    )
    assert f"`aws ecs stop-task --cluster prd --task {forged.arn[-32:]}`, or `rollback --canary`" in end.text
    assert forged.stop_asked is None


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("lock", [True, False])
def test_one_that_comes_while_the_canary_is_made_is_refused_and_our_own_revision_stays(
    start: str, *, lock: bool
) -> None:
    world = start_of(start)
    evil = evil_revision(world, "B")
    forged: list[FakeTask] = []
    token = the_lock(world) if lock else "his-own"
    once(world, "after", "RegisterTaskDefinition", lambda: forged.append(forge(world, "B", evil, token=token)))
    end = canary(world, release="B")
    assert end.code == 3
    assert "runs evil:1, which is of another family" in end.text
    assert not in_traffic(world, forged[0])
    assert end.writes.count("RegisterTaskDefinition") == 1
    assert "DeregisterTaskDefinition" not in end.writes
    made = [
        revision
        for revision in world.revisions.values()
        if revision.tags.get(release_tags.RELEASE) == "B" and "/web:" in revision.arn
    ]
    assert [revision.active for revision in made] == [True]


@pytest.mark.parametrize("lock", [True, False])
def test_once_it_is_stopped_the_same_command_goes_on_with_what_it_made(*, lock: bool) -> None:
    world = start_of("P runs")
    evil = evil_revision(world, "B")
    forged: list[FakeTask] = []
    token = the_lock(world) if lock else "his-own"
    once(world, "after", "RegisterTaskDefinition", lambda: forged.append(forge(world, "B", evil, token=token)))
    assert canary(world, release="B").code == 3
    world.stop_task(forged[0].arn, "by hand")
    end = canary(world, release="B")
    assert (end.code, end.writes.count("RegisterTaskDefinition")) == (0, 0)
    (live,) = world.alive()
    assert names([live.revision]) == ["web:3"]
    assert promote(world, release="B").code == 0
    assert serving(world) == "web:3"


def test_one_that_says_it_is_another_releases_is_not_the_winner_of_a_race() -> None:
    world = start_of("P runs")
    evil = evil_revision(world, "Z")
    token = the_lock(world)
    once(world, "after", "RegisterTaskDefinition", lambda: forge(world, "Z", evil, token=token))
    end = canary(world, release="B")
    assert end.code == 3
    assert "has the tags of release Z's canary, but it runs evil:1" in end.text
    assert "web:3" in active(world)
    assert world.marks()["under-way"] == "B"


@pytest.mark.parametrize(
    ("release", "why"),
    [
        ("", "it runs web:2, which release B did not register"),
        ("C", "it runs web:3, which release B did not register"),
    ],
)
def test_one_that_runs_a_revision_of_the_family_that_is_another_releases_is_refused(release: str, why: str) -> None:
    world = start_of("P runs")
    revision = evil_revision(world, release, family="web") if release else world.deployments[0].revision
    forge(world, "B", revision)
    end = canary(world, release="B")
    assert (end.code, end.writes) == (3, [])
    assert why in end.text


def test_one_that_runs_our_revision_of_another_epoch_is_refused() -> None:
    world = start_of("A was rolled back")
    old = evil_revision(world, "A", release_tags.parse_epoch(""), family="web")
    forge(world, "A", old)
    end = canary(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert "which was registered in another epoch" in end.text


def test_one_that_runs_our_own_revision_with_overrides_is_refused() -> None:
    world = start_of("A is a canary")
    mine = world.alive()[0]
    dies(world)
    overrides = {"containerOverrides": [{"name": "app", "command": ["evil"]}]}
    forge(world, "A", mine.revision, overrides=overrides)
    assert "it runs web:3, with overrides" in canary(world, release="A").text
    assert "it runs web:3, with overrides" in promote(world, release="A").text
    assert serving(world) == "web:2"


def test_one_with_another_image_of_the_same_release_is_refused_and_our_own_revision_goes() -> None:
    world = start_of("P runs")
    other = evil_revision(world, "B", family="web")
    forge(world, "B", other)
    end = canary(world, release="B")
    assert (end.code, end.text.split(";")[0]) == (
        3,
        "release B of prd/web lives with image evil.example.com/web@sha256:" + "e" * 64 + ", not "
        "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/web@sha256:42" + "0" * 62,
    )
    assert "web:4" not in active(world)


def test_one_that_has_our_image_and_another_definition_is_refused() -> None:
    world = start_of("P runs")
    forged: list[FakeTask] = []

    def begin() -> None:
        image = next(
            revision for revision in world.revisions.values() if revision.tags.get(release_tags.RELEASE) == "B"
        ).image
        other = world.register(
            {**world.revisions[world.deployments[0].revision].definition, "cpu": "4096"},
            {release_tags.RELEASE: "B", release_tags.EPOCH: release_tags.epoch_value(epoch_of(world))},
        )
        world.revisions[other].definition["containerDefinitions"] = [
            {**world.revisions[other].definition["containerDefinitions"][0], "image": image}
        ]
        forged.append(forge(world, "B", other))

    once(world, "after", "RegisterTaskDefinition", begin)
    end = canary(world, release="B")
    assert end.code == 3
    assert "it runs web:4, which is not what this run registered" in end.text
    assert not in_traffic(world, forged[0])
    assert {"web:3", "web:4"} <= set(active(world))


def test_a_task_without_our_tags_that_has_the_token_is_passed_by() -> None:
    world = start_of("P runs")
    evil = evil_revision(world, "B")
    forged: list[FakeTask] = []

    def take() -> None:
        forged.append(forge(world, "B", evil, token=the_lock(world), tags={release_tags.SERVICE: "api"}))

    once(world, "after", "RegisterTaskDefinition", take)
    end = canary(world, release="B")
    assert end.code == 0
    assert end.writes.count("RunTask") == 3  # of a stopped canary, of this task, of its own
    assert forged[0].stop_asked is None
    assert not in_traffic(world, forged[0])
    assert rollback(world).code == 0
    assert forged[0].stop_asked is None


def test_a_task_that_is_tagged_as_another_services_holds_nothing_and_is_told() -> None:
    world = start_of("P runs")
    forge(world, "B", evil_revision(world, "B"), tags={release_tags.SERVICE: "api"})
    end = canary(world, release="C")
    assert end.code == 0
    (line,) = end.run.recorder.record.notes
    assert line.endswith("was started as a canary of web and is tagged as service api's: it is not stopped")


def test_status_shows_one_apart_from_the_canary() -> None:
    world = start_of("P runs")
    forged = forge(world, "B", evil_revision(world, "B"))
    facts = status(new_run(world, "status", ()))
    assert facts["canary"] is None
    why = "it runs evil:1, which is of another family"
    assert [(task["arn"], task["release"], task["why"]) for task in facts["foreign_tasks"]] == [(forged.arn, "B", why)]
    line = f"task {forged.arn[-32:]} has the tags of release B's canary, but {why}"
    assert facts["doubts"] == [line]
    assert ("doubt", line) in rows(facts)


@pytest.mark.parametrize("overrides", [None, {"containerOverrides": [{"name": "app", "command": ["slow"]}]}])
def test_a_baseline_that_is_none_is_not_taken_nor_compared_with(overrides: dict[str, object] | None) -> None:
    world = start_of("P runs")
    revision = world.deployments[0].revision if overrides else evil_revision(world, "B")
    baseline = {release_tags.ROLE: "baseline"}
    more: dict[str, Any] = {"overrides": overrides} if overrides else {}
    forged: list[FakeTask] = []
    once(
        world,
        "after",
        "RegisterTaskDefinition",
        lambda: forged.append(forge(world, "B", revision, tags=baseline, **more)),
    )
    settings = {"canary": {"bake": "2s", "healthy_within": "30s", "baseline": True}}
    end = canary(world, release="B", settings=settings)
    assert end.code == 0
    assert not in_traffic(world, forged[0])
    assert "no baseline" in end.message("tasks")


def test_one_of_another_role_is_refused() -> None:
    world = start_of("P runs")
    forge(world, "B", world.deployments[0].revision, tags={release_tags.ROLE: "boss"})
    assert "in a role that there is not" in canary(world, release="B").text


def test_one_that_runs_what_the_service_runs_is_its_releases_canary_and_no_harm_comes_of_it() -> None:
    world = start_of("P runs")
    token = the_lock(world)
    once(
        world, "after", "RegisterTaskDefinition", lambda: forge(world, "P", world.deployments[0].revision, token=token)
    )
    end = canary(world, release="B")
    assert end.code == 3
    assert "release P holds prd/web" in end.text
    assert rollback(world, canary_only=True).code == 0
    assert serving(world) == "web:2"
    assert canary(world, release="B").code == 0


@pytest.mark.parametrize("stage", [canary, promote])
def test_one_with_ecs_exec_that_the_service_does_not_have_is_refused(stage: Callable[..., End]) -> None:
    world = start_of("A is a canary")
    mine = world.alive()[0]
    dies(world)
    his = forge(world, "A", mine.revision, enableExecuteCommand=True)
    end = stage(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert f"task {his.arn[-32:]} has the tags of release A's canary, but it runs web:3, with ECS Exec" in end.text
    assert rollback(world, canary_only=True).code == 0
    assert world.alive() == []


def test_with_ecs_exec_as_the_service_has_it_a_canary_is_ours() -> None:
    world = start_of("P runs")
    world.raw["enableExecuteCommand"] = True
    assert canary(world, release="A").code == 0
    assert world.alive()[0].parameters["enableExecuteCommand"] is True
    assert promote(world, release="A").code == 0
