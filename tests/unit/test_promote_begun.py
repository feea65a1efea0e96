"""A promote that died before the service was told: what it goes on with is still what was judged."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.canary_world import at, dies, kill_at
from tests.unit.promotions import refused
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, promote, rollback, serving

TWO: dict[str, Any] = {"canary": {"tasks": 2, "bake": "2s", "healthy_within": "30s"}}


def begun() -> World:
    """Promote of A has written its marks and died."""
    world = start_of("A is a canary")
    kill_at(world, "after", "TagResource", lambda: promote(world, release="A"))
    return world


def test_it_goes_on_when_the_canary_is_well() -> None:
    world = begun()
    assert (promote(world, release="A").code, serving(world)) == (0, "web:3")
    assert not list(clean(world))


def test_a_canary_that_died_meanwhile_is_refused() -> None:
    world = begun()
    dies(world)
    text = refused(world, release="A")
    assert text.startswith("the canary of release A is not well any more: its task is gone; ")
    assert (rollback(world).code, active(world), serving(world)) == (0, ["web:1", "web:2"], "web:2")


def test_a_canary_that_was_started_again_and_not_judged_is_refused() -> None:
    world = begun()
    dies(world)
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, release="A"))
    world.schedule.now += 10
    assert "has no verdict" in refused(world, release="A")
    assert canary(world, release="A").code == 0
    assert (promote(world, release="A").code, serving(world)) == (0, "web:3")


def test_a_canary_that_fails_when_it_is_started_again_is_undone_with_the_marks() -> None:
    world = begun()
    dies(world)
    world.bad_images[f"{REGISTRY}/web@{digest_of('A')}"] = "crash"
    assert canary(world, release="A").code == 1
    assert (active(world), serving(world), world.marks()["release"]) == (["web:1", "web:2"], "web:2", "P")
    assert not list(clean(world))


@pytest.mark.parametrize("number", [0, 1])
def test_of_several_tasks_each_has_to_be_well(number: int) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=TWO).code == 0
    dies(world, number)
    text = refused(world, release="A")
    assert text.startswith("the canary of release A is not well any more: 1 of its tasks stopped") or number == 0
    assert "has no verdict" in text or number == 1


def test_a_canary_that_lost_one_of_its_tasks_is_made_whole_and_judged_again() -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=TWO)
    dies(world, 1)
    assert canary(world, release="A", settings=TWO).code == 0
    assert len(world.alive()) == 2
    assert promote(world, release="A").code == 0
    assert not list(clean(world))


def test_what_was_judged_before_a_task_was_lost_is_not_promoted_until_it_is_judged_again() -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=TWO)
    dies(world, 1)
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, release="A", settings=TWO))
    world.schedule.now += 10
    assert "has no verdict" in refused(world, release="A")
    assert canary(world, release="A", settings=TWO).code == 0
    assert promote(world, release="A").code == 0


def test_sizes_are_judged_anew_from_the_first_when_a_task_was_lost() -> None:
    sizes = [{"tasks": 2, "bake": "2s"}, {"tasks": 4, "bake": "2s"}]
    settings: dict[str, Any] = {"canary": {"steps": sizes, "healthy_within": "30s"}}
    world = start_of("P runs")
    canary(world, release="A", settings={"canary": {**settings["canary"], "steps": sizes[:1]}})
    world.alive()[0].tags |= {release_tags.VERDICT: "inconclusive", release_tags.JUDGED_STEPS: "1"}
    dies(world, 1)
    begun = len(world.log)
    assert canary(world, release="A", settings=settings).code == 0
    judged = [
        tags for _, name, tags in world.log[begun:] if name == "TagResource" and release_tags.JUDGED_TASKS in tags
    ]
    assert [tags[release_tags.JUDGED_TASKS] for tags in judged] == ["2", "4"]


def restore_died() -> World:
    """Promote of A failed, and its process died when it had begun to restore."""
    world = start_of("A is a canary", {"A": "rollout"})
    kill_at(world, "after", "TagResource", lambda: promote(world), count=3)
    return world


def test_a_plain_promote_whose_restore_died_finishes_that_and_does_not_say_that_all_is_well() -> None:
    world = restore_died()
    end = promote(world)
    assert end.code == 3
    assert end.text.startswith("release A was cancelled; what was left of it is removed now")
    assert not list(clean(world))


def test_a_plain_promote_after_a_rollback_that_died_finishes_that() -> None:
    world = start_of("A is promoted")
    kill_at(world, "after", "TagResource", lambda: rollback(world))
    end = promote(world)
    assert (end.code, serving(world)) == (3, "web:2")
    assert end.text.startswith("release A was cancelled")
    assert not list(clean(world))


def test_a_revision_that_somebody_sets_in_the_middle_stays_when_the_promotion_is_undone() -> None:
    world = start_of("A is a canary")
    chosen: list[str] = []

    def set_another() -> None:
        if not chosen:
            running = next(made.revision for made in world.deployments if made.revision.endswith(":2"))
            chosen.append(world.register(world.revisions[running].definition, {}))
            world.update_service(chosen[0])

    at(world, "after", "UpdateService", set_another)
    end = promote(world, release="A")
    name = chosen[0].rpartition("/")[2]
    assert (end.code, serving(world)) == (1, name)
    assert f"the service runs {name}" in end.text
    assert "as before" not in end.text
    assert "web:3" not in active(world)
    assert (rollback(world).code, serving(world)) == (0, "web:2")
