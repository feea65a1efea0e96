"""Elastic Load Balancing over the wire: one address that cannot be a target does not hide the others."""

from __future__ import annotations

import pytest

from ecs_pipeline.aws.elb import Elb
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.model.load_balancing import Target
from tests.unit.aws_stub import AwsStub, session
from tests.unit.clocks import RecordingClock
from tests.unit.facts import GROUP
from tests.unit.http_stub import Answer

XML = {"Content-Type": "text/xml"}
TARGETS = [Target(GROUP, "10.0.0.1", 8000), Target(GROUP, "8.8.8.8", 80)]


@pytest.fixture
def elb(aws: AwsStub) -> Elb:
    return Elb(session(RecordingClock()).client("elbv2"))


def described(*targets: tuple[str, int]) -> Answer:
    members = "".join(
        f"<member><Target><Id>{identity}</Id><Port>{port}</Port></Target>"
        "<TargetHealth><State>healthy</State></TargetHealth></member>"
        for identity, port in targets
    )
    inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
    result = f"<DescribeTargetHealthResult>{inner}</DescribeTargetHealthResult>"
    return Answer(200, f"<DescribeTargetHealthResponse>{result}</DescribeTargetHealthResponse>".encode(), XML)


def error(code: str) -> Answer:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    return Answer(400, body.encode(), XML)


@pytest.mark.parametrize("code", ["InvalidTarget", "ValidationError"])
def test_an_address_that_no_target_can_have_does_not_hide_the_others(aws: AwsStub, elb: Elb, code: str) -> None:
    aws.on("DescribeTargetHealth", error(code), described(("10.0.0.1", 8000), ("10.0.0.2", 8000)))
    assert [health.key for health in elb.health(GROUP, TARGETS)] == [("10.0.0.1", 8000)]
    assert len(aws.asked("DescribeTargetHealth")) == 2


def test_another_refusal_is_told(aws: AwsStub, elb: Elb) -> None:
    aws.on("DescribeTargetHealth", error("AccessDenied"))
    with pytest.raises(AwsError, match="AccessDenied"):
        elb.health(GROUP, TARGETS)


def test_a_group_that_is_gone_has_no_targets(aws: AwsStub, elb: Elb) -> None:
    aws.on("DescribeTargetHealth", error("TargetGroupNotFound"))
    assert elb.health(GROUP, TARGETS) == []
    assert len(aws.asked("DescribeTargetHealth")) == 1
