"""The check `command`: a program of the user's, told the facts."""

from __future__ import annotations

import json
from typing import Any

from tests.emulator.stages.scene import Scene

SOON = {"interval": "300ms", "failures": 2, "of": 3, "min_samples": 2}


def command(name: str, *script: str, **settings: Any) -> dict[str, Any]:
    """One check that runs lines of sh."""
    return {"name": name, **SOON, "command": {"run": ["sh", "-c", "; ".join(script)], **settings}}


def test_a_program_that_is_content_passes_and_knows_the_facts(scene: Scene) -> None:
    before = scene.start(1)
    check = command("facts", 'echo "$ECS_PIPELINE_FACTS" > facts.json', "echo fine")
    scene.config(canary={"bake": "5s", "checks": [check]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"facts": "pass"}
    assert canary.cases()["check: facts"] == "passed"
    assert "fine" in canary.check("facts")["message"]
    facts = json.loads((scene.folder / "facts.json").read_text())
    task = scene.canaries()[0]
    assert facts["canary"] == {"tasks": [{"arn": task["taskArn"], "ip": scene.address(task["taskArn"])}]}
    assert [task["ip"] for task in facts["stable"]["tasks"]] == sorted(scene.service_addresses())
    expected = {
        "cluster": scene.name,
        "service": scene.name,
        "release": "v2",
        "image": canary.report["release"]["image"],
        "digest": scene.images.digest("v2").partition("@")[2],
        "task_definition": task["taskDefinitionArn"],
        "previous_task_definition": before,
        "share": 50.0,
        "baseline": {"tasks": []},
    }
    assert {key: facts[key] for key in expected} == expected


def test_a_program_that_ends_with_1_fails_the_release(scene: Scene) -> None:
    before = scene.start(1)
    scene.config(canary={"bake": "60s", "checks": [command("budget", "echo error budget is spent", "exit 1")]})
    canary = scene.canary("v2")
    assert canary.code == 1
    assert canary.cases()["check: budget"] == "failure"
    assert "error budget is spent" in canary.case_message("check: budget")
    assert canary.cases()["restore"] == "passed"
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_programs_that_do_not_know_are_inconclusive(scene: Scene) -> None:
    """Exit code 2, another exit code, one that is late, one that does not exist."""
    scene.start(1)
    checks = [
        command("unsure", "exit 2"),
        command("broken", "exit 7"),
        command("late", "sleep 30", timeout="300ms"),
        {"name": "absent", **SOON, "command": {"run": ["./no-such-program"]}},
        {**command("taken as good", "exit 7"), "on_missing": "pass"},
    ]
    scene.config(canary={"bake": "5s", "checks": checks})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    verdicts = canary.verdicts()
    assert verdicts.pop("taken as good") == "pass"
    assert verdicts == dict.fromkeys(("unsure", "broken", "late", "absent"), "inconclusive")
    assert canary.case_message("check: late").startswith("inconclusive")
    assert "not over within 0.3s" in canary.check("late")["message"]
    assert "cannot be started" in canary.check("absent")["message"]
    assert len(scene.canaries()) == 1
