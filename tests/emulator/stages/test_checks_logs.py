"""The check `logs`: lines of the canary's containers that match a pattern."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.stages.log_checks import logs, requests, start
from tests.emulator.stages.scene import Scene


def test_a_quiet_canary_passes(scene: Scene) -> None:
    start(scene)
    lines = logs("requests are seen", filter='"200 version=v2"', at_most=1000)
    scene.config(canary={"bake": "5s", "checks": [requests(), logs(at_most=0), lines]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"requests": "pass", "errors": "pass", "requests are seen": "pass"}
    assert canary.check("errors")["value"] == 0
    assert canary.check("requests are seen")["value"] > 0


@pytest.mark.parametrize(
    "limit", [{"at_most": 2, "per": "bake"}, {"at_most": 2, "per": "1m"}], ids=["in all", "a minute"]
)
def test_too_many_lines_fail_the_release(scene: Scene, limit: dict[str, Any]) -> None:
    before = start(scene)
    scene.config(canary={"bake": "60s", "checks": [requests(), logs(**limit)]})
    canary = scene.canary("failing")
    assert canary.code == 1
    assert canary.cases()["check: errors"] == "failure"
    assert "at most 2 may be" in canary.case_message("check: errors")
    assert "GET / 500 version=failing" in canary.junit.read_text()
    assert canary.cases()["restore"] == "passed"
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_a_canary_is_compared_with_the_stable_tasks(scene: Scene) -> None:
    start(scene, 2)
    scene.config(canary={"bake": "60s", "checks": [requests(), logs(compare="stable")]})
    canary = scene.canary("failing")
    assert canary.code == 1
    assert "against 0 (0 a minute and task) of the 2 stable tasks" in canary.case_message("check: errors")
    scene.config(canary={"bake": "3s", "checks": [requests(), logs(compare="stable", ignore_below="3/s")]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts()["errors"] == "pass"


def test_no_lines_in_a_short_while_tell_nothing(scene: Scene) -> None:
    start(scene, 2)
    scene.config(canary={"bake": "2s", "checks": [logs(compare="stable")]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.case_message("check: errors").startswith("inconclusive: 0 (0 a minute and task) against 0 ")


def test_logs_that_cannot_be_read_are_inconclusive(scene: Scene) -> None:
    scene.start(1)
    scene.config(canary={"bake": "1s", "checks": [logs(at_most=0)]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.case_message("check: errors").startswith("inconclusive")
    assert "awslogs" in canary.case_message("check: errors")
    assert len(scene.canaries()) == 1


def test_a_pattern_that_cloudwatch_refuses_is_inconclusive_and_named(scene: Scene) -> None:
    start(scene)
    scene.config(canary={"bake": "1s", "checks": [logs(filter="{ $.level = }", at_most=0)]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert "Invalid filter pattern" in canary.case_message("check: errors")
