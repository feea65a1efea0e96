"""The main job where AWS is as strict as its documents, which is stricter than users of AWS see it."""

from __future__ import annotations

from tests.emulator.stages.scene import Scene


def test_a_release_goes_all_the_way_and_back_where_tasks_are_listed_by_their_starter_alone(scene: Scene) -> None:
    scene.start(1)
    scene.server.configure(started_by_alone=True)
    for _ in range(2):
        for words in (("canary", "--image", scene.images.uri("v2"), "--release", "v2"), ("promote",), ("rollback",)):
            outcome = scene.ecs_pipeline(*words)
            assert outcome.code == 0, outcome.stderr
    crashed = scene.canary("crash")
    assert crashed.code == 1, crashed.stderr
    scene.assert_nothing_left()
