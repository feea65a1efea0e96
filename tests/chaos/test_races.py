"""Two stages on one service, started at the same moment: one wins, the other says who holds the service."""

from __future__ import annotations

from contextlib import ExitStack

from tests.chaos.picture import left_over
from tests.chaos.rig import Rig
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene


def side_by_side(rig: Rig, scene: Scene, *commands: list[str]) -> list[Outcome]:
    """Commands that begin together, and how they ended."""
    with ExitStack() as all_of_them:
        running = [all_of_them.enter_context(rig.started(scene, *words, beside=True)) for words in commands]
        return [task.ended() for task in running]


def canary(rig: Rig, release: str, variant: str) -> list[str]:
    return ["canary", "--release", release, "--image", rig.images.uri(variant)]


def test_of_two_canaries_one_holds_the_service(rig: Rig, attempt: int) -> None:
    with rig.service() as scene:
        done = dict(
            zip(("a", "b"), side_by_side(rig, scene, canary(rig, "a", "v2"), canary(rig, "b", "v3")), strict=True)
        )
        winner, loser = sorted(done, key=lambda release: done[release].code)
        assert (done[winner].code, done[loser].code) == (0, 3), done
        assert f"release {winner} holds" in done[loser].stderr
        assert [tags_of(task)["ecs-pipeline:release"] for task in scene.canaries()] == [winner]
        assert scene.marks()["under-way"] == winner
        assert len(scene.revisions()) == 2
        assert len(scene.registered()) == 2
        assert scene.ecs_pipeline("rollback").code == 0
        assert left_over(scene) == []


def test_two_canaries_of_one_release_make_one(rig: Rig, attempt: int) -> None:
    with rig.service() as scene:
        done = side_by_side(rig, scene, canary(rig, "a", "v2"), canary(rig, "a", "v2"))
        assert [end.code for end in done] == [0, 0], done
        assert (len(scene.canaries()), len(scene.revisions()), len(scene.registered())) == (1, 2, 2)


def test_a_canary_does_not_disturb_a_promote(rig: Rig, attempt: int) -> None:
    with rig.service() as scene:
        assert scene.canary("v2", "--release", "a").code == 0
        promote, other = side_by_side(rig, scene, ["promote"], canary(rig, "b", "v3"))
        assert promote.code == 0, promote.stderr
        assert other.code == 3, other.stderr
        assert "release a holds" in other.stderr
        scene.assert_nothing_left()
        assert scene.running_image() == scene.images.digest("v2")
        assert scene.marks()["release"] == "a"


def test_of_promote_and_rollback_the_rollback_wins(rig: Rig, attempt: int) -> None:
    with rig.service() as scene:
        assert scene.canary("v2", "--release", "a").code == 0
        promote, rollback = side_by_side(rig, scene, ["promote"], ["rollback"])
        assert rollback.code == 0, rollback.stderr
        assert promote.code == 3, promote.stderr
        assert left_over(scene) == []


def tags_of(task: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in task["tags"]}
