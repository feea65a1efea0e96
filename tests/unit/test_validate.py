"""`validate`: all findings at once, with their cures; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.findings import checks
from ecs_pipeline.images.docker_engine import DockerEngine
from ecs_pipeline.model.image_scan import Finding, ImageScan
from ecs_pipeline.model.telemetry import Alarm
from ecs_pipeline.stages.validate import STEPS
from ecs_pipeline.timing.clock import SystemClock
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.telemetry import FakeCloudWatch, FakeLogs
from tests.fakes.world import World
from tests.present import present
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.ending_credentials import ending
from tests.unit.validations import message_of, outcomes, with_canary


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


def test_a_service_with_nothing_in_its_way_exits_0(run: Commands) -> None:
    end = run("validate", *NAMED)
    assert end.code == 0, end.err
    assert set(outcomes(end).values()) == {"passed"}
    assert run.world.writes() == []
    assert report("validate")["changed"] is False


def test_all_findings_are_told_at_once_each_with_its_cure(run: Commands) -> None:
    run.world.raw = {"schedulingStrategy": "DAEMON", "deploymentController": {"type": "EXTERNAL"}}
    run.world.engine_problem = "no Docker engine answers"
    with_canary(
        run,
        checks=[
            {"alarm": {"names": ["gone"]}},
            {"command": {"run": ["./nowhere.sh"]}},
            {"command": {"run": ["no-such-program-at-all"]}},
        ],
    )
    end = run("validate", *NAMED)
    assert end.code == 2
    failed = {name for name, outcome in outcomes(end).items() if outcome == "failed"}
    assert failed == {"service", "image", "checks"}
    found = report("validate")
    assert found["message"] == "6 findings"
    told = "\n".join(found["evidence"])
    for finding in (
        "its deployment controller is EXTERNAL; deploy it with",
        "it is a DAEMON",
        "no Docker engine answers; start one",
        "no alarm gone in CloudWatch; correct canary.checks",
        "canary.checks.1.command: no program ./nowhere.sh",
        "canary.checks.2.command: no program no-such-program-at-all (PATH); check `run`",
    ):
        assert finding in told
    assert run.world.writes() == []


def test_each_step_is_a_junit_case_with_its_findings(run: Commands) -> None:
    run.world.engine_problem = "no Docker engine answers"
    run("validate", *NAMED)
    root = etree.parse("ecs-pipeline-reports/TEST-ecs-pipeline-validate.xml").getroot()
    cases = {case.get("name"): case.find("failure") for case in root.iter("testcase")}
    assert tuple(cases) == STEPS
    assert [name for name, failure in cases.items() if failure is not None] == ["image"]
    assert present(present(cases["image"]).get("message")).startswith("no Docker engine answers")


def test_an_alarm_in_alarm_is_a_finding(run: Commands) -> None:
    cloudwatch = FakeCloudWatch()
    cloudwatch.there = {"web-5xx": Alarm("web-5xx", "ALARM", "too many", None)}
    run.changes["cloudwatch"] = cloudwatch
    with_canary(run, checks=[{"alarm": {"names": ["web-5xx"]}}])
    assert run("validate", *NAMED).code == 2
    assert "alarm web-5xx is in ALARM before the release: too many" in report("validate")["evidence"][0]


def test_a_service_that_is_not_there_is_the_only_finding(run: Commands) -> None:
    run.world.deleted = True
    end = run("validate", *NAMED)
    assert end.code == 2
    assert outcomes(end)["task-definition"] == "skipped"


def test_a_mistake_of_the_config_is_a_finding_of_its_step(run: Commands) -> None:
    Path("ecs-pipeline.yml").write_text("cluster: prd\nservice: web\ncanary: {bakee: 1s, tasks: two}\n")
    end = run("validate")
    assert end.code == 2
    assert outcomes(end)["config"] == "failed"
    assert "canary.bakee" in end.err
    assert "canary.tasks" in end.err


def test_what_does_not_reach_the_tasks_is_a_finding(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise InvalidInput("no connection from here to 10.0.0.1:80", cure="let this machine in")

    monkeypatch.setattr(checks, "refuse_unreachable", refuse)
    assert run("validate", *NAMED).code == 2
    assert report("validate")["failed_step"] == "reach"


def test_a_log_that_cannot_be_read_is_a_finding(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeLogs, "tail", lambda *_: ["(its log cannot be read: logs:GetLogEvents: AccessDenied)"])
    task = run.world.listed_of_service()[0]
    monkeypatch.setattr("tests.fakes.ecs.FakeEcs.arns_of_service", lambda *_: [task.arn])
    monkeypatch.setattr("tests.fakes.ecs.FakeEcs.tasks", lambda *_: (task,))
    assert run("validate", *NAMED).code == 2
    assert report("validate")["failed_step"] == "logs"


def test_trouble_with_aws_alone_exits_4(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> str:
        raise Trouble("iam:SimulatePrincipalPolicy: 503")

    monkeypatch.setattr("tests.fakes.account_limits.FakePermissions.principal", fail)
    assert run("validate", *NAMED).code == 4


# ---- credentials


@pytest.mark.parametrize(("minutes", "code"), [(20, 2), (600, 0)])
def test_credentials_that_end_before_the_bake_are_a_finding(run: Commands, minutes: float, code: int) -> None:
    run.changes["session"] = ending(run.world, minutes)
    with_canary(run, bake="30m")
    assert run("validate", *NAMED).code == code
    assert message_of("credentials").startswith("the AWS credentials end at " if code else "nothing says that they end")


def test_json_has_the_findings(run: Commands) -> None:
    run.world.engine_problem = "no Docker engine answers"
    end = run("validate", *NAMED, "--output", "json")
    assert json.loads(end.out)["evidence"] == [
        "no Docker engine answers; start one, point DOCKER_HOST at one, or give --image"
    ]


def test_an_engine_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "Docker engine" in DockerEngine(SystemClock()).problem()


@pytest.mark.parametrize(
    ("scan", "line"),
    [
        (None, "the image that runs has no scan: image.scan needs ECR repository web to be scanned"),
        (ImageScan("COMPLETE", complete=True), ""),
        (
            ImageScan("ACTIVE", complete=True, findings=[Finding("CVE-1", "CRITICAL"), Finding("CVE-2", "LOW")]),
            "image.scan would refuse the image that runs: ECR's scan found 1 CRITICAL",
        ),
    ],
)
def test_what_image_scan_says_of_the_image_that_runs_is_told(run: Commands, scan: ImageScan | None, line: str) -> None:
    run.world.image_scans = [scan]
    running = run.world.revisions[run.world.deployments[0].revision]
    running.definition["containerDefinitions"][0]["image"] = f"{REGISTRY}/web@{digest_of('v1')}"
    image = {"repository": "web", "scan": {}}
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", "image": image})
    end = run("validate", *NAMED)
    assert end.code == 0, end.err
    assert [note for note in report("validate")["notes"] if "scan" in note] == ([line] if line else [])
