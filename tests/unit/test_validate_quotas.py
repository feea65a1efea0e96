"""`validate`: the room that the account has for a canary and a rollout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.aws.service_quotas import ServiceQuotas
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.telemetry import Quota
from tests.fakes.account_limits import FakeQuotas
from tests.fakes.names import utc
from tests.fakes.telemetry import FakeCloudWatch
from tests.fakes.world import World
from tests.unit.aws_stub import aws_stub, ok, session
from tests.unit.clocks import RecordingClock
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.validations import message_of, with_canary


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


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
