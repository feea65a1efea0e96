"""Errors of calls of AWS: judged by what happened, not by their class alone."""

from __future__ import annotations

import pytest
from botocore import exceptions

from ecs_pipeline.aws.failures import was_sent
from ecs_pipeline.aws.session import AwsClient, AwsError
from ecs_pipeline.errors import AnswerLost, Trouble
from ecs_pipeline.timing import retry
from tests.unit.aws_stub import AwsStub, ok, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer
from tests.unit.raw_server import raw_server


@pytest.mark.parametrize(
    ("line", "attempts", "cure"),
    [
        ("503 Service Unavailable", retry.ATTEMPTS, "check the network"),
        ("504 Gateway Timeout", retry.ATTEMPTS, "check the network"),
        ("407 Proxy Authentication Required", 1, "check user and password in HTTPS_PROXY"),
    ],
)
@pytest.mark.parametrize("once", [True, False])
def test_a_proxy_that_is_away_is_tried_again_and_one_that_wants_a_login_is_not(
    aws: AwsStub, monkeypatch: pytest.MonkeyPatch, line: str, attempts: int, cure: str, *, once: bool
) -> None:
    clock = RecordingClock()
    with raw_server(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:hunter2@{proxy.host}")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "https://ecs.invalid")
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(AwsError, match=cure) as caught:
            session(clock).client("ecs").call("StopTask", once=once, task="t")
    assert (len(clock.pauses), isinstance(caught.value, AnswerLost)) == (attempts - 1, False)
    assert "hunter2" not in str(caught.value)


def failing(monkeypatch: pytest.MonkeyPatch, clock: RecordingClock, error: Exception) -> AwsClient:
    """A client whose call ends so."""
    client = session(clock).client("ecs")

    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(client.boto, "stop_task", fail)
    return client


@pytest.mark.parametrize(
    ("error", "attempts", "words"),
    [
        (exceptions.ConnectTimeoutError(endpoint_url="https://u:hunter2@e/"), 8, "Connect timeout .*check the network"),
        (exceptions.EndpointConnectionError(endpoint_url="https://e/"), 8, "Could not connect.*check the network"),
        (exceptions.ProxyConnectionError(proxy_url="http://p/", error="down"), 8, "Failed to connect.*check the net"),
        (exceptions.SSLError(endpoint_url="https://e/", error="EOF occurred"), 8, "SSL validation.*check the network"),
        (
            exceptions.SSLError(endpoint_url="https://e/", error="CERTIFICATE_VERIFY_FAILED"),
            1,
            "SSL validation failed.*; check AWS_CA_BUNDLE",
        ),
        (exceptions.ReadTimeoutError(endpoint_url="https://e/"), 8, "Read timeout.*check the network"),
        (exceptions.ConnectionClosedError(endpoint_url="https://e/"), 8, "Connection was closed.*check the network"),
        (AttributeError("'str' has no attribute 'get'"), 8, r"its answer cannot be read \(AttributeError\).*check the"),
        (TypeError("x"), 8, r"its answer cannot be read \(TypeError\)"),
        (RecursionError("deep"), 8, r"its answer cannot be read \(RecursionError\)"),
        (FileNotFoundError(2, "No such file or directory", "/token"), 1, "/token: No such file.*; give the job AWS"),
        (PermissionError(13, "Permission denied", "/token"), 1, "/token: Permission denied; give the job AWS"),
        (exceptions.UnauthorizedSSOTokenError(), 1, "give the job AWS credentials"),
        (exceptions.UnknownEndpointError(service_name="ecs", region_name="x"), 1, "correct AWS_"),
    ],
)
def test_an_error_is_judged_by_what_happened(
    aws: AwsStub, monkeypatch: pytest.MonkeyPatch, error: Exception, attempts: int, words: str
) -> None:
    clock = RecordingClock()
    with pytest.raises(AwsError, match=f"^ecs:StopTask: .*{words}") as caught:
        failing(monkeypatch, clock, error).call("StopTask", task="t")
    assert len(clock.pauses) == attempts - 1
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (exceptions.ReadTimeoutError(endpoint_url="https://e/"), True),
        (AttributeError("x"), True),
        (exceptions.ConnectTimeoutError(endpoint_url="https://e/"), False),
        (exceptions.ProxyConnectionError(proxy_url="http://p/", error="503"), False),
        (FileNotFoundError(2, "x", "/token"), False),
    ],
)
def test_a_write_counts_as_lost_only_when_it_may_have_been_sent(
    aws: AwsStub, monkeypatch: pytest.MonkeyPatch, error: Exception, *, lost: bool
) -> None:
    with pytest.raises(Trouble) as caught:
        failing(monkeypatch, RecordingClock(), error).call("StopTask", once=True, task="t")
    assert isinstance(caught.value, AnswerLost) is lost
    assert was_sent(error) is lost


PAGE = Answer(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"})
STATUS = Answer(200, b'{"status": "ok"}', {"Content-Type": "application/json"})


@pytest.mark.parametrize("page", [PAGE, STATUS, Answer(200, b'{"status": "ok"}')], ids=["page", "json", "no type"])
@pytest.mark.parametrize(("name", "operation"), [("ecs", "ListTasks"), ("elbv2", "DescribeTargetGroups")])
def test_what_is_not_aws_is_told_and_in_the_middle_of_a_wait_tried_again(
    aws: AwsStub, page: Answer, name: str, operation: str
) -> None:
    good = ok({"taskArns": []}) if name == "ecs" else Answer(200, b"<R><DescribeTargetGroupsResult/></R>")
    aws.on(operation, page, good)
    session(RecordingClock()).client(name).call(operation)
    assert len(aws.asked(operation)) == 2
    aws.on(operation, page)
    with pytest.raises(
        AwsError, match=r"(what answers at http://127\.0\.0\.1:\d+ is not AWS|parse).*; check the network"
    ):
        session(RecordingClock()).client(name).call(operation)


def test_a_write_that_something_else_answered_may_have_been_carried_out(aws: AwsStub, ecs: AwsClient) -> None:
    aws.on("StopTask", PAGE)
    with pytest.raises(AnswerLost, match="is not AWS"):
        ecs.call("StopTask", once=True, task="t")
