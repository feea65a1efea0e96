"""Checks on real containers: each verdict, what it does to the service, what the reports say."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.emulator.stages.scene import Scene

QUICK: dict[str, Any] = {"interval": "300ms", "failures": 2, "of": 3, "min_samples": 2}


def checked(scene: Scene, *checks: dict[str, Any], bake: str = "2s", **canary: Any) -> None:
    """A service whose canary is judged by these checks."""
    scene.start(1)
    scene.config(canary={"bake": bake, "checks": [{**QUICK, **one} for one in checks], **canary})


def program(text: str) -> dict[str, Any]:
    """A command check of a Python program."""
    return {"name": "program", "command": {"run": [sys.executable, "-c", text], "timeout": "5s"}}


def check(report: Any, name: str) -> Any:
    """The numbers of a check."""
    return next(one for one in report["checks"] if one["name"] == name)


def test_a_canary_that_answers_well_passes_with_its_numbers(scene: Scene) -> None:
    checked(
        scene,
        {"name": "answers", "http": {"path": "/health", "status": "2xx", "body": "ok", "p95": "2s"}},
        {"name": "balanced", "http": {"via": "load-balancer", "url": scene.server.endpoint + f"/_alb/{scene.name}"}},
        program("raise SystemExit(0)"),
    )
    end = scene.canary("v2")
    assert end.code == 0, end.stderr
    assert end.cases()["check: answers"] == "passed"
    answers = check(end.report, "answers")
    assert (answers["kind"], answers["verdict"], answers["failures"]) == ("http", "pass", 0)
    assert answers["samples"] >= 5
    assert 0 < answers["value"] < answers["limit"] == 2.0
    assert check(end.report, "balanced")["value"] == "200"


def test_a_canary_that_answers_wrongly_fails_at_once_and_is_taken_back(scene: Scene) -> None:
    checked(scene, {"name": "answers", "http": {"path": "/"}}, program("raise SystemExit(0)"), bake="60s")
    end = scene.canary("failing")
    assert end.code == 1, end.stderr
    assert end.report["seconds"] < 40
    assert end.cases()["bake"] == "passed"
    assert end.cases()["check: answers"] == "failure"
    assert end.cases()["check: program"] == "skipped"
    assert end.cases()["restore"] == "passed"
    assert check(end.report, "answers")["failures"] == 2
    assert "status 500 instead of 200" in end.report["message"]
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_a_program_that_cannot_tell_leaves_the_canary_to_a_person(scene: Scene) -> None:
    checked(scene, program("print('no data yet'); raise SystemExit(2)"))
    for _ in range(2):
        end = scene.canary("v2")
        assert end.code == 5, end.stderr
        assert "inconclusive" in end.stderr
        assert len(scene.canaries()) == 1
    assert end.cases()["preflight"] == "passed"
    assert scene.ecs_pipeline("promote").code == 0
    scene.assert_nothing_left()


def test_an_inconclusive_check_is_a_skipped_case_that_says_so(scene: Scene) -> None:
    checked(scene, program("raise SystemExit(2)"))
    end = scene.canary("v2")
    assert end.code == 5
    assert end.cases()["check: program"] == "skipped"
    assert end.cases()["bake"] == "passed"
    assert '<skipped type="skipped" message="inconclusive' in end.junit.read_text()


def test_a_program_is_told_the_facts(scene: Scene) -> None:
    text = "import os; open('facts.json', 'w').write(os.environ['ECS_PIPELINE_FACTS'])"
    checked(scene, program(text))
    end = scene.canary("v2")
    assert end.code == 0, end.stderr
    facts = json.loads((scene.folder / "facts.json").read_text())
    (task,) = scene.canaries()
    assert facts["canary"]["tasks"][0]["arn"] == task["taskArn"]
    assert facts["release"] == "v2"
    assert facts["image"] == scene.images.digest("v2")
    assert {one["ip"] for one in facts["stable"]["tasks"]} == scene.service_addresses()
    assert facts["baseline"] == {"tasks": []}
