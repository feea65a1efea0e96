"""`judge`: the checks alone, once, on the live canary."""

from __future__ import annotations

from typing import Any

from tests.emulator.stages.scene import Scene

SOON = {"interval": "200ms", "failures": 2, "of": 2, "min_samples": 2}


def by_file(name: str = "decided") -> dict[str, Any]:
    """A check that ends with the number in the file `code`."""
    return {"name": name, **SOON, "command": {"run": ["sh", "-c", "exit $(cat code)"]}}


def test_judge_tells_the_verdict_and_changes_nothing(scene: Scene) -> None:
    scene.start(1)
    code = scene.folder / "code"
    code.write_text("0")
    health = {"name": "health", **SOON, "http": {"path": "/health"}}
    scene.config(canary={"bake": "5s", "checks": [by_file(), health]})
    assert scene.canary("v2").code == 0
    before = (scene.marks(), scene.revisions(), [task["taskArn"] for task in scene.canaries()], scene.registered())
    for number, exit_code, verdict, kind in (
        (0, 0, "pass", "passed"),
        (1, 1, "fail", "failure"),
        (2, 5, "inconclusive", "skipped"),
    ):
        code.write_text(str(number))
        judged = scene.ecs_pipeline("judge")
        assert judged.code == exit_code, judged.stderr
        assert judged.verdicts()["decided"] == verdict
        if exit_code != 1:  # a failure ends it at once
            assert judged.verdicts()["health"] == "pass"
            assert judged.check("health")["samples"] == 2
        assert judged.cases()["check: decided"] == kind
    assert judged.case_message("check: decided").startswith("inconclusive")
    assert before == (
        scene.marks(),
        scene.revisions(),
        [task["taskArn"] for task in scene.canaries()],
        scene.registered(),
    )
    assert scene.ecs_pipeline("promote", "--release", "v2").code == 0


def test_judge_without_a_canary_is_refused(scene: Scene) -> None:
    scene.start(1)
    scene.config(canary={"checks": [by_file()]})
    refused = scene.ecs_pipeline("judge")
    assert refused.code == 3
    assert "canary" in refused.stderr
