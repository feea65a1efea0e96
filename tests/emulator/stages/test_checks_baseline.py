"""A baseline on real containers: beside the canary, compared with it, and gone with it."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.stages.log_checks import logs, requests
from tests.emulator.stages.log_checks import start as start_with_logs
from tests.emulator.stages.metric_checks import own_metric
from tests.emulator.stages.scene import Scene
from tests.emulator.stages.signals import Metrics


def by_role(scene: Scene) -> dict[str, Any]:
    """Our living tasks by their role."""
    found = {}
    for task in scene.canaries():
        tags = {tag["key"]: tag["value"] for tag in task["tags"]}
        found[tags["ecs-pipeline:role"]] = task
    return found


@pytest.mark.parametrize("way", ["promote", "rollback"])
def test_a_baseline_runs_beside_the_canary_and_goes_with_it(scene: Scene, way: str) -> None:
    before = scene.start(1, container={"healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 1}})
    scene.config(canary={"bake": "1s", "baseline": True})
    end = scene.canary("v2")
    assert end.code == 0, end.stderr
    passed = "container health checks passed: app"
    assert end.message("healthy") == f"{passed}; baseline: {passed}"
    assert {role: task["taskDefinitionArn"] for role, task in by_role(scene).items()} == {
        "canary": end.report["release"]["task_definition"],
        "baseline": before,
    }
    assert len(scene.registered()) == 3
    assert len(end.report["canary"]["tasks"]) == 1
    assert end.report["canary"]["share"] == 50.0
    shown = scene.ecs_pipeline("status").stdout
    assert f"baseline    {by_role(scene)['baseline']['taskArn'].rpartition('/')[2]} RUNNING" in shown
    assert scene.ecs_pipeline(way).code == 0
    assert scene.revisions()[0] == 1
    scene.assert_nothing_left()


def noise(canary: float) -> Any:
    """The service's own tasks are faster than both: warm caches must not count."""
    return {
        "canary": lambda count: canary + count % 7 / 1000,
        "baseline": lambda count: 0.1 + count % 5 / 1000,
        "stable": lambda _: 0.001,
    }


def test_a_canary_like_its_baseline_passes(scene: Scene) -> None:
    start_with_logs(scene, 1)
    with Metrics(scene, noise(0.1)) as metrics:
        latency = own_metric(metrics.namespace, compare="baseline", tolerance="50%")
        scene.config(
            canary={"bake": "15s", "baseline": True, "checks": [latency, logs(compare="baseline", ignore_below="2/s")]}
        )
        canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"latency": "pass", "errors": "pass"}
    assert "of the baseline" in canary.check("latency")["message"]
    assert "against 0 (0 a minute and task) of the baseline" in canary.check("errors")["message"]


def test_a_canary_that_is_slower_than_its_baseline_fails_the_release(scene: Scene) -> None:
    scene.start(1)
    with Metrics(scene, noise(0.5)) as metrics:
        latency = own_metric(metrics.namespace, compare="baseline", tolerance="50%")
        scene.config(canary={"bake": "60s", "baseline": True, "checks": [latency]})
        canary = scene.canary("v2")
    assert canary.code == 1, canary.stderr
    assert canary.cases()["check: latency"] == "failure"
    assert "of the baseline" in canary.case_message("check: latency")
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_a_canary_that_logs_more_errors_than_its_baseline_fails_the_release(scene: Scene) -> None:
    start_with_logs(scene, 1)
    scene.config(canary={"bake": "60s", "baseline": True, "checks": [requests(), logs(compare="baseline")]})
    canary = scene.canary("failing")
    assert canary.code == 1, canary.stderr
    assert "against 0 (0 a minute and task) of the baseline" in canary.case_message("check: errors")
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_a_baseline_that_dies_makes_the_comparisons_inconclusive(scene: Scene) -> None:
    start_with_logs(scene, 1)

    def stop_baseline() -> None:
        task = wait_for(lambda: by_role(scene).get("baseline"))
        wait_for(lambda: len(scene.registered()) == 3)
        time.sleep(4)
        scene.ecs.stop_task(cluster=scene.name, task=task["taskArn"])

    with Metrics(scene, noise(0.1)) as metrics, ThreadPoolExecutor() as pool:
        latency = {**own_metric(metrics.namespace, compare="baseline"), "on_missing": "fail"}
        scene.config(canary={"bake": "12s", "baseline": True, "checks": [latency, logs(compare="baseline")]})
        stopping = pool.submit(stop_baseline)
        canary = scene.canary("v2")
        stopping.result()
    assert canary.code == 5, canary.stderr
    assert canary.verdicts() == {"latency": "inconclusive", "errors": "inconclusive"}
    for case in ("check: latency", "check: errors"):
        assert canary.case_message(case).startswith("inconclusive: no baseline task")
    assert set(by_role(scene)) == {"canary"}
    assert len(scene.registered()) == 2
    assert scene.ecs_pipeline("rollback", "--canary").code == 0
    scene.assert_nothing_left()


def test_a_baseline_that_a_killed_canary_started_is_taken_over_and_goes_with_a_rollback(scene: Scene) -> None:
    scene.start(1)
    scene.config(canary={"bake": "1s", "baseline": True})
    words, _ = scene.command("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    canary = subprocess.Popen(words, cwd=scene.folder, env=scene.environment(), stderr=subprocess.DEVNULL)
    baseline = wait_for(lambda: by_role(scene).get("baseline"))
    canary.kill()
    canary.wait()
    again = scene.canary("v2")
    assert again.code == 0, again.stderr
    assert by_role(scene)["baseline"]["taskArn"] == baseline["taskArn"]
    assert len(scene.canaries()) == 2
    assert scene.ecs_pipeline("rollback").code == 0
    scene.assert_nothing_left()
