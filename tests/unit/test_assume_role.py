"""`--role-arn`: the role is assumed with the job's credentials, and every call is made with the role's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline.aws.session import AwsError, AwsSession, session_name
from ecs_pipeline.errors import Trouble
from ecs_pipeline.timing import retry
from tests.unit.aws_stub import REGION, AwsStub, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer

ROLE = "arn:aws:iam::123456789012:role/deploy"


def credentials(key: str, lasting: timedelta) -> Answer:
    """What AssumeRole answers."""
    end = datetime.now(timezone.utc) + lasting
    body = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
      <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
      <SessionToken>token-of-{key}</SessionToken><Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
      </AssumeRoleResult></AssumeRoleResponse>"""
    return Answer(200, body.encode())


def denied(code: str) -> Answer:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>not you</Message></Error></ErrorResponse>"
    return Answer(403, body.encode())


def test_calls_are_made_with_the_credentials_of_the_role(aws: AwsStub) -> None:
    aws.on("AssumeRole", credentials("ASIAROLE", timedelta(hours=1)))
    calls = session(RecordingClock(), ROLE)
    calls.client("ecs").call("StopTask", task="t")
    calls.client("ecr").call("DescribeImages", repositoryName="web")
    (asked,) = aws.asked("AssumeRole")
    form = parse_qs(asked.body.decode())
    assert (form["RoleArn"], form["RoleSessionName"]) == ([ROLE], ["ecs-pipeline"])
    assert "AKIAIOSFODNN7EXAMPLE" in asked.headers["authorization"]
    assert f"/{REGION}/sts/" in asked.headers["authorization"]
    for request in (*aws.asked("StopTask"), *aws.asked("DescribeImages")):
        assert "Credential=ASIAROLE/" in request.headers["authorization"]
        assert request.headers["x-amz-security-token"] == "token-of-ASIAROLE"


def test_the_role_is_assumed_anew_before_its_credentials_end(aws: AwsStub) -> None:
    aws.on("AssumeRole", credentials("ASIASHORT", timedelta(seconds=30)), credentials("ASIALONG", timedelta(hours=1)))
    ecs = session(RecordingClock(), ROLE).client("ecs")
    ecs.call("StopTask", task="t")
    ecs.call("StopTask", task="t")
    assert "Credential=ASIALONG/" in aws.asked("StopTask")[-1].headers["authorization"]


def test_without_a_role_none_is_assumed(aws: AwsStub) -> None:
    session(RecordingClock()).client("ecs").call("StopTask", task="t")
    assert aws.asked("AssumeRole") == []


def test_a_role_that_may_not_be_assumed_is_told_as_that(aws: AwsStub) -> None:
    aws.on("AssumeRole", denied("AccessDenied"))
    with pytest.raises(AwsError, match=r"^sts:AssumeRole: AccessDenied: not you; allow sts:AssumeRole to the role"):
        session(RecordingClock(), ROLE).client("ecs").call("StopTask", task="t")
    assert len(aws.http.requests) == 1


def test_a_throttled_assume_role_is_tried_again_by_one_policy_only(aws: AwsStub) -> None:
    aws.on("AssumeRole", denied("Throttling"))
    with pytest.raises(AwsError, match="Throttling"):
        session(RecordingClock(), ROLE).client("ecs").call("StopTask", task="t")
    assert len(aws.asked("AssumeRole")) == retry.ATTEMPTS


def test_a_role_needs_credentials_to_assume_it_with(aws: AwsStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Trouble, match="no AWS credentials to assume the role with"):
        session(RecordingClock(), ROLE).client("ecs")


@pytest.mark.parametrize(
    ("build", "name"),
    [
        ("", "ecs-pipeline"),
        ("jenkins-shop-main-7", "ecs-pipeline-jenkins-shop-main-7"),
        ("jenkins-a b/c%20d-7", "ecs-pipeline-jenkins-a-b-c-20d-7"),
    ],
)
def test_the_sessions_name_tells_cloudtrail_the_build(build: str, name: str) -> None:
    assert session_name(build) == name


@given(st.text(max_size=300))
def test_any_build_makes_a_name_that_aws_takes_and_long_ones_differ(build: str) -> None:
    assert re.fullmatch(r"ecs-pipeline[\w=,.@-]{0,52}", session_name(build), re.ASCII)
    assert session_name(80 * "x" + build) != session_name(80 * "x" + build + "1")


def test_a_name_that_is_cut_keeps_the_number_of_the_build() -> None:
    name = session_name(f"jenkins-{'folder-' * 20}shop-1234")
    assert re.fullmatch(r"ecs-pipeline-jenkins-folder-.*-[0-9a-f]{8}-1234", name)


def test_the_role_gets_its_external_id_and_how_long_the_session_lasts(aws: AwsStub) -> None:
    aws.on("AssumeRole", credentials("ASIAROLE", timedelta(hours=1)))
    calls = AwsSession(RecordingClock(), REGION, ROLE, external_id="shop/7", role_duration=7200.0)
    calls.client("ecs").call("StopTask", task="t")
    (asked,) = aws.asked("AssumeRole")
    form = parse_qs(asked.body.decode())
    assert (form["ExternalId"], form["DurationSeconds"]) == (["shop/7"], ["7200"])


def test_the_session_is_named_after_the_build(aws: AwsStub) -> None:
    aws.on("AssumeRole", credentials("ASIAROLE", timedelta(hours=1)))
    AwsSession(RecordingClock(), REGION, ROLE, "jenkins-shop-7").client("ecs").call("StopTask", task="t")
    (asked,) = aws.asked("AssumeRole")
    assert parse_qs(asked.body.decode())["RoleSessionName"] == ["ecs-pipeline-jenkins-shop-7"]
