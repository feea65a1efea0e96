"""`provision` on an environment that is there: what it leaves, what a dry run tells, what a killed run left."""

from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from embedded_aws.images import FOLDER
from tests.chaos.proxy import Exchange, listening
from tests.emulator.stages.provision_scene import service, write
from tests.emulator.stages.scene import Scene


@pytest.fixture
def environment(scene: Scene) -> Scene:
    """A project with an app and two sidecars, and a config for `provision`."""
    shutil.copytree(FOLDER / "app", scene.folder / "app")
    shutil.copytree(FOLDER / "sidecar", scene.folder / "sidecar")
    write(scene)
    return scene


def test_provisioning_again_changes_nothing(environment: Scene) -> None:
    scene = environment
    scene.ecs_pipeline("provision")
    again = scene.ecs_pipeline("provision")
    assert again.code == 0, again.stderr
    assert again.message("stack") == "unchanged"


def test_neither_the_revision_nor_the_count_is_reset(environment: Scene) -> None:
    scene = environment
    scene.ecs_pipeline("provision")
    scene.ecs_pipeline("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    assert scene.ecs_pipeline("promote").code == 0
    scene.ecs.update_service(cluster=scene.name, service="web", desiredCount=3)
    deployed = service(scene)["taskDefinition"]
    write(scene, Cpu="1024", Memory="2048", MaximumCount=9, HealthCheckPath="/healthy")
    changed = scene.ecs_pipeline("provision")
    assert changed.code == 0, changed.stderr
    assert "modify  TaskDefinition" in changed.stderr
    found = service(scene)
    assert found["taskDefinition"] == deployed
    assert found["desiredCount"] == 3


def test_a_dry_run_shows_the_changes_and_makes_none(environment: Scene) -> None:
    scene = environment
    plan = scene.ecs_pipeline("provision", "--dry-run")
    assert plan.code == 0, plan.stderr
    assert "add     Cluster (AWS::ECS::Cluster)" in plan.stderr
    assert scene.ecs.describe_clusters(clusters=[scene.name])["clusters"] == []
    stacks = scene.client("cloudformation").list_stacks()["StackSummaries"]
    assert scene.name not in {stack["StackName"] for stack in stacks}
    assert "change           add     Service (AWS::ECS::Service)" in plan.stdout


def test_a_dry_run_on_an_environment_writes_nothing(environment: Scene) -> None:
    scene = environment
    assert scene.ecs_pipeline("provision").code == 0
    unchanged = scene.ecs_pipeline("provision", "--dry-run")
    assert (unchanged.code, "stack            unchanged" in unchanged.stdout) == (0, True), unchanged.stderr
    write(scene, Cpu="1024", Memory="2048")
    before = change_sets(scene)
    with listening(scene.server.endpoint) as proxy:
        plan = scene.ecs_pipeline("provision", "--dry-run", AWS_ENDPOINT_URL=proxy.endpoint)
        operations = {call.operation for call in proxy.calls}
    assert plan.code == 0, plan.stderr
    assert "would change up to" in plan.stdout
    assert "change           modify  TaskDefinition (AWS::ECS::TaskDefinition)" in plan.stdout
    assert {operation for operation in operations if not operation.startswith(("Describe", "Get", "List"))} == set()
    assert change_sets(scene) == before


def change_sets(scene: Scene) -> list[str]:
    found = scene.client("cloudformation").list_change_sets(StackName=scene.name)["Summaries"]
    return [str(change_set["ChangeSetName"]) for change_set in found]


@pytest.mark.parametrize(("operation", "number"), [("CreateChangeSet", 1), ("ExecuteChangeSet", 1)])
def test_a_run_that_died_is_finished_by_the_next(environment: Scene, operation: str, number: int) -> None:
    scene = environment

    def die(exchange: Exchange) -> None:
        exchange.forwarded()
        exchange.kill_caller()

    given = ("provision", "--image", scene.images.uri("v1"))
    command, _ = scene.command(*given)
    with listening(scene.server.endpoint) as proxy:
        proxy.begin(lambda call: die if (call.operation, call.number) == (operation, number) else None)
        with subprocess.Popen(
            command,
            cwd=scene.folder,
            env=scene.environment(AWS_ENDPOINT_URL=proxy.endpoint),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as killed:
            proxy.pid = killed.pid
        assert killed.returncode == -signal.SIGKILL
    again = scene.ecs_pipeline(*given)
    assert again.code == 0, again.stderr
    assert service(scene)["runningCount"] == 2
