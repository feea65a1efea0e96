"""The check `http`: requests to the canary's own address, and through the load balancer."""

from __future__ import annotations

from typing import Any

from tests.emulator.stages.scene import Scene

SOON = {"interval": "300ms", "failures": 2, "of": 3, "min_samples": 2}


def http(name: str, **settings: Any) -> dict[str, Any]:
    """One check; what all kinds share stays apart from what is http's own."""
    return {"name": name, **SOON, "http": settings}


def test_a_canary_that_answers_passes(scene: Scene) -> None:
    scene.start(1)
    checks = [
        http("health", path="/health", body="ok", p95="5s"),
        http("version", path="/", body="v2"),
        http("public", via="load-balancer", url=scene.url, path="/", status="2xx"),
    ]
    scene.config(canary={"bake": "5s", "checks": checks})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"health": "pass", "version": "pass", "public": "pass"}
    assert canary.cases()["check: health"] == "passed"
    assert canary.check("health")["samples"] >= 2
    assert canary.check("health")["failures"] == 0
    assert 0 < canary.check("health")["value"] < canary.check("health")["limit"] == 5000
    assert canary.check("health")["unit"] == "ms"


def test_a_canary_that_answers_with_errors_is_taken_back(scene: Scene) -> None:
    before = scene.start(1)
    scene.config(canary={"bake": "60s", "checks": [http("root", path="/"), http("health", path="/health")]})
    canary = scene.canary("failing")
    assert canary.code == 1
    assert canary.report["seconds"] < 50
    assert canary.verdicts()["root"] == "fail"
    assert canary.check("root")["failures"] == 2
    cases = canary.cases()
    assert {name: cases[name] for name in ("bake", "check: root", "check: health", "restore")} == {
        "bake": "passed",
        "check: root": "failure",
        "check: health": "skipped",
        "restore": "passed",
    }
    assert "status 500" in canary.case_message("check: root")
    assert "check root: 2 of the last 2 samples failed: status 500" in canary.stderr
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_no_answer_a_wrong_body_and_slow_answers_fail(scene: Scene) -> None:
    """Each is informative, so that one canary shows all."""
    scene.start(1)
    wrong = [
        http("port", path="/", port=9),
        http("body", path="/", body="v9"),
        http("late", path="/slow", timeout="300ms"),
        http("slow", path="/", p50="1ms"),
    ]
    scene.config(canary={"bake": "2s", "checks": [{**check, "required": False} for check in wrong]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert set(canary.verdicts().values()) == {"fail"}
    assert "no connection" in canary.check("port")["message"]
    assert "the body has no 'v9'" in canary.check("body")["message"]
    assert "no answer within 0.3s" in canary.check("late")["message"]
    assert "more than 1 ms" in canary.check("slow")["message"]
    assert set(canary.cases().values()) <= {"passed", "skipped"}
    assert canary.cases()["check: port"] == "passed"
    assert "informative" in canary.junit.read_text()


def test_too_few_answers_are_inconclusive_and_a_person_decides(scene: Scene) -> None:
    before = scene.start(1)
    slow = {**http("health", path="/slow"), "interval": "2s", "min_samples": 4}  # each answer takes three seconds
    scene.config(canary={"bake": "6s", "checks": [slow]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.cases()["check: health"] == "skipped"
    assert canary.case_message("check: health").startswith("inconclusive")
    assert "at least 4 are needed" in canary.case_message("check: health")
    assert [task["lastStatus"] for task in scene.canaries()] == ["RUNNING"]
    assert len(scene.registered()) == 2
    assert scene.service()["taskDefinition"] == before

    again = scene.canary("v2")
    assert again.code == 5
    assert len(scene.canaries()) == 1
    promote = scene.ecs_pipeline("promote", "--release", "v2")
    assert promote.code == 0, promote.stderr
    assert scene.running_image() == scene.images.digest("v2")
    scene.assert_nothing_left()


def compared(**settings: Any) -> dict[str, Any]:
    """Ten requests a second to each task; differences that a busy machine makes are tolerated."""
    like = {"compare": "stable", "rate": "10/s", "tolerance": "100%", "detect": "200%", "ignore_below": "20%"}
    return {"name": "like the others", "http": {"path": "/", **like, **settings}}


def test_a_canary_as_quick_as_the_stable_tasks_passes(scene: Scene) -> None:
    scene.start(2)
    scene.config(canary={"bake": "10s", "checks": [compared()]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    check = canary.check("like the others")
    assert check["verdict"] == "pass"
    assert check["evidence"] < check["line"] == 20
    assert "worse by more than 300 % is ruled out" in check["message"]
    assert set(check["series"][-1]["others"]) == {task["taskArn"].rpartition("/")[2] for task in scene.tasks()}


def test_a_canary_that_is_slower_than_the_stable_tasks_is_taken_back(scene: Scene) -> None:
    before = scene.start(2)
    scene.config(canary={"bake": "120s", "checks": [compared()]})
    canary = scene.canary("slower")
    assert canary.code == 1, canary.stderr
    assert canary.report["seconds"] < 100
    assert "of 20; worse by more than 100 % is shown" in canary.case_message("check: like the others")
    assert scene.service()["taskDefinition"] == before
    assert (canary.junit.parent / "canary-check-1.svg").is_file()
    scene.assert_nothing_left()


def test_a_canary_that_answers_with_errors_the_others_have_not_is_taken_back(scene: Scene) -> None:
    scene.start(1)
    scene.config(canary={"bake": "120s", "checks": [compared()]})
    canary = scene.canary("failing")
    assert canary.code == 1, canary.stderr
    assert "status 500 instead of 200" in canary.junit.read_text()
    scene.assert_nothing_left()


def test_a_few_answers_tell_nothing(scene: Scene) -> None:
    scene.start(1)
    scene.config(canary={"bake": "1s", "checks": [compared(ignore_below="1%")]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.case_message("check: like the others").startswith("inconclusive: ")
    assert len(scene.canaries()) == 1
