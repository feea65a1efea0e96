"""The main job where AWS is as strict as its documents, which is stricter than users of AWS see it."""

from __future__ import annotations

from tests.emulator.stages.scene import Scene

STRICT = {"started_by_alone": True, "inactive_forgotten": True}


def test_releases_go_all_the_way_and_back(scene: Scene) -> None:
    scene.start(1)
    scene.server.configure(**STRICT)
    for _ in range(2):
        for words in (("canary", "--image", scene.images.uri("v2"), "--release", "v2"), ("promote",), ("rollback",)):
            outcome = scene.ecs_pipeline(*words)
            assert outcome.code == 0, outcome.stderr
    crashed = scene.canary("crash")
    assert crashed.code == 1, crashed.stderr
    scene.assert_nothing_left()


def test_a_service_goes_back_from_the_report_where_aws_forgets_a_deregistered_revision(scene: Scene) -> None:
    before = scene.start(1)
    image = scene.running_image()
    scene.server.configure(**STRICT)
    for words in (("canary", "--image", scene.images.uri("v2"), "--release", "v2"), ("promote",)):
        outcome = scene.ecs_pipeline(*words)
        assert outcome.code == 0, outcome.stderr
    scene.ecs.deregister_task_definition(taskDefinition=before)
    refused = scene.ecs_pipeline("rollback")
    assert (refused.code, "AWS describes it no more" in refused.stderr) == (3, True), refused.stderr

    (kept,) = scene.folder.glob("*/promote.previous-task-definition.json")
    outcome = scene.ecs_pipeline("rollback", "--to", str(kept))

    assert outcome.code == 0, outcome.stderr
    assert scene.running_image() == image
    scene.assert_nothing_left()
