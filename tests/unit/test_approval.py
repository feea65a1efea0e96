"""What was approved is what is promoted: another image, or the release started again, is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote, rollback, serving

V4, V5 = (f"{REGISTRY}/web@{digest_of(version)}" for version in ("v4", "v5"))


def with_images() -> World:
    world = start_of("P runs")
    world.images |= {digest_of(version): digest_of(version) for version in ("v4", "v5")}
    return world


def test_the_same_release_with_another_image_after_a_rollback_is_not_what_was_approved() -> None:
    world = with_images()
    first = canary(world, release="rel-7", image=V4)
    approved = first.run.recorder.record.release
    assert (approved.digest, approved.epoch) == (digest_of("v4"), "0")
    assert rollback(world, release="rel-7").code == 0
    again = canary(world, release="rel-7", image=V5).run.recorder.record.release
    assert again.digest == digest_of("v5")
    refused = promote(world, release="rel-7", digest=approved.digest)
    assert (refused.code, refused.writes) == (3, [])
    assert refused.text.startswith(
        f"release rel-7 of prd/web is image {digest_of('v5')} now, not {digest_of('v4')}, which was approved"
    )
    refused = promote(world, release="rel-7", epoch=approved.epoch)
    assert (refused.code, refused.writes) == (3, [])
    assert "not 0: a rollback came since it was approved" in refused.text
    assert promote(world, release="rel-7", digest=again.digest, epoch=again.epoch).code == 0


def test_the_same_image_started_again_is_another_epoch() -> None:
    world = with_images()
    approved = canary(world, release="rel-7", image=V4).run.recorder.record.release
    rollback(world)
    assert canary(world, release="rel-7", image=V4).code == 0
    assert promote(world, release="rel-7", digest=approved.digest, epoch=approved.epoch).code == 3
    assert promote(world, release="rel-7", digest=approved.digest).code == 0


@pytest.mark.parametrize("prefix", ["sha256:", ""])
def test_what_was_approved_is_promoted_and_given_again_ends_as_before(prefix: str) -> None:
    world = with_images()
    canary(world, release="rel-7", image=V4)
    digest = prefix + digest_of("v4").removeprefix("sha256:")
    assert promote(world, release="rel-7", digest=digest, epoch="0").code == 0
    again = promote(world, release="rel-7", digest=digest, epoch="0")
    assert (again.code, again.writes) == (0, [])
    other = promote(world, release="rel-7", digest=digest_of("v5"))
    assert (other.code, other.writes, serving(world)) == (3, [], "web:3")


@pytest.mark.parametrize(
    "options", [{"digest": "v4"}, {"digest": "sha256:abc"}, {"epoch": "a/b"}, {"task_definition": "web"}]
)
def test_what_is_no_digest_or_epoch_is_bad_input_before_anything_is_asked(options: dict[str, Any]) -> None:
    world = with_images()
    canary(world, release="rel-7", image=V4)
    world.log.clear()
    assert promote(world, release="rel-7", **options).code == 2
    assert world.log == []


@pytest.mark.parametrize("whole", [False, True])
def test_another_revision_than_the_approved_one_is_refused_also_with_its_image(*, whole: bool) -> None:
    world = with_images()
    approved = canary(world, release="rel-7", image=V4).run.recorder.record.release.task_definition
    other, name = approved.replace("web:3", "web:33"), approved.rpartition("/")[2]
    refused = promote(world, task_definition=other if whole else "web:33", digest=digest_of("v4"), epoch="0")
    assert (refused.code, refused.writes) == (3, [])
    assert refused.text.startswith("release rel-7 of prd/web runs web:3 now, not web:33, which was approved; ")
    assert promote(world, task_definition=approved if whole else name).code == 0
    again = promote(world, task_definition=approved if whole else name)
    assert (again.code, again.writes) == (0, [])


def test_status_and_the_record_show_what_is_to_be_handed_on() -> None:
    from ecs_pipeline.reports.json_report import to_dict
    from ecs_pipeline.stages.status import status

    world = with_images()
    canary(world, release="rel-6", image=V5)
    rollback(world)
    end = canary(world, release="rel-7", image=V4)
    live = status(new_run(world, "status", ()))["canary"]
    told = to_dict(end.run.recorder.record)
    assert (live["digest"], live["epoch"]) == (told["release"]["digest"], told["epoch"])
    assert told["release"]["digest"] == digest_of("v4")
    assert len(told["epoch"]) == 32
    assert promote(world, digest=live["digest"], epoch=live["epoch"]).code == 0


def test_a_resumed_canary_tells_the_same() -> None:
    world = with_images()
    first = canary(world, release="rel-7", image=V4).run.recorder.record.release
    again = canary(world, release="rel-7", image=V4).run.recorder.record.release
    assert (first.digest, first.epoch) == (again.digest, again.epoch)
