"""Hooks on real containers, with the policy that `policy` prints for them."""

from __future__ import annotations

import json
import subprocess
import time
from typing import Any

import pytest

from tests.emulator.stages.deployer import Deployer
from tests.emulator.stages.scene import Scene


@pytest.fixture
def deployer(scene: Scene) -> Deployer:
    """The service, whose tasks log with awslogs, and a role that may do nothing yet."""
    scene.client("logs").create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    made = Deployer(scene)
    logging = {"logConfiguration": {"logDriver": "awslogs", "options": options}}
    scene.start(1, container=logging, definition=made.roles())
    scene.images.uri("v2")
    return made


def hook(name: str, line: str) -> dict[str, Any]:
    """A hook that a shell of the container runs."""
    return {"name": name, "command": ["sh", "-c", line]}


def allow_what_policy_prints(scene: Scene, deployer: Deployer) -> None:
    printed = scene.ecs_pipeline("policy")
    assert printed.code == 0, printed.stderr
    deployer.allow(json.loads(printed.stdout)["Statement"])


def test_hooks_run_around_a_release_with_the_printed_policy(scene: Scene, deployer: Deployer) -> None:
    scene.config(
        hooks={
            "before_canary": [hook("migrate", 'echo "migrated by $VERSION"')],
            "after_promote": [hook("purge", "echo purged")],
            "after_rollback": [hook("revert", 'echo "reverted by $VERSION"')],
        }
    )
    allow_what_policy_prints(scene, deployer)
    canary = deployer.canary("v2")
    assert canary.code == 0, canary.stderr
    assert "| migrated by v2" in canary.stderr
    assert canary.stderr.index("| migrated by v2") < canary.stderr.index("tasks passed")
    assert canary.cases()["before_canary: migrate"] == "passed"

    promote = deployer.runs("promote")
    assert (promote.code, promote.cases()["after_promote: purge"]) == (0, "passed"), promote.stderr
    again = deployer.runs("promote")
    assert (again.code, again.report["changed"]) == (0, False)
    rollback = deployer.runs("rollback")
    assert (rollback.code, "| reverted by v1" in rollback.stderr) == (0, True), rollback.stderr
    scene.assert_nothing_left()
    assert scene.revisions() == [1]


def test_a_hook_that_fails_ends_the_release_before_a_canary_starts(scene: Scene, deployer: Deployer) -> None:
    scene.config(hooks={"before_canary": [hook("migrate", "echo cannot migrate; exit 7")]})
    allow_what_policy_prints(scene, deployer)
    canary = deployer.canary("v2")
    assert canary.code == 1, canary.stderr
    assert canary.cases()["before_canary: migrate"] == "failure"
    assert canary.report["message"] == "hook migrate failed: exit code 7"
    assert "  cannot migrate" in canary.report["evidence"]
    assert canary.step("tasks") == "skipped"
    scene.assert_nothing_left()
    assert scene.revisions() == [1]


def hook_task(scene: Scene) -> dict[str, Any]:
    """The hook's task, once it runs."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        started = scene.ecs.list_tasks(cluster=scene.name, startedBy=f"run/{scene.name}")["taskArns"]
        for task in scene.ecs.describe_tasks(cluster=scene.name, tasks=started)["tasks"] if started else ():
            if task["lastStatus"] == "RUNNING":
                return dict(task)
        time.sleep(0.2)
    raise AssertionError("no hook's task runs")


def test_a_rollback_lets_the_task_of_a_killed_canary_s_hook_end(scene: Scene) -> None:
    scene.start(1)
    uri = scene.images.uri("v2")
    endless = "while true; do usleep 100000; done"
    scene.config(hooks={"before_canary": [hook("migrate", endless)]})
    command, _ = scene.command("canary", "--image", uri, "--release", "v2")
    with subprocess.Popen(command, cwd=scene.folder, env=scene.environment(), stderr=subprocess.DEVNULL) as process:
        try:
            task = hook_task(scene)
        finally:
            process.kill()
    rollback = scene.ecs_pipeline("rollback", "--release", "v2")
    assert rollback.code == 0, rollback.stderr
    assert scene.revisions() == [1]
    [now] = scene.ecs.describe_tasks(cluster=scene.name, tasks=[task["taskArn"]])["tasks"]
    assert (now["lastStatus"], now["taskDefinitionArn"]) == ("RUNNING", task["taskDefinitionArn"])
    scene.ecs.stop_task(cluster=scene.name, task=task["taskArn"])
