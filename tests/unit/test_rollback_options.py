"""`rollback --canary`, `--release` and `--to`: only what was asked for, and nothing where there is nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.observe import TASKS_LAG
from tests.fakes.names import FAMILY, definition_with, digest_of
from tests.fakes.world import World
from tests.unit.canary_world import once
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, rollback, serving


def releases(world: World) -> list[str]:
    """The releases of the living canary tasks."""
    return [task.tags["ecs-pipeline:release"] for task in world.alive()]


# ---- --canary


def test_with_canary_a_live_one_goes_and_the_promoted_release_stays() -> None:
    world = start_of("A is promoted")
    canary(world, release="B")
    end = rollback(world, canary_only=True)
    assert (end.code, world.alive(), serving(world)) == (0, [], "web:3")
    assert world.marks()["release"] == "A"
    assert not list(clean(world))


@pytest.mark.parametrize("start", ["P runs", "A is promoted", "A was rolled back"])
def test_with_canary_and_without_one_nothing_is_written(start: str) -> None:
    end = rollback(start_of(start), canary_only=True)
    assert (end.code, end.writes, end.message("preflight")) == (0, [], "nothing to roll back")


def test_with_canary_a_service_without_any_history_is_fine() -> None:
    end = rollback(World(), canary_only=True)
    assert (end.code, end.writes) == (0, [])


def test_with_canary_and_release_the_start_of_that_release_is_cancelled() -> None:
    world = start_of("P runs")
    world.service_tags["ecs-pipeline:under-way"] = "A"
    assert rollback(world, canary_only=True, release="B").writes == []
    end = rollback(world, canary_only=True, release="A")
    assert (end.code, end.writes, serving(world)) == (0, ["TagResource"], "web:2")


def test_with_canary_and_release_a_promotion_is_left_alone() -> None:
    end = rollback(start_of("A is promoted"), canary_only=True, release="A")
    assert (end.code, end.writes) == (0, [])


def test_with_canary_and_release_anothers_canary_is_left_alone() -> None:
    world = start_of("A is promoted")
    canary(world, release="B")
    end = rollback(world, canary_only=True, release="A")
    assert (end.code, end.writes, releases(world)) == (0, [], ["B"])


# ---- --release


def test_with_release_its_canary_goes() -> None:
    world = start_of("A is a canary")
    assert rollback(world, release="A").code == 0
    assert (world.alive(), serving(world)) == ([], "web:2")


def test_with_release_its_promotion_is_undone() -> None:
    world = start_of("A is promoted")
    assert rollback(world, release="A").code == 0
    assert (serving(world), world.marks()["release"]) == ("web:2", "P")


@pytest.mark.parametrize(
    ("start", "release"),
    [
        ("A is a canary", "B"),
        ("A is promoted", "B"),
        ("A is promoted", "P"),
        ("A was rolled back", "A"),
        ("P runs", "A"),
    ],
)
def test_a_release_that_neither_lives_nor_is_promoted_or_was_superseded_is_left_alone(start: str, release: str) -> None:
    world = start_of(start)
    before = (serving(world), releases(world))
    end = rollback(world, release=release)
    assert (end.code, end.writes) == (0, [])
    assert (serving(world), releases(world)) == before


@pytest.mark.parametrize(("start", "promoted", "other"), [("A is a canary", "P", "A"), ("A is promoted", "A", "B")])
def test_with_release_a_promoted_one_is_not_undone_under_anothers_canary(start: str, promoted: str, other: str) -> None:
    world = start_of(start)
    canary(world, release=other)
    end = rollback(world, release=promoted)
    assert (end.code, end.writes, releases(world)) == (3, [], [other])
    assert end.text.startswith(f"release {promoted} is promoted, but the canary of {other} lives at prd/web; ")


# ---- --to


@pytest.mark.parametrize("to", ["2", "web:2", "P", "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/web:2"])
def test_with_to_the_service_goes_to_a_revision_named_in_any_way(to: str) -> None:
    world = start_of("A is promoted")
    end = rollback(world, to=to)
    assert (end.code, serving(world), world.marks()["release"]) == (0, "web:2", "P")
    assert active(world) == ["web:1", "web:2"]
    assert not list(clean(world))


def test_with_to_it_may_go_more_than_one_release_back() -> None:
    world = start_of("A is promoted")
    assert rollback(world, to="1").code == 0
    assert serving(world) == "web:1"
    assert not {"release", "previous"} & set(world.marks())
    assert rollback(world).writes == []


def test_with_to_a_live_canary_goes_first() -> None:
    world = start_of("A is a canary")
    end = rollback(world, to="1")
    assert (end.code, world.alive(), serving(world)) == (0, [], "web:1")
    assert end.writes.index("StopTask") < end.writes.index("UpdateService")
    assert not list(clean(world))


@pytest.mark.parametrize("to", ["3", "A"])
def test_with_to_what_runs_already_nothing_is_written(to: str) -> None:
    end = rollback(start_of("A is promoted"), to=to)
    assert (end.code, end.writes) == (0, [])


def test_with_to_a_revision_that_was_deregistered_is_registered_anew_with_its_release() -> None:
    world = start_of("A is promoted")
    arn = next(
        revision.arn for revision in world.revisions.values() if revision.tags.get("ecs-pipeline:release") == "P"
    )
    world.revisions[arn].active = False
    end = rollback(world, to="P")
    assert (end.code, serving(world)) == (0, "web:4")
    copy = world.revisions[world.deployments[0].revision]
    assert copy.definition == world.revisions[arn].definition
    assert copy.tags["ecs-pipeline:restores"] == arn
    assert (copy.tags["ecs-pipeline:release"], copy.tags["team"]) == ("P", "lab")
    assert (rollback(world, to="P").writes, active(world)) == ([], ["web:1", "web:4"])


def test_with_to_another_family_is_possible() -> None:
    world = start_of("A is promoted")
    world.register(definition_with(f"other@{digest_of('o')}", "other"), {})
    assert rollback(world, to="other:1").code == 0
    assert serving(world) == "other:1"


@pytest.mark.parametrize("to", ["99", "web:99", "nobody", "other:1", "arn:aws:ecs:x:1:task-definition/web:99", "0"])
def test_with_to_something_unknown_nothing_is_written(to: str) -> None:
    end = rollback(start_of("A is a canary"), to=to)
    assert (end.code, end.writes) == (2, [])
    assert FAMILY in end.text or "task definition" in end.text


def test_a_release_whose_id_is_a_number_is_found_when_no_revision_has_it() -> None:
    world = start_of("P runs")
    world.revisions[world.deployments[0].revision].tags["ecs-pipeline:release"] = "20261123"
    rollback(world, to="1")
    assert (rollback(world, to="20261123").code, serving(world)) == (0, "web:2")


def test_a_wrong_id_is_bad_input() -> None:
    end = rollback(start_of("A is promoted"), release="a b")
    assert (end.code, end.writes) == (2, [])
    assert "is not a release id" in end.text


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
def test_a_service_that_another_controller_deploys_is_not_sent_anywhere(controller: str) -> None:
    world = start_of("A is promoted")
    world.raw["deploymentController"] = {"type": controller}
    end = rollback(world, to="web:2")
    assert (end.code, end.writes) == (3, [])
    assert end.text.startswith(
        f"service prd/web cannot be sent to another revision: its deployment controller is {controller}; "
    )


@pytest.mark.parametrize("who", ["a rollback to another revision", "somebody who may tag"])
def test_to_a_revision_that_another_rollback_overtakes_is_told(who: str) -> None:
    world = start_of("A is promoted")

    def overtake() -> None:
        if who == "somebody who may tag":
            world.service_tags[release_tags.EPOCH] = "abc/B"
        else:
            assert rollback(world, to="web:2").code == 0

    once(world, "after", "UpdateService", overtake)
    end = rollback(world, to="web:1")
    assert (end.code, end.text) == (
        3,
        "another rollback began at prd/web while this one sent it to web:1; look at `status`, then run it again",
    )
    assert rollback(world, to="web:1").code == 0
    assert serving(world) == "web:1"


# ---- nothing to roll back, and why


@pytest.mark.parametrize(
    ("start", "options", "why"),
    [
        ("A is a canary", {"release": "Z"}, "release Z was superseded, the canary of A lives"),
        ("A is a canary", {"release": "Z", "canary_only": True}, "release Z was superseded, the canary of A lives"),
        (
            "A was rolled back",
            {},
            "release A was rolled back before; release P stays promoted, `rollback --release P` undoes it",
        ),
        ("A was rolled back", {"release": "A"}, "release A was rolled back before"),
        ("A was rolled back", {"release": "A", "canary_only": True}, "release A was rolled back before"),
        ("A was rolled back", {"release": "Z"}, "release Z has neither a canary nor a promotion at prd/web"),
        ("A is promoted", {"release": "A", "canary_only": True}, "release A is promoted and stays"),
        ("A is promoted", {"canary_only": True}, "no canary lives at prd/web"),
        ("P runs", {"release": "Z"}, "release Z has neither a canary nor a promotion at prd/web"),
    ],
)
def test_it_says_why_there_is_nothing(start: str, options: dict[str, Any], why: str) -> None:
    end = rollback(start_of(start), **options)
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.message == f"nothing to roll back: {why}"


def test_a_promotion_that_stays_is_named_with_what_undoes_it() -> None:
    """A plain rollback never goes a second release back, and at night nobody knows how the first one is told."""
    world = start_of("A is promoted")
    assert canary(world, release="B").code == rollback(world).code == 0
    end = rollback(world)
    stays = "release B was rolled back before; release A stays promoted, `rollback --release A` undoes it"
    assert (end.writes, end.run.recorder.record.message) == ([], f"nothing to roll back: {stays}")
    assert rollback(world, release="A").code == 0
    assert serving(world) == "web:2"


def test_a_release_that_a_newer_one_took_the_place_of_before_its_canary_lived_says_so() -> None:
    world = start_of("P runs")
    world.service_tags[release_tags.UNDER_WAY] = "B"
    end = rollback(world, release="A")
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.message == "nothing to roll back: release A was superseded, B is under way"


def test_a_release_whose_place_another_canary_has_is_not_waited_for() -> None:
    """RunTask's token lets one canary live: a task of the other release cannot be listed late."""
    world = start_of("A is a canary")
    begun = world.now
    assert rollback(world, release="Z", canary_only=True).code == 0
    assert world.now - begun < TASKS_LAG


def test_what_was_rolled_back_has_no_such_message() -> None:
    assert rollback(start_of("A is a canary")).run.recorder.record.message == ""
