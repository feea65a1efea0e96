"""Calls of AWS over real HTTP: which errors are tried again, how often, and what is said of the others."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ecs_pipeline.aws import answers
from ecs_pipeline.aws.session import AwsClient, AwsError, AwsSession
from ecs_pipeline.errors import AnswerLost, Interrupted, InvalidInput
from ecs_pipeline.timing import retry
from tests.unit.aws_stub import REGION, AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import NO_ANSWER, Answer

THROTTLES = ["ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"]
PASSING = ["ServerException", "InternalFailure", "ServiceUnavailable", "RequestTimeout", "InternalServerError"]


def test_a_call_sends_its_parameters_and_returns_the_answer(aws: AwsStub, ecs: AwsClient) -> None:
    aws.on("StopTask", ok({"task": {"taskArn": "arn:t"}}))
    assert ecs.call("StopTask", cluster="c", task="t")["task"]["taskArn"] == "arn:t"
    assert [request.json for request in aws.asked("StopTask")] == [{"cluster": "c", "task": "t"}]


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("code", THROTTLES)
def test_a_throttled_call_is_made_again_for_nothing_was_done(
    aws: AwsStub, ecs: AwsClient, clock: RecordingClock, code: str, *, once: bool
) -> None:
    aws.on("StopTask", refused(code), refused(code), ok({}))
    ecs.call("StopTask", once=once, task="t")
    assert (len(aws.asked("StopTask")), len(clock.pauses)) == (3, 2)


def test_too_many_requests_are_a_throttle_whatever_the_code(aws: AwsStub, ecs: AwsClient) -> None:
    aws.on("StopTask", refused("Anything", status=429), ok({}))
    ecs.call("StopTask", once=True, task="t")
    assert len(aws.asked("StopTask")) == 2


@pytest.mark.parametrize(
    "answer",
    [*(refused(code) for code in PASSING), refused("Unheard", status=503), Answer(502, b"<html>gateway")],
    ids=[*PASSING, "503", "502 without a code"],
)
def test_trouble_that_passes_is_tried_again_unless_the_call_may_be_made_once_only(
    aws: AwsStub, ecs: AwsClient, answer: Answer
) -> None:
    aws.on("StopTask", answer, ok({}))
    ecs.call("StopTask", task="t")
    assert len(aws.asked("StopTask")) == 2
    aws.on("StopTask", answer, ok({}))
    with pytest.raises(AnswerLost, match=r"^ecs:StopTask: "):
        ecs.call("StopTask", once=True, task="t")
    assert len(aws.asked("StopTask")) == 3


def test_a_call_whose_answer_is_lost_is_made_again_unless_it_may_be_made_once_only(
    aws: AwsStub, ecs: AwsClient
) -> None:
    aws.on("StopTask", NO_ANSWER, ok({}))
    ecs.call("StopTask", task="t")
    assert len(aws.asked("StopTask")) == 2
    aws.on("StopTask", NO_ANSWER, ok({}))
    with pytest.raises(AnswerLost, match=r"^ecs:StopTask: "):
        ecs.call("StopTask", once=True, task="t")
    assert len(aws.asked("StopTask")) == 3


def test_an_answer_that_cannot_be_read_is_asked_for_again(aws: AwsStub, clock: RecordingClock) -> None:
    whole = b"<R><DescribeTargetGroupsResult/><ResponseMetadata/></R>"
    aws.on("DescribeTargetGroups", Answer(200, whole[:10]), Answer(200, whole))
    session(clock).client("elbv2").call("DescribeTargetGroups")
    assert len(aws.asked("DescribeTargetGroups")) == 2


@pytest.mark.parametrize("once", [True, False])
def test_a_call_that_was_never_sent_is_made_again(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, *, once: bool
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(AwsError, match="check the network") as caught:
        session(clock).client("ecs").call("StopTask", once=once, task="t")
    assert not isinstance(caught.value, AnswerLost)
    assert len(clock.pauses) == retry.ATTEMPTS - 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied", "UnauthorizedOperation"])
def test_a_denied_call_is_not_repeated_and_names_the_action_to_allow(aws: AwsStub, ecs: AwsClient, code: str) -> None:
    aws.on("RunTask", refused(code, "User: arn:u is not authorized"))
    with pytest.raises(AwsError) as caught:
        ecs.call("RunTask", taskDefinition="web")
    assert len(aws.asked("RunTask")) == 1
    assert (caught.value.exit_code, caught.value.code) == (4, code)
    assert str(caught.value) == (
        f"ecs:RunTask: {code}: User: arn:u is not authorized; allow ecs:RunTask to the role that the job runs with"
    )


@pytest.mark.parametrize("code", ["AccessDeniedException", "ClientException"])
def test_the_permission_that_aws_names_is_the_one_to_allow(aws: AwsStub, ecs: AwsClient, code: str) -> None:
    text = "User: arn:u is not authorized to perform: iam:PassRole on resource: arn:r because no policy allows it"
    aws.on("RunTask", refused(code, text))
    with pytest.raises(AwsError, match=r"; allow iam:PassRole to the role that the job runs with$"):
        ecs.call("RunTask", taskDefinition="web")
    assert len(aws.asked("RunTask")) == 1


def test_the_action_is_named_as_iam_names_it(aws: AwsStub, clock: RecordingClock) -> None:
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    aws.on("DescribeTargetGroups", Answer(403, body))
    with pytest.raises(AwsError, match="allow elasticloadbalancing:DescribeTargetGroups to"):
        session(clock).client("elbv2").call("DescribeTargetGroups")


def test_any_other_refusal_is_final_and_keeps_what_aws_said(aws: AwsStub, ecs: AwsClient) -> None:
    aws.on("RunTask", refused("ConflictException", "in use", resourceIds=["arn:task/1"]))
    with pytest.raises(AwsError) as caught:
        ecs.call("RunTask", taskDefinition="web")
    assert len(aws.asked("RunTask")) == 1
    assert (caught.value.code, caught.value.text) == ("ConflictException", "in use")
    assert caught.value.raw["resourceIds"] == ["arn:task/1"]


def test_a_wrong_parameter_is_told_in_one_line_and_not_sent(aws: AwsStub, ecs: AwsClient) -> None:
    with pytest.raises(AwsError, match=r"^ecs:RunTask: Parameter validation failed: .*count.*; correct") as caught:
        ecs.call("RunTask", taskDefinition="web", count="many")
    assert "\n" not in str(caught.value)
    assert aws.http.requests == []


def test_an_interruption_is_noticed_before_a_call(aws: AwsStub) -> None:
    class InterruptedClock(RecordingClock):
        def check(self) -> None:
            raise Interrupted(15)

    with pytest.raises(Interrupted):
        session(InterruptedClock()).client("ecs").call("StopTask", task="t")
    assert aws.http.requests == []


@pytest.mark.parametrize(("setting", "requests"), [("", retry.ATTEMPTS), ("1", 1), ("3", 3)])
def test_the_number_of_attempts_is_ours_or_that_of_the_environment_and_botocore_adds_none(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, setting: str, requests: int
) -> None:
    if setting:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", setting)
    aws.on("StopTask", refused("ThrottlingException"))
    calls = session(clock)
    with pytest.raises(AwsError, match="ThrottlingException"):
        calls.client("ecs").call("StopTask", task="t")
    assert len(aws.http.requests) == requests == calls.calls


def test_every_request_of_every_client_is_counted(aws: AwsStub, clock: RecordingClock) -> None:
    calls = session(clock)
    aws.on("ListTasks", ok({"taskArns": ["a"], "nextToken": "2"}), ok({"taskArns": ["b"]}))
    assert calls.client("ecs").pages("ListTasks", "taskArns", cluster="c") == ["a", "b"]
    aws.on("DescribeImages", refused("ThrottlingException"), ok({"imageDetails": []}))
    calls.client("ecr").call("DescribeImages", repositoryName="web")
    assert calls.calls == 4 == len(aws.http.requests)
    assert [request.json.get("nextToken") for request in aws.asked("ListTasks")] == [None, "2"]


def test_a_client_is_made_once_for_a_service_and_region(aws: AwsStub, clock: RecordingClock) -> None:
    calls = session(clock)
    assert calls.client("ecr") is calls.client("ecr", REGION)
    elsewhere = calls.client("ecr", "eu-west-1")
    assert elsewhere.boto.meta.region_name == "eu-west-1"
    assert elsewhere is not calls.client("ecr")


def test_requests_say_who_makes_them(aws: AwsStub, ecs: AwsClient) -> None:
    ecs.call("StopTask", task="t")
    assert "ecs-pipeline/" in aws.http.requests[0].headers["user-agent"]


def test_a_missing_region_is_bad_input(aws: AwsStub, clock: RecordingClock) -> None:
    with pytest.raises(InvalidInput, match=r"^no AWS region; give --region"):
        AwsSession(clock)


def test_the_region_given_goes_before_that_of_the_environment(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert (AwsSession(clock).region, AwsSession(clock, REGION).region) == ("eu-west-1", REGION)
    assert AwsSession(clock, REGION).client("ecs").boto.meta.region_name == REGION


def test_the_region_may_be_named_as_the_aws_cli_and_as_botocore_read_it(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert AwsSession(clock).region == "us-west-2"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert AwsSession(clock).region == "us-west-2"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("AWS_PROFILE", r"profile \(gone\) could not be found"),
        ("AWS_ENDPOINT_URL", "Invalid endpoint"),
        ("AWS_MAX_ATTEMPTS", "'gone'"),
    ],
)
def test_a_wrong_setting_of_aws_is_bad_input(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setenv(name, "gone")
    with pytest.raises(InvalidInput, match=f"^AWS configuration: .*{words}"):
        session(clock).client("ecs")


# ---- time


def test_the_time_is_that_of_aws_where_the_agents_clock_is_off(aws: AwsStub) -> None:
    clock = RecordingClock()  # its time is not this machine's, by which the stand-in dates its answers
    calls = session(clock)
    assert calls.now() == clock.wall()
    calls.client("ecs").call("StopTask", task="t")
    assert abs(calls.now() - datetime.now(timezone.utc)) < timedelta(minutes=5)
    assert abs(clock.wall() - datetime.now(timezone.utc)) > timedelta(days=1)


@pytest.mark.parametrize(
    ("date", "behind"),
    [
        ("Fri, 27 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Fri, 27 Nov 2026 11:55:00 GMT", timedelta(minutes=-5)),
        ("Fri, 27 Nov 2026 12:00:01 GMT", timedelta(0)),
        ("nonsense", timedelta(0)),
        ("", timedelta(0)),
        ("Fri, 99 Nov 2026 12:00:01 GMT", timedelta(0)),
    ],
)
def test_how_far_the_clock_is_off_is_told_by_the_date_of_an_answer(date: str, behind: timedelta) -> None:
    wall = datetime(2026, 11, 27, 12, 0, 0, tzinfo=timezone.utc)
    assert answers.behind({"ResponseMetadata": {"HTTPHeaders": {"date": date}}}, wall) == behind
