"""Which release a canary is when no id is given: the one of the same source that is under way, else a new one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ecs_pipeline.engine.run import Origin
from ecs_pipeline.protocol import release_tags
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote

CLEAN, DIRTY = Origin("c0ffee0123", clean=True), Origin("c0ffee0123")
IMAGE = f"{REGISTRY}/web:v7"


def world_with_image(start: str = "P runs", *tags: str) -> World:
    """A world whose repository has images of these tags, each of its own content."""
    world = start_of(start)
    world.images |= {tag: digest_of(tag) for tag in (*tags, "v7")}
    world.images |= {digest: digest for digest in list(world.images.values())}
    return world


def interrupted(world: World, origin: Origin | None = None, **options: Any) -> str:
    """A canary that died once its task had started; the id of its release."""

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("before", "RegisterTargets"):
            raise KeyboardInterrupt

    world.hook = hook
    with pytest.raises(KeyboardInterrupt):
        canary(world, origin, **options)
    world.hook = lambda _when, _call, _write: None
    (alive,) = world.alive()
    return alive.tags[release_tags.RELEASE]


def test_a_new_release_is_named_by_time_and_commit_and_like_no_other() -> None:
    assert re.fullmatch(r"20\d{6}-\d{6}-c0ffee0-[0-9a-z]{5}", canary(start_of("P runs"), CLEAN).release)
    assert re.fullmatch(r"20\d{6}-\d{6}-[0-9a-z]{5}", canary(start_of("P runs")).release)


def test_two_releases_of_one_second_and_one_commit_are_two() -> None:
    assert canary(start_of("P runs"), CLEAN).release != canary(start_of("P runs"), CLEAN).release


def test_the_same_commit_goes_on_with_the_release_that_is_under_way() -> None:
    world = start_of("P runs")
    release = interrupted(world, CLEAN)
    world.schedule.now += 100
    end = canary(world, CLEAN)
    assert (end.code, end.release, len(world.tasks) - len(start_of("P runs").tasks)) == (0, release, 1)


def test_a_release_that_died_before_its_task_is_gone_on_with_too() -> None:
    world = start_of("P runs")
    world.service_tags |= {release_tags.UNDER_WAY: "r9", release_tags.SOURCE: "commit c0ffee0123"}
    assert canary(world, CLEAN).release == "r9"


@pytest.mark.parametrize("again", [DIRTY, Origin("another", clean=True), Origin()])
def test_other_sources_are_another_release_and_an_unclean_tree_always_is(again: Origin) -> None:
    world = start_of("P runs")
    release = interrupted(world, CLEAN)
    world.schedule.now += 100
    end = canary(world, again)
    assert (end.code, end.writes) == (3, [])
    assert f"release {release} holds prd/web" in end.text


def test_an_unclean_tree_does_not_even_go_on_with_its_own() -> None:
    world = start_of("P runs")
    interrupted(world, DIRTY)
    world.schedule.now += 100
    assert canary(world, DIRTY).code == 3


def test_once_it_is_promoted_the_same_commit_is_a_new_release() -> None:
    world = start_of("P runs")
    first = canary(world, CLEAN).release
    promote(world)
    world.schedule.now += 100
    assert canary(world, CLEAN).release != first


def test_the_same_image_goes_on_with_the_release_that_lives_however_it_is_named() -> None:
    world = world_with_image("P runs", "same")
    world.images["same"] = world.images["v7"]
    release = interrupted(world, image=IMAGE)
    world.schedule.now += 100
    assert canary(world, image=f"{REGISTRY}/web:same").release == release
    assert canary(world, image=f"{REGISTRY}/web@{digest_of('v7')}").release == release


def test_the_same_image_goes_on_with_a_release_that_lives_under_an_id_that_was_given() -> None:
    world = world_with_image()
    interrupted(world, image=IMAGE, release="r7")
    world.service_tags[release_tags.SOURCE] = ""
    assert canary(world, image=IMAGE).release == "r7"


def test_another_image_is_another_release() -> None:
    world = world_with_image("P runs", "v8")
    interrupted(world, image=IMAGE)
    world.schedule.now += 100
    assert canary(world, image=f"{REGISTRY}/web:v8").code == 3


def test_a_tag_that_moves_is_a_new_release_each_time_and_never_done_already() -> None:
    world = world_with_image("P runs", "v8")
    moving = f"{REGISTRY}/web:latest"
    releases = []
    for content in ("v7", "v8", "v8"):
        world.images["latest"] = world.images[content]
        end = canary(world, image=moving)
        assert end.code == 0, end.text
        (alive,) = world.alive()
        image = world.revisions[alive.revision].definition["containerDefinitions"][0]["image"]
        assert image == f"{REGISTRY}/web@{digest_of(content)}"
        assert promote(world).code == 0
        world.schedule.now += 100
        releases.append(end.release)
    assert len(set(releases)) == 3


def test_a_tag_that_moved_is_refused_under_an_id_that_is_promoted() -> None:
    world = world_with_image("P runs", "v8")
    moving = f"{REGISTRY}/web:latest"
    world.images["latest"] = world.images["v7"]
    assert canary(world, image=moving, release="latest").code == 0
    assert promote(world).code == 0
    again = canary(world, image=moving, release="latest")
    assert (again.code, again.writes, again.run.recorder.record.changed) == (0, [], False)
    world.images["latest"] = world.images["v8"]
    moved = canary(world, image=moving, release="latest")
    assert (moved.code, moved.writes) == (3, [])
    assert "give this one an id of its own: --release" in moved.text


@pytest.mark.parametrize("promoted", [True, False])
@pytest.mark.parametrize(("commit", "told"), [("c0ffee0123", False), ("decaf0123", True), ("", False)])
def test_an_id_that_is_given_again_for_another_commit_is_told_and_nothing_is_built(
    commit: str, *, told: bool, promoted: bool
) -> None:
    world = start_of("P runs")
    assert canary(world, CLEAN, release="main").code == 0
    if promoted:
        assert promote(world).code == 0
    again = canary(world, Origin(commit, clean=True), release="main")
    assert (again.code, again.writes) == (0, [])
    found = [line for line in again.run.recorder.record.notes if "is of commit" in line]
    warning = (
        "release main is of commit c0ffee0123, not decaf0123, which is here: it is done, and nothing is built; "
        "give this one an id of its own: --release"
    )
    assert found == ([warning] if told else [])


def test_a_release_that_lives_with_another_image_is_refused() -> None:
    world = world_with_image("P runs", "v8")
    interrupted(world, image=IMAGE, release="r7")
    end = canary(world, image=f"{REGISTRY}/web:v8", release="r7")
    assert (end.code, end.writes) == (3, [])
    there, given = (f"{REGISTRY}/web@{digest_of(version)}" for version in ("v7", "v8"))
    assert end.text.startswith(f"release r7 of prd/web lives with image {there}, not {given}; ")


def test_a_release_that_is_promoted_with_another_image_is_refused() -> None:
    world = world_with_image("A is promoted")
    end = canary(world, image=IMAGE, release="A")
    assert (end.code, end.writes) == (3, [])


@pytest.mark.parametrize("release", ["", " ", "a b", "a/b", "-a", ".a", "ä", "a" * 101, "a\n"])
def test_an_id_that_is_none_is_bad_input(release: str) -> None:
    end = canary(start_of("P runs"), release=release or "a:b")
    assert (end.code, end.writes) == (2, [])
    assert "is not a release id; use letters, digits" in end.text


@pytest.mark.parametrize("release", ["_", "a", "0.1-b_C", "a" * 100])
def test_an_id_that_is_one_is_taken(release: str) -> None:
    assert canary(start_of("P runs"), release=release).release == release
