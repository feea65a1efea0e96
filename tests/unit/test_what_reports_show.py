"""What the record says of the canary when it leaves: its tasks stopped, its share fallen, at the moment it happened."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_pipeline.engine.record import StageRecord
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary, promote, rollback

QUICK = {"canary": {"bake": "20s", "healthy_within": "30s"}}


def fails_in_its_bake(world: World) -> End:
    """A new canary whose targets turn unhealthy once it takes traffic."""
    begun, before = world.now, world.hook

    def hook(when: str, call: str, write: bool) -> None:  # noqa: FBT001 - the world's hook
        before(when, call, write)
        if world.now > begun + 12:
            world.bad_images[f"{REGISTRY}/web@{digest_of('B')}"] = "unhealthy"

    world.hook = hook
    return canary(world, release="B", settings=QUICK)


@pytest.mark.parametrize(
    ("start", "stage", "code"),
    [("A is a canary", promote, 0), ("A is a canary", rollback, 0), ("P runs", fails_in_its_bake, 1)],
    ids=["promote", "rollback", "canary that fails"],
)
def test_a_canary_that_left_is_shown_stopped_and_its_share_falls_when_it_leaves(
    start: str, stage: Callable[[World], End], code: int
) -> None:
    world, left = start_of(start), []

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("after", "DeregisterTargets"):
            left.append(world.now)

    world.hook = hook
    end = stage(world)
    record = end.run.recorder.record
    assert end.code == code, end.text
    assert [(task.state, task.target_groups) for task in record.canary] == [("STOPPED", ())]
    assert record.share == 0.0
    assert shares(record)[-2:] == [25.0, 0.0]
    assert record.traffic[-1].at.timestamp() == pytest.approx(left[0], abs=0.5)


def shares(record: StageRecord) -> list[float]:
    return [point.share for point in record.traffic]


def test_a_canary_without_a_load_balancer_never_had_a_share() -> None:
    world = start_of("P runs")
    world.with_load_balancer = False
    record = canary(world, release="A").run.recorder.record
    assert (set(shares(record)), record.share) == ({0.0}, 0.0)
    record = promote(world).run.recorder.record
    assert (set(shares(record)), record.share) == ({0.0}, 0.0)
    assert [task.state for task in record.canary] == ["STOPPED"]


def test_a_canary_that_is_out_of_the_traffic_already_has_no_share_when_it_is_promoted_again() -> None:
    world = start_of("A is a canary")

    def die(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("before", "StopTask"):
            raise KeyboardInterrupt

    world.hook = die
    with pytest.raises(KeyboardInterrupt):
        promote(world)
    world.hook = lambda _when, _call, _write: None
    record = promote(world).run.recorder.record
    assert (set(shares(record)), record.share) == ({0.0}, 0.0)


def test_the_share_of_a_canary_that_stays_is_told_by_every_stage_that_looks() -> None:
    world = start_of("A is a canary")
    assert canary(world, release="A").run.recorder.record.share == 25.0
    assert promote(world, release="B").code == 3
    assert rollback(world, dry_run=True).run.recorder.record.share == 25.0
