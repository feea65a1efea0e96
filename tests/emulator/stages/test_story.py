"""The main job: canary, promote, rollback, on real containers."""

from __future__ import annotations

import pytest

from tests.emulator.stages.scene import Scene


def test_a_release_goes_all_the_way_and_back(scene: Scene) -> None:
    """With the installed program, as users start it."""
    scene.forks = None
    before = scene.start()

    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    task = scene.canaries()[0]
    assert canary.report["canary"]["share"] == 25.0
    assert canary.report["canary"]["tasks"][0]["arn"] == task["taskArn"]
    assert canary.report["release"]["previous_task_definition"] == before
    assert scene.image_of(task["taskDefinitionArn"]) == scene.images.digest("v2")
    assert scene.service()["taskDefinition"] == before
    assert len(scene.registered()) == 4

    promote = scene.ecs_pipeline("promote", "--release", "v2")
    assert promote.code == 0, promote.stderr
    assert scene.running_image() == scene.images.digest("v2")
    assert scene.marks() == {
        "release": "v2",
        "under-way": "v2",
        "source": scene.marks()["source"],
        "wanted": scene.service()["taskDefinition"],
        "previous": before,
    }
    scene.assert_nothing_left()

    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    assert scene.service()["taskDefinition"] == before
    assert "release" not in scene.marks()
    assert "previous" not in scene.marks()
    assert scene.revisions() == [1]
    scene.assert_nothing_left()

    again = scene.ecs_pipeline("rollback")
    assert again.code == 0
    assert again.message("preflight") == "nothing to roll back"


def test_every_stage_again_changes_nothing_and_ends_as_it_did(scene: Scene) -> None:
    scene.start()
    for words in (("canary", "--image", scene.images.uri("v2"), "--release", "v2"), ("promote",), ("rollback",)):
        first = scene.ecs_pipeline(*words)
        marks, revisions, tasks = scene.marks(), scene.revisions(), [canary["taskArn"] for canary in scene.canaries()]
        second = scene.ecs_pipeline(*words)
        assert (first.code, second.code) == (0, 0), second.stderr
        assert (marks, revisions) == (scene.marks(), scene.revisions())
        assert tasks == [canary["taskArn"] for canary in scene.canaries()]


@pytest.mark.parametrize(
    ("variant", "steps", "reason"),
    [
        # What ends at once may be seen running before.
        ("crash", ("tasks", "traffic"), "exit code 3"),
        ("unhealthy", ("traffic",), "Target.ResponseCodeMismatch"),
    ],
)
def test_a_bad_canary_is_taken_back_with_its_reason(
    scene: Scene, variant: str, steps: tuple[str, ...], reason: str
) -> None:
    before = scene.start()
    scene.config(canary={"healthy_within": "8s"})
    canary = scene.canary(variant)
    assert canary.code == 1
    assert reason in canary.report["message"]
    (failed,) = [name for name, kind in canary.cases().items() if kind == "failure"]
    assert failed in steps
    assert canary.cases()["restore"] == "passed"
    assert "not reached" in canary.message("bake")
    (task,) = canary.report["canary"]["tasks"]
    assert f'name="canary_tasks" value="{task["arn"]}"' in canary.junit.read_text()
    assert "has reached a steady state" not in canary.stderr  # that was before the canary
    assert f"start it again; the service runs {scene.name}:1 as before" in canary.stderr
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_a_crash_shows_the_last_lines_of_the_log(scene: Scene, aws: object) -> None:
    logs = scene.client("logs")
    logs.create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    scene.start(1, container={"logConfiguration": {"logDriver": "awslogs", "options": options}})
    canary = scene.canary("crash")
    assert canary.code == 1
    assert "fatal: cannot start version=crash" in canary.stderr
    assert "fatal: cannot start version=crash" in canary.junit.read_text()


def test_a_canary_is_rolled_back_and_the_service_left_alone(scene: Scene) -> None:
    before = scene.start(1)
    scene.canary("v2")
    tasks = {task["taskArn"] for task in scene.tasks()}
    rollback = scene.ecs_pipeline("rollback", "--canary")
    assert rollback.code == 0, rollback.stderr
    assert [name for name, kind in rollback.cases().items() if kind == "passed"] == [
        "preflight",
        "drain",
        "cleanup",
        "deregister",
    ]
    assert scene.service()["taskDefinition"] == before
    assert {task["taskArn"] for task in scene.tasks()} == tasks
    scene.assert_nothing_left()


def test_a_promoted_service_is_left_alone_by_rollback_canary(scene: Scene) -> None:
    scene.start(1)
    scene.canary("v2")
    scene.ecs_pipeline("promote")
    assert scene.ecs_pipeline("rollback", "--canary").code == 0
    assert scene.running_image() == scene.images.digest("v2")


def test_another_release_is_refused_until_it_replaces(scene: Scene) -> None:
    scene.start(1)
    scene.canary("v2")
    refused = scene.canary("v3")
    assert refused.code == 3
    assert "release v2 holds" in refused.stderr
    assert scene.revisions() == [1, 2]
    replaced = scene.canary("v3", "--replace")
    assert replaced.code == 0, replaced.stderr
    assert [scene.image_of(canary["taskDefinitionArn"]) for canary in scene.canaries()] == [scene.images.digest("v3")]
    assert scene.revisions() == [1, 3]


def test_promote_refuses_what_was_not_approved(scene: Scene) -> None:
    scene.start(1)
    scene.canary("v2")
    refused = scene.ecs_pipeline("promote", "--release", "v3")
    assert refused.code == 3
    assert "is release v2, not v3" in refused.stderr


def test_promote_refuses_a_canary_that_died(scene: Scene) -> None:
    scene.start(1)
    scene.canary("v2")
    scene.ecs.stop_task(cluster=scene.name, task=scene.canaries()[0]["taskArn"])
    refused = scene.ecs_pipeline("promote", "--release", "v2")
    assert refused.code == 3
    assert "stopped" in refused.stderr
    assert scene.ecs_pipeline("rollback").code == 0
    scene.assert_nothing_left()
    assert scene.revisions() == [1]


def test_a_revision_that_somebody_deregistered_is_registered_anew(scene: Scene) -> None:
    before = scene.start(1)
    scene.canary("v2")
    scene.ecs_pipeline("promote")
    scene.ecs.deregister_task_definition(taskDefinition=before)
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    assert scene.running_image() == scene.images.digest("v1")
    assert scene.revisions() == [3]
    scene.assert_nothing_left()


def test_the_service_goes_to_any_revision_or_release(scene: Scene) -> None:
    scene.start(1)
    for variant in ("v2", "v3"):
        assert scene.canary(variant).code == 0
        assert scene.ecs_pipeline("promote").code == 0
    assert scene.ecs_pipeline("rollback", "--to", "v2").code == 0
    assert scene.running_image() == scene.images.digest("v2")
    assert scene.marks()["release"] == "v2"
    assert scene.ecs_pipeline("rollback", "--to", "1").code == 0
    assert scene.running_image() == scene.images.digest("v1")
    unknown = scene.ecs_pipeline("rollback", "--to", "v9")
    assert unknown.code == 2
    scene.assert_nothing_left()


def test_status_tells_what_runs_and_what_lives(scene: Scene) -> None:
    scene.start(1)
    scene.canary("v2")
    table = scene.ecs_pipeline("status")
    assert table.code == 0
    assert "release v2" in table.stdout
    assert "50 %" in table.stdout
    facts = scene.ecs_pipeline("status", "--output", "json").stdout
    assert '"verdict": "pass"' in facts


def test_a_dry_run_writes_nothing(scene: Scene) -> None:
    scene.start(1)
    before = (scene.marks(), scene.revisions(), len(scene.canaries()), len(scene.registered()))
    plan = scene.canary("v2", "--dry-run")
    assert plan.code == 0
    assert "would run 1 task of" in plan.stdout
    assert f"containerDefinitions.app.image: {scene.images.digest('v1')} → {scene.images.digest('v2')}" in plan.stdout
    assert not plan.junit.exists()
    assert before == (scene.marks(), scene.revisions(), len(scene.canaries()), len(scene.registered()))
    scene.canary("v2")
    lives = (scene.marks(), scene.revisions(), [canary["taskArn"] for canary in scene.canaries()])
    for stage in ("promote", "rollback"):
        dry = scene.ecs_pipeline(stage, "--dry-run")
        assert dry.code == 0, dry.stderr
        assert "would" in dry.stdout
    assert lives == (scene.marks(), scene.revisions(), [canary["taskArn"] for canary in scene.canaries()])


def test_a_canary_whose_marks_on_the_service_were_taken_away_is_removed_target_first(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    assert scene.ecs_pipeline("rollback").code == 0
    assert scene.canary("v3").code == 0
    keys = [tag["key"] for tag in scene.service(include=["TAGS"])["tags"] if tag["key"].startswith("ecs-pipeline:")]
    scene.ecs.untag_resource(resourceArn=scene.service()["serviceArn"], tagKeys=keys)
    rollback = scene.ecs_pipeline("rollback")
    assert rollback.code == 0, rollback.stderr
    assert (rollback.step("drain"), rollback.step("cleanup")) == ("passed", "passed")
    scene.assert_nothing_left()
