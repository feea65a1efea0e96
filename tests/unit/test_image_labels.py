"""Where an image comes from: the labels that are written and asked for, and another run's image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from ecs_pipeline.engine.run import Origin, Run
from ecs_pipeline.errors import Refused, Trouble
from tests.fakes.names import digest_of
from tests.fakes.world import World
from tests.unit.image_runs import DIGEST, Engine, building, carried_out, run_of
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary

COMMIT = "ab12cd3" + 33 * "4"


def from_sources(world: World) -> tuple[Run, Engine]:
    """A run in a clean checkout."""
    run, engine = run_of(world)
    committed = datetime(2026, 11, 23, 7, 15, tzinfo=timezone.utc)
    origin = Origin(COMMIT, True, "", "https://git.example.com/shop.git", "services/web/", committed)  # noqa: FBT003
    return replace(run, origin=origin), engine


def label_calls(world: World) -> list[str]:
    return [name for _, name, _ in world.log if name in ("BatchGetImage", "GetDownloadUrlForLayer")]


def test_what_is_built_here_carries_where_it_comes_from_and_is_not_asked_for_it() -> None:
    world = World()
    run, engine = from_sources(world)
    carried_out(building(run), run)
    assert engine.built[0].labels == {
        "org.opencontainers.image.revision": COMMIT,
        "org.opencontainers.image.created": "2026-11-23T07:15:00Z",
        "org.opencontainers.image.source": "https://git.example.com/shop.git",
        "org.opencontainers.image.version": "v1",
        "ecs-pipeline.service": "prd/web",
        "ecs-pipeline.context": "services/web",
        "ecs-pipeline.dockerfile": "Dockerfile",
    }
    assert (label_calls(world), run.recorder.record.notes) == ([], [])


def test_what_an_earlier_run_of_the_release_pushed_is_taken_and_that_is_told() -> None:
    world = World()
    carried_out(building(from_sources(world)[0]), from_sources(world)[0])
    run, engine = from_sources(world)
    assert carried_out(building(run), run).digest == DIGEST
    assert (engine.built, label_calls(world)) == ([], ["BatchGetImage", "GetDownloadUrlForLayer"])
    (note,) = run.recorder.record.notes
    assert note == (f"web:v1 is taken from the registry, not built: built for prd/web, its label names commit {COMMIT}")


def test_an_image_without_labels_is_taken_and_told_on_a_line_of_its_own() -> None:
    said: list[str] = []
    run, _ = from_sources(World(images={"v1": DIGEST}))
    run.recorder.progress = said.append  # type: ignore[method-assign,assignment]
    carried_out(building(run), run)
    line = "web:v1 is taken from the registry, not built: not built by ecs-pipeline, no label names its commit"
    assert (said, run.recorder.record.notes) == ([line], [line])


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"ecs-pipeline.service": "prd/api"}, "was built for service prd/api, not for prd/web"),
        ({"ecs-pipeline.context": "services/api"}, "was built from folder services/api, not from services/web"),
        ({"org.opencontainers.image.revision": 40 * "9"}, f"is of commit {40 * '9'}, not {COMMIT}"),
    ],
)
@pytest.mark.parametrize("dry", [False, True], ids=["done", "dry run"])
def test_an_image_of_another_service_place_or_commit_is_refused(labels: dict[str, str], why: str, *, dry: bool) -> None:
    run, engine = from_sources(World(images={"v1": DIGEST}, labels={DIGEST: labels}))
    run = replace(run, dry_run=dry)
    with pytest.raises(Refused) as refusal:
        carried_out(building(run), run)
    assert str(refusal.value) == (
        f"image web:v1 is in the registry already, and {why}; "
        "give this release an id of its own (--release), or the image that is meant (--image)"
    )
    assert (engine.built, engine.pushed) == ([], [])


def test_a_canary_that_is_refused_for_its_image_leaves_nothing() -> None:
    world = start_of("P runs")
    before = world.marks()
    world.images["A"] = digest_of("A")
    world.labels[digest_of("A")] = {"ecs-pipeline.service": "prd/other"}
    end = canary(world, release="A")
    assert (end.code, end.run.recorder.record.step("image").outcome) == (3, "failed")
    assert (world.marks(), world.alive()) == (before, [])


class Late(Engine):
    """Another run of the release pushed its image while this one was built, and the tag is immutable."""

    labels_there: Mapping[str, str] = {}

    def push(self, tag: str, login: tuple[str, str], told: Any) -> None:
        super().push(tag, login, told)
        self.world.labels[DIGEST] = self.labels_there or self.labels
        raise Trouble("push: tag invalid: the image tag 'v1' already exists and cannot be overwritten")


def test_when_another_run_of_the_release_was_faster_its_image_is_taken() -> None:
    world = World()
    run = replace(from_sources(world)[0], engine=Late(world))
    assert carried_out(building(run), run).digest == DIGEST
    assert "is taken from the registry" in run.recorder.record.notes[0]


def test_when_somebody_else_was_faster_that_image_is_refused() -> None:
    world = World()
    engine = Late(world)
    engine.labels_there = {"ecs-pipeline.service": "prd/other"}
    run = replace(from_sources(world)[0], engine=engine)
    with pytest.raises(Refused, match="was built for service prd/other"):
        carried_out(building(run), run)


def test_a_push_that_failed_and_left_nothing_is_trouble() -> None:
    class Broken(Engine):
        def push(self, tag: str, login: tuple[str, str], told: Any) -> None:
            raise Trouble("push: no route to host")

    world = World()
    run = replace(from_sources(world)[0], engine=Broken(world))
    with pytest.raises(Trouble, match="no route to host"):
        carried_out(building(run), run)
