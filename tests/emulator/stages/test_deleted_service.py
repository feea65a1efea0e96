"""A service that was deleted while a canary lived."""

from __future__ import annotations

import time

from tests.emulator.stages.scene import Scene


def test_a_rollback_takes_away_what_is_left_of_the_release(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    scene.ecs.delete_service(cluster=scene.name, service=scene.name, force=True)
    until = time.monotonic() + 30
    while scene.service()["status"] != "INACTIVE":
        assert time.monotonic() < until, "the service is not deleted"
        time.sleep(0.2)
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    assert (scene.canaries(), scene.registered(), len(scene.revisions())) == ([], set(), 1)
    assert rollback.cases()["drain"] == rollback.cases()["cleanup"] == "passed"
    again = scene.ecs_pipeline("rollback")
    assert again.code == 2, again.stderr
