"""What promote refuses: anything that is not what was approved, and anything that is not well any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_pipeline.engine.run import Origin
from ecs_pipeline.protocol import release_tags
from tests.fakes.resources import FakeDeployment
from tests.fakes.world import World
from tests.unit.canary_world import kill_at
from tests.unit.promotions import refused
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, promote, rollback, serving


def test_without_a_canary_there_is_nothing_to_promote() -> None:
    assert refused(World()) == "no canary lives at prd/web; run `canary` first"
    assert refused(start_of("P runs"), release="A") == "no canary of release A lives at prd/web; run `canary` first"


def test_another_release_than_the_canarys_is_refused() -> None:
    text = refused(start_of("A is a canary"), release="B")
    assert text == ("the canary of prd/web is release A, not B; promote what was approved: `promote --release A`")


def test_the_build_of_the_other_release_is_named() -> None:
    world = start_of("P runs")
    canary(world, Origin(build="https://ci.example.com/7/"), release="A")
    assert "is release A, not B, build https://ci.example.com/7/; promote" in refused(world, release="B")


@pytest.mark.parametrize("release", ["P", "A"])
def test_a_release_is_not_promoted_past_the_canary_of_another(release: str) -> None:
    world = start_of("A is promoted")
    canary(world, release="B")
    assert "the canary of prd/web is release B" in refused(world, release=release)


def test_a_wrong_id_is_bad_input() -> None:
    assert "is not a release id" in refused(start_of("A is a canary"), code=2, release="a b")


def test_a_canary_without_a_verdict_is_refused_until_that_is_asked_for() -> None:
    world = start_of("A is a canary")
    del world.alive()[0].tags[release_tags.VERDICT]
    text = refused(world, release="A")
    assert text.startswith("the canary of release A at prd/web has no verdict: its bake did not end; ")
    assert promote(world, release="A", unjudged=True).code == 0
    assert serving(world) == "web:3"


@pytest.mark.parametrize("verdict", ["pass", "inconclusive"])
def test_any_verdict_will_do_for_a_person_decides_and_an_inconclusive_one_is_told(verdict: str) -> None:
    world = start_of("A is a canary")
    world.alive()[0].tags[release_tags.VERDICT] = verdict
    end = promote(world, release="A")
    assert end.code == 0
    told = ["warning: the verdict of release A is inconclusive; it is promoted anyway"]
    assert end.run.recorder.record.notes == (told if verdict == "inconclusive" else [])


def unhealthy(world: World) -> None:
    world.bad_images[world.revisions[world.alive()[0].revision].image] = "unhealthy"


def drained(world: World) -> None:
    (key,) = world.targets
    world.targets[key] = (world.now, world.now)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (unhealthy, "is unhealthy"),
        (lambda world: world.targets.clear(), "is not registered"),
        (drained, "is not registered"),
    ],
)
def test_a_canary_that_is_not_well_any_more_is_refused(harm: Callable[[World], None], words: str) -> None:
    world = start_of("A is a canary")
    target = f"{world.alive()[0].address}:8000"
    harm(world)
    why = f"target {target} {words}; `rollback` it, or run `canary` again"
    assert refused(world, release="A") == f"the canary of release A is not well any more: {why}"


def test_a_canary_that_died_is_told_with_the_reason() -> None:
    world = start_of("A is a canary")
    world.stop_task(world.alive()[0].arn, "Essential container in task exited", "EssentialContainerExited")
    text = refused(world, release="A")
    assert text.startswith("no canary of release A lives at prd/web: its task ")
    assert "stopped (Essential container in task exited" in text


def test_a_canary_that_dies_after_the_service_follows_it_does_not_matter() -> None:
    world = start_of("A is a canary")
    arn = world.alive()[0].arn

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("after", "UpdateService"):
            world.stop_task(arn, "by hand")

    world.hook = hook
    assert promote(world, release="A").code == 0
    assert serving(world) == "web:3"


def test_a_release_that_was_rolled_back_cannot_be_promoted() -> None:
    assert "no canary of release A lives" in refused(start_of("A was rolled back"), release="A")


def test_a_service_on_a_revision_that_was_cancelled_is_refused() -> None:
    world = start_of("A is a canary")
    gone = next(iter(world.revisions.values()))
    gone.active = False
    world.deployments = [FakeDeployment("ecs-svc/9", gone.arn, world.now, rollout="COMPLETED")]
    assert refused(world, release="A") == "prd/web runs web:1, which was cancelled; `rollback` brings it back first"


def test_a_revision_that_somebody_else_deregistered_is_registered_anew_first() -> None:
    world = World()
    assert canary(world, release="A").code == 0
    first = next(iter(world.revisions.values()))
    first.active = False
    assert refused(world, release="A") == (
        "prd/web runs web:1, which was deregistered; `rollback --to web:1` registers it anew first"
    )
    assert rollback(world, to="web:1").code == 0
    assert canary(world, release="A").code == 0
    assert promote(world, release="A").code == 0


def test_given_again_it_changes_nothing() -> None:
    world = start_of("A is promoted")
    for release in ("", "A"):
        end = promote(world, release=release)
        assert (end.code, end.writes) == (0, [])
        told = end.message("preflight")
        assert told == "release A: web:3 is promoted already, and no canary lives: nothing was changed"


def test_after_a_canary_that_failed_it_says_which_release_is_promoted_and_what_became_of_the_other() -> None:
    world = start_of("A is promoted", failing={"B": "crash"})
    assert canary(world, release="B").code == 1
    end = promote(world)
    assert (end.code, end.writes, end.release) == (0, [], "A")
    assert end.message("preflight") == (
        "release A: web:3 is promoted already, and no canary lives (release B was rolled back since): "
        "nothing was changed"
    )


def test_a_release_that_has_begun_without_a_canary_is_named() -> None:
    world = start_of("A is promoted")
    kill_at(world, "before", "RunTask", lambda: canary(world, release="B"))
    end = promote(world)
    assert (end.code, end.writes) == (0, [])
    assert "no canary lives (release B has begun): nothing was changed" in end.message("preflight")


def test_the_approval_is_recorded_on_the_service() -> None:
    world = start_of("A is a canary")
    promote(world, release="A", approved_by="Ann <ann@example.com>")
    assert world.marks()["approved-by"] == "Ann ann@example.com"


def test_where_to_return_is_written_down_before_the_service_changes() -> None:
    world = start_of("A is a canary")
    promote(world, release="A")
    calls = [(name, detail) for _, name, detail in world.log if name in ("TagResource", "UpdateService")]
    (_, tags), (_, mark), (_, revision) = calls[-3:]
    arns = {name: arn for arn, name in zip(world.revisions, ("web:1", "web:2", "web:3"), strict=True)}
    assert (tags[release_tags.PREVIOUS], tags[release_tags.WANTED], revision) == (
        arns["web:2"],
        arns["web:3"],
        arns["web:3"],
    )
    assert (tags[release_tags.RELEASE], tags[release_tags.UNDER_WAY], mark) == ("A", "A", release_tags.promoted())


def test_the_canary_leaves_the_traffic_only_after_the_rollout_and_its_task_is_stopped_last() -> None:
    end = promote(start_of("A is a canary"), release="A")
    assert end.writes == ["TagResource", "TagResource", "UpdateService", "DeregisterTargets", "StopTask"]


@pytest.mark.parametrize("breaker", [True, False])
def test_a_rollout_that_fails_is_rolled_back_and_the_release_is_gone(*, breaker: bool) -> None:
    world = start_of("A is a canary", {"A": "rollout"})
    world.breaker = breaker
    end = promote(world, release="A")
    assert (end.code, serving(world), active(world), world.alive()) == (1, "web:2", ["web:1", "web:2"], [])
    assert end.message("restore") == "the service runs web:2; no canary lives"
    assert not list(clean(world))


def test_a_dry_run_writes_nothing_and_tells_each_step() -> None:
    end = promote(start_of("A is a canary"), release="A", dry_run=True)
    assert (end.code, end.writes) == (0, [])
    told = {step.name: step.message for step in end.run.recorder.record.steps}
    assert told["service-update"] == "would update prd/web from web:2 to web:3"
    assert all(told[step].startswith("would ") for step in ("stable", "drain", "cleanup"))


def test_after_a_promotion_a_rollback_knows_the_way_back() -> None:
    world = start_of("A is a canary")
    promote(world, release="A")
    rollback(world)
    assert serving(world) == "web:2"


def test_who_approved_is_in_the_report_of_each_run() -> None:
    world = start_of("A is a canary")
    first = promote(world, release="A", approved_by="Jane")
    again = promote(world, release="A")
    assert [end.run.recorder.record.approved_by for end in (first, again)] == ["Jane", "Jane"]
