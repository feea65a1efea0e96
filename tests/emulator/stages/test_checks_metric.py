"""The check `metric`: a series of the canary's tasks, held to a limit or compared with the stable ones'."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.stages.metric_checks import SOON, own_metric
from tests.emulator.stages.scene import Scene
from tests.emulator.stages.signals import Metrics


def searched(namespace: str, **limit: Any) -> dict[str, Any]:
    """A check that searches for the metrics of the canary's tasks."""
    search = f"SEARCH('{{{namespace},TaskId}} TaskId=({{canary.task_ids}})', 'Average', 1)"
    query = [
        {"Id": "found", "Expression": search, "ReturnData": False},
        {"Id": "worst", "Expression": "MAX(found) * 1000"},
    ]
    return {"name": "search", **SOON, "metric": {"query": query, **limit}}


def test_values_within_their_limits_pass(scene: Scene) -> None:
    scene.start(1)
    with Metrics(scene, {"canary": lambda _: 0.1, "stable": lambda _: 9.0}) as metrics:
        checks = [own_metric(metrics.namespace, at_most=0.2), searched(metrics.namespace, at_least=50)]
        scene.config(canary={"bake": "4s", "checks": checks})
        canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"latency": "pass", "search": "pass"}
    assert canary.check("latency")["value"] == pytest.approx(0.1)
    assert canary.check("search")["value"] == pytest.approx(100)
    assert canary.check("search")["limit"] == 50


def test_values_beyond_a_limit_fail_the_release(scene: Scene) -> None:
    before = scene.start(1)
    with Metrics(scene, {"canary": lambda _: 0.9, "stable": lambda _: 0.1}) as metrics:
        scene.config(canary={"bake": "60s", "checks": [searched(metrics.namespace, at_most=500)]})
        canary = scene.canary("v2")
    assert canary.code == 1
    assert canary.cases()["check: search"] == "failure"
    assert "900 at " in canary.case_message("check: search")
    assert "more than 500" in canary.case_message("check: search")
    assert canary.cases()["restore"] == "passed"
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_a_metric_that_nobody_puts_is_inconclusive(scene: Scene) -> None:
    scene.start(1)
    good = {**own_metric("Test/nothing", at_most=1), "name": "taken as good", "on_missing": "pass"}
    scene.config(canary={"bake": "5s", "checks": [own_metric("Test/nothing", at_most=1), good]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.verdicts() == {"latency": "inconclusive", "taken as good": "pass"}
    assert canary.case_message("check: latency").startswith("inconclusive")
    assert "no datapoint" in canary.check("latency")["message"]
    assert len(scene.canaries()) == 1


@pytest.mark.parametrize(
    ("latency", "code", "verdict"), [(0.5, 1, "fail"), (0.1, 0, "pass")], ids=["slower", "as fast"]
)
def test_a_canary_is_compared_with_the_stable_tasks(scene: Scene, latency: float, code: int, verdict: str) -> None:
    scene.start(2)
    noise = {"canary": lambda count: latency + count % 7 / 1000, "stable": lambda count: 0.1 + count % 5 / 1000}
    with Metrics(scene, noise) as metrics:
        scene.config(
            canary={"bake": "15s", "checks": [own_metric(metrics.namespace, compare="stable", tolerance="50%")]}
        )
        canary = scene.canary("v2")
    assert canary.code == code, canary.stderr
    assert canary.verdicts() == {"latency": verdict}
    assert "of the 2 stable tasks" in canary.check("latency")["message"]
    assert "evidence against it" in canary.check("latency")["message"]


def test_a_bake_that_is_too_short_to_tell_is_inconclusive_and_says_so(scene: Scene) -> None:
    """About as much worse as is tolerated: neither more nor less is shown in a few seconds."""
    scene.start(2)
    noise = {"canary": lambda count: 0.125 + count * 7 % 11 / 80, "stable": lambda count: 0.1 + count * 5 % 11 / 100}
    with Metrics(scene, noise) as metrics:
        latency = own_metric(metrics.namespace, compare="stable", detect="1%")
        scene.config(canary={"bake": "5s", "checks": [latency]})
        canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.case_message("check: latency").startswith("inconclusive: ")
    assert len(scene.canaries()) == 1


def test_what_was_compared_can_be_judged_again(scene: Scene) -> None:
    scene.start(2)
    noise = {"canary": lambda count: 0.5 + count % 7 / 1000, "stable": lambda count: 0.1 + count % 5 / 1000}
    with Metrics(scene, noise) as metrics:
        scene.config(canary={"bake": "60s", "checks": [own_metric(metrics.namespace, compare="stable")]})
        canary = scene.canary("v2")
    assert canary.code == 1
    check = canary.check("latency")
    assert len(check["series"]) == check["samples"]
    assert set(check["series"][-1]["others"]) == {task["taskArn"].rpartition("/")[2] for task in scene.tasks()}
    again = scene.ecs_pipeline("judge", "--from", str(canary.junit.parent / "canary.json"))
    assert again.code == 0, again.stderr
    judged = json.loads(again.stdout)
    assert (judged["verdict"], judged["samples"]) == ("fail", check["samples"])
    assert judged["message"] == check["message"]


def test_too_little_to_compare_with_is_inconclusive(scene: Scene) -> None:
    scene.start(1)
    with Metrics(scene, {"canary": lambda _: 0.1}) as metrics:
        scene.config(canary={"bake": "5s", "checks": [own_metric(metrics.namespace, compare="stable")]})
        canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.case_message("check: latency").startswith("inconclusive")
    assert "0 samples, at least 2 are needed" in canary.check("latency")["message"]
    assert len(scene.canaries()) == 1


def test_an_expression_that_cloudwatch_refuses_is_inconclusive_and_named(scene: Scene) -> None:
    scene.start(1)
    query = [{"Id": "e", "Expression": "NO_SUCH_FUNCTION(1)", "Period": 1}]
    scene.config(canary={"bake": "4s", "checks": [{"name": "math", **SOON, "metric": {"query": query, "at_most": 1}}]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert "NO_SUCH_FUNCTION" in canary.case_message("check: math")
