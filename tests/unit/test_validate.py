"""`validate`: all findings at once, with their cures; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from ecs_pipeline.aws import permissions
from ecs_pipeline.aws.permissions import Permissions
from ecs_pipeline.aws.service_quotas import ServiceQuotas
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.findings import checks
from ecs_pipeline.images.docker_engine import DockerEngine
from ecs_pipeline.model.image_scan import Finding, ImageScan
from ecs_pipeline.model.telemetry import Alarm, Quota
from ecs_pipeline.stages.validate import STEPS
from ecs_pipeline.timing.clock import SystemClock
from tests.fakes.ports import FakeCloudWatch, FakeLogs, FakeQuotas, FakeSecrets
from tests.fakes.world import REGISTRY, World, digest_of, utc
from tests.present import present
from tests.unit.aws_stub import aws_stub, ok, session
from tests.unit.clocks import RecordingClock
from tests.unit.commands import NAMED, Commands, Ended, commands, report
from tests.unit.test_lasting_credentials import ending

ROLE = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


def with_canary(run: Commands, **canary: Any) -> None:
    """The next command has these settings of the canary."""
    named = {"cluster": "prd", "service": "web", "image": {"repository": "web"}}
    run.changes["settings"] = Settings.model_validate({**named, "canary": canary})


def outcomes(end: Ended) -> dict[str, str]:
    """The outcome of each step."""
    assert end.code == report("validate")["exit_code"]
    return {step["name"]: step["outcome"] for step in report("validate")["steps"]}


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
    monkeypatch.setattr("tests.fakes.ports.FakeEcs.arns_of_service", lambda *_: [task.arn])
    monkeypatch.setattr("tests.fakes.ports.FakeEcs.tasks", lambda *_: (task,))
    assert run("validate", *NAMED).code == 2
    assert report("validate")["failed_step"] == "logs"


def test_trouble_with_aws_alone_exits_4(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> str:
        raise Trouble("iam:SimulatePrincipalPolicy: 503")

    monkeypatch.setattr("tests.fakes.ports.FakePermissions.principal", fail)
    assert run("validate", *NAMED).code == 4


# ---- secrets and platform

SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-aBcDeF"


def with_secrets(run: Commands, problems: dict[str, str | None]) -> None:
    """The tasks get a secret, a parameter, a log's token and a registry's login; these are wrong."""
    running = run.world.revisions[run.world.deployments[0].revision]
    running.definition["containerDefinitions"][0] |= {
        "secrets": [{"name": "DB", "valueFrom": SECRET}, {"name": "KEY", "valueFrom": "/app/key"}],
        "logConfiguration": {"logDriver": "splunk", "secretOptions": [{"name": "token", "valueFrom": "/log"}]},
        "repositoryCredentials": {"credentialsParameter": f"{SECRET}-login"},
    }
    run.changes["secrets"] = FakeSecrets(problems)


def message_of(step: str) -> str:
    [found] = [entry for entry in report("validate")["steps"] if entry["name"] == step]
    return str(found["message"])


def test_a_secret_that_is_not_there_is_a_finding_with_its_place(run: Commands) -> None:
    with_secrets(run, {SECRET: "there is no such secret", "/log": "there is no such parameter"})
    assert run("validate", *NAMED).code == 2
    cure = "create it, or name another one: no task would start"
    assert report("validate")["evidence"] == [
        f"web:1: secret DB of container app: {SECRET}: there is no such secret; {cure}",
        "web:1: secret token of container app: /log: there is no such parameter",
    ]


def test_a_secret_that_nobody_may_ask_for_cannot_be_known_and_is_no_finding(run: Commands) -> None:
    with_secrets(run, {"/app/key": None})
    assert run("validate", *NAMED).code == 0
    assert message_of("secrets") == "3 of 4 are there"
    assert "whether these secrets are there cannot be known (no permission): /app/key" in report("validate")["notes"]


def test_a_role_that_may_not_find_secrets_keeps_no_release_from_going_through(run: Commands) -> None:
    with_secrets(run, {})
    run.world.principal = ROLE
    run.world.denied = {"secretsmanager:DescribeSecret", "ssm:GetParameter"}
    assert run("validate", *NAMED).code == 0


def test_tasks_without_secrets_are_fine(run: Commands) -> None:
    assert run("validate", *NAMED).code == 0
    assert message_of("secrets") == "the tasks get none"


@pytest.mark.parametrize(
    ("definition", "platform", "wrong"),
    [
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "linux/amd64", True),
        ({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "linux/arm64/v8", False),
        ({"requiresCompatibilities": ["FARGATE"]}, "linux/arm64", True),
        ({"requiresCompatibilities": ["EC2"]}, "linux/arm64", False),
        ({"runtimePlatform": {"cpuArchitecture": "X86_64"}}, "", False),
    ],
)
def test_an_image_for_another_platform_than_the_tasks_is_a_finding(
    run: Commands, definition: dict[str, Any], platform: str, *, wrong: bool
) -> None:
    run.world.revisions[run.world.deployments[0].revision].definition.update(definition)
    image = {"repository": "web", "platform": platform}
    run.changes["settings"] = Settings.model_validate({"cluster": "prd", "service": "web", "image": image})
    assert run("validate", *NAMED).code == (2 if wrong else 0)
    if wrong:
        [line] = report("validate")["evidence"]
        assert line.startswith(f"image.platform is {platform}, but the tasks run on linux/")
        assert line.endswith("leave image.platform out: the task definition decides then")


ARM = {"runtimePlatform": {"cpuArchitecture": "ARM64"}}
WINDOWS = {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"}}


def with_image(run: Commands, definition: dict[str, Any], *platforms: str) -> str:
    """The tasks' definition has these members; an image in ECR is for these platforms."""
    run.world.revisions[run.world.deployments[0].revision].definition.update(definition)
    run.world.images["v2"] = digest_of("v2")
    run.world.platforms[digest_of("v2")] = list(platforms)
    return f"{REGISTRY}/web:v2"


@pytest.mark.parametrize(
    ("definition", "platforms", "wrong"),
    [
        (ARM, ("linux/amd64",), True),
        (ARM, ("linux/amd64", "linux/arm64/v8"), False),
        (ARM, ("linux/arm64",), False),
        (WINDOWS, ("linux/amd64",), True),
        (WINDOWS, ("windows/amd64",), False),
        ({"requiresCompatibilities": ["FARGATE"]}, ("linux/arm64", "linux/s390x"), True),
        ({"requiresCompatibilities": ["EC2"]}, ("linux/arm64",), False),
    ],
)
@pytest.mark.parametrize("by_tag", [True, False])
def test_an_image_that_is_given_for_another_platform_than_the_tasks_is_a_finding(
    run: Commands, definition: dict[str, Any], platforms: tuple[str, ...], *, wrong: bool, by_tag: bool
) -> None:
    image = with_image(run, definition, *platforms)
    words = ("--tag", "v2") if by_tag else ("--image", image)
    assert run("validate", *NAMED, *words).code == (2 if wrong else 0)
    if not wrong:
        assert message_of("image") == f"{REGISTRY}/web@{digest_of('v2')}"
        return
    [line] = report("validate")["evidence"]
    assert line.startswith(
        f"image {REGISTRY}/web@{digest_of('v2')} is for {', '.join(platforms)}, but the tasks run on "
    )
    assert "(runtimePlatform of family web); build it for " in line


def test_a_platform_that_nobody_may_read_cannot_be_known_and_is_no_finding(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> list[str]:
        raise Trouble("ecr:BatchGetImage: AccessDeniedException")

    image = with_image(run, ARM)
    assert run("validate", *NAMED, "--image", image).code == 0
    assert any(note.startswith(f"the platform of image {REGISTRY}/web@") for note in report("validate")["notes"])
    monkeypatch.setattr("tests.fakes.ports.FakeRepositories.platforms", fail)
    assert run("validate", *NAMED, "--image", image).code == 0
    assert any(note.endswith("ecr:BatchGetImage: AccessDeniedException") for note in report("validate")["notes"])


def test_an_image_that_is_given_and_not_there_is_a_finding(run: Commands) -> None:
    assert run("validate", *NAMED, "--image", f"{REGISTRY}/web:gone").code == 2
    assert "has no image gone; push it first" in report("validate")["evidence"][0]
    assert run("validate", *NAMED, "--image", "x:1", "--tag", "v2").code == 2


# ---- quotas

USAGE = {"MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount", "MetricDimensions": {"Service": "Fargate"}}
ON_FARGATE = {"launchType": "FARGATE"}
ON_SPOT = {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}


def with_quota(run: Commands, raw: dict[str, Any], value: float, used: float | None, cpu: str = "1024") -> FakeQuotas:
    """The account may have so many vCPUs on Fargate, and uses so many of them; a task takes these units."""
    run.world.raw = raw
    run.world.revisions[run.world.deployments[0].revision].definition["cpu"] = cpu
    quotas = FakeQuotas(Quota("L-1", "Fargate vCPUs", value, USAGE))
    cloudwatch = FakeCloudWatch()
    if used is not None:
        cloudwatch.points = lambda _query: {utc(run.world.now - 300): 0.0, utc(run.world.now - 60): used}
    run.changes.update(quotas=quotas, cloudwatch=cloudwatch)
    return quotas


@pytest.mark.parametrize(
    ("used", "cpu", "canary", "finding"),
    [
        (5.5, "1024", {}, "5.5 of 6 Fargate vCPUs are in use, and the canary needs 1; "),
        (
            5.0,
            "512",
            {"steps": [{"tasks": 1}, {"tasks": 3}]},
            "5 of 6 Fargate vCPUs are in use, and the canary needs 1.5",
        ),
        (5.0, "1024", {"baseline": True}, "5 of 6 Fargate vCPUs are in use, and the canary needs 2; "),
        (5.0, "1024", {}, ""),
    ],
)
def test_a_canary_that_the_account_has_no_room_for_is_a_finding(
    run: Commands, used: float, cpu: str, canary: dict[str, Any], finding: str
) -> None:
    with_canary(run, bake="1m", **canary)
    with_quota(run, ON_FARGATE, 6.0, used, cpu)
    assert run("validate", *NAMED).code == (2 if finding else 0)
    if finding:
        [line] = report("validate")["evidence"]
        assert line.startswith(finding)
        assert line.endswith("ask for more in Service Quotas: Fargate vCPUs (L-1)")


def test_a_rollout_that_the_account_has_no_room_for_is_told(run: Commands) -> None:
    with_quota(run, ON_FARGATE, 6.0, 3.0)
    assert run("validate", *NAMED).code == 0
    told = "3 of 6 Fargate vCPUs are in use; a rollout may start 3 more beside the canary's 1: it may stall"
    assert told in report("validate")["notes"]
    with_quota(run, ON_FARGATE, 600.0, 3.0)
    assert run("validate", *NAMED).code == 0
    assert not [note for note in report("validate")["notes"] if "rollout may start" in note]


@pytest.mark.parametrize(("raw", "spot"), [(ON_FARGATE, False), (ON_SPOT, True), ({"launchType": "EC2"}, None)])
def test_the_quota_is_that_of_where_the_tasks_run(run: Commands, raw: dict[str, Any], *, spot: bool | None) -> None:
    quotas = with_quota(run, raw, 600.0, 1.0)
    assert run("validate", *NAMED).code == 0
    assert quotas.spot is spot
    assert ("do not run on Fargate" in message_of("quotas")) is (spot is None)


def test_a_quota_or_a_use_that_nobody_tells_cannot_be_known_and_is_no_finding(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise Trouble("cloudwatch:GetMetricData: AccessDenied")

    quotas = with_quota(run, ON_FARGATE, 0.0, None)
    for broken in (False, True):
        if broken:
            monkeypatch.setattr(FakeCloudWatch, "series", fail)
        assert run("validate", *NAMED).code == 0
        assert message_of("quotas").startswith("cannot be known")
    quotas.quota = None
    assert run("validate", *NAMED).code == 0
    assert message_of("quotas").startswith("cannot be known")


def test_the_adapter_asks_for_the_quota_that_applies(monkeypatch: pytest.MonkeyPatch) -> None:
    with aws_stub(monkeypatch) as aws:
        quotas = ServiceQuotas(session(RecordingClock()))
        answer = {"QuotaName": "vCPUs", "Value": 6.0, "UsageMetric": USAGE}
        aws.on("GetServiceQuota", ok({"Quota": answer}))
        assert quotas.fargate_vcpus(spot=True) == Quota("L-36FBB829", "vCPUs", 6.0, USAGE)
        assert aws.asked("GetServiceQuota")[0].json == {"ServiceCode": "fargate", "QuotaCode": "L-36FBB829"}
        quotas.fargate_vcpus(spot=False)
        assert aws.asked("GetServiceQuota")[1].json["QuotaCode"] == "L-3032A538"


# ---- credentials


@pytest.mark.parametrize(("minutes", "code"), [(20, 2), (600, 0)])
def test_credentials_that_end_before_the_bake_are_a_finding(run: Commands, minutes: float, code: int) -> None:
    run.changes["session"] = ending(run.world, minutes)
    with_canary(run, bake="30m")
    assert run("validate", *NAMED).code == code
    assert message_of("credentials").startswith("the AWS credentials end at " if code else "nothing says that they end")


# ---- permissions


def test_what_iam_does_not_allow_is_a_finding_with_its_statement(run: Commands) -> None:
    run.world.principal, run.world.denied = ROLE, {"ecs:RunTask", "ecs:StopTask"}
    assert run("validate", *NAMED).code == 2
    assert report("validate")["evidence"] == [
        f"{ROLE} may not ecs:RunTask (statement StartCanary); give it what `ecs-pipeline policy` prints",
        "ecs:StopTask (statement StopCanary)",
    ]


def test_what_iam_does_not_tell_cannot_be_known_and_is_no_finding(run: Commands) -> None:
    run.world.principal, run.world.denied = ROLE, None
    assert run("validate", *NAMED).code == 0
    [step] = [step for step in report("validate")["steps"] if step["name"] == "permissions"]
    assert step["message"].startswith("cannot be known")


class Client:
    """A client that answers with these pages, or fails."""

    def __init__(self, *pages: dict[str, Any], error: str = "") -> None:
        self.pages, self.error = list(pages), error
        self.asked: list[dict[str, Any]] = []

    def client(self, _name: str) -> Client:
        return self

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.error:
            raise AwsError(operation, self.error, "no")
        return self.pages.pop(0)


def result(action: str, decision: str) -> dict[str, str]:
    return {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision}


def test_the_adapter_reads_all_pages_and_hands_the_condition_keys_on() -> None:
    first = {"EvaluationResults": [result("a", "allowed")], "IsTruncated": True, "Marker": "m"}
    second = {"EvaluationResults": [result("b", "implicitDeny")], "IsTruncated": False}
    client = Client(first, second)
    keys = {"one": ["x"], "many": ["x", "y"]}
    assert Permissions(client).allowed(ROLE, ["a", "b"], ["*"], keys) == {("a", "*")}  # type: ignore[arg-type]
    assert [request.get("Marker") for request in client.asked] == [None, "m"]
    kinds = {entry["ContextKeyName"]: entry["ContextKeyType"] for entry in client.asked[0]["ContextEntries"]}
    assert kinds == {"one": "string", "many": "stringList"}


@pytest.mark.parametrize("code", sorted(permissions.UNKNOWN))
def test_the_adapter_says_that_it_does_not_know(code: str) -> None:
    assert Permissions(Client(error=code)).allowed(ROLE, ["a"], ["*"], {}) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::123456789012:assumed-role/deploy/build-7", ROLE),
        ("arn:aws:iam::123456789012:user/people/ann", "arn:aws:iam::123456789012:user/people/ann"),
        ("arn:aws:iam::123456789012:root", ""),
    ],
)
def test_the_caller_is_a_user_or_the_role_of_its_session(arn: str, principal: str) -> None:
    assert Permissions(Client({"Arn": arn})).principal() == principal  # type: ignore[arg-type]


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
