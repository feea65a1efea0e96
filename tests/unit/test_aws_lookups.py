"""What AWS answers to a look-up, and what is said of an answer that is of no use; botocore's stubber checks both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ecs_pipeline.aws import ssm
from ecs_pipeline.aws.lookups import AwsSource
from ecs_pipeline.aws.session import AwsClient, AwsError
from ecs_pipeline.aws.task_secrets import TaskSecrets
from tests.fakes.clock import FakeClock
from tests.fakes.world import World

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-aBcDeF"


class OneClient:
    """A session whose client answers one request."""

    def __init__(self, service: str, operation: str, answer: dict[str, Any] | str) -> None:
        client = boto3.client(service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stubber = Stubber(client)
        if isinstance(answer, str):
            self.stubber.add_client_error(operation, answer.partition(": ")[0], answer.partition(": ")[2])
        else:
            self.stubber.add_response(operation, {**answer, "ResponseMetadata": {"RequestId": "1"}})
        self.stubber.activate()
        self.made = AwsClient(service, client, FakeClock(World()), 1)

    def client(self, _service: str) -> AwsClient:
        return self.made


def source(service: str, operation: str, answer: dict[str, Any] | str) -> AwsSource:
    session: Any = OneClient(service, operation, answer)
    return AwsSource({"HOME": "/here"}, lambda: session)


Snapshot = Callable[[AwsSource], str]


def parameter(asked: AwsSource) -> str:
    return asked.parameter("/x")


def output(asked: AwsSource) -> str:
    return asked.output("net", "Cluster")


def arn(asked: AwsSource) -> str:
    return asked.secret_arn("db")


def text(asked: AwsSource) -> str:
    return asked.secret("db", "")


def member(asked: AwsSource) -> str:
    return asked.secret("db", "user")


STACK = {"StackName": "net", "CreationTime": "2026-01-01T00:00:00Z", "StackStatus": "CREATE_COMPLETE"}
VERSION = {"ARN": ARN, "Name": "db", "VersionId": "0" * 32}


@pytest.mark.parametrize(
    ("service", "operation", "answer", "look", "value"),
    [
        ("ssm", "get_parameter", {"Parameter": {"Type": "String", "Value": "7m"}}, parameter, "7m"),
        (
            "cloudformation",
            "describe_stacks",
            {"Stacks": [{**STACK, "Outputs": [{"OutputKey": "Cluster", "OutputValue": "prd"}]}]},
            output,
            "prd",
        ),
        ("secretsmanager", "describe_secret", {"ARN": ARN, "Name": "db"}, arn, ARN),
        ("secretsmanager", "get_secret_value", {**VERSION, "SecretString": "hush"}, text, "hush"),
        ("secretsmanager", "get_secret_value", {**VERSION, "SecretString": '{"user": "me"}'}, member, "me"),
    ],
)
def test_what_is_there_is_found(service: str, operation: str, answer: Any, look: Snapshot, value: str) -> None:
    assert look(source(service, operation, answer)) == value


@pytest.mark.parametrize(
    ("service", "operation", "answer", "look", "why"),
    [
        ("ssm", "get_parameter", "ParameterNotFound: x", parameter, "there is no such parameter"),
        (
            "ssm",
            "get_parameter",
            {"Parameter": {"Type": "SecureString", "Value": "AQICAHh"}},
            parameter,
            "it is a SecureString",
        ),
        ("cloudformation", "describe_stacks", {"Stacks": [STACK]}, output, "stack net has no output Cluster"),
        ("secretsmanager", "describe_secret", "ResourceNotFoundException: x", arn, "there is no such secret"),
        ("secretsmanager", "get_secret_value", "ResourceNotFoundException: x", text, "there is no such secret"),
        ("secretsmanager", "get_secret_value", {**VERSION, "SecretBinary": b"x"}, text, "the secret is binary"),
        ("secretsmanager", "get_secret_value", {**VERSION, "SecretString": "hush"}, member, "the secret is no JSON"),
        ("secretsmanager", "get_secret_value", {**VERSION, "SecretString": '{"user": 1}'}, member, "the secret is no"),
    ],
)
def test_what_is_not_there_is_told_without_a_value(
    service: str, operation: str, answer: Any, look: Snapshot, why: str
) -> None:
    with pytest.raises(LookupError) as caught:
        look(source(service, operation, answer))
    assert str(caught.value.args[0]).startswith(why)
    assert "hush" not in str(caught.value)


def test_a_stack_that_is_not_there_is_told() -> None:
    gone = "ValidationError: Stack with id net does not exist"
    with pytest.raises(LookupError, match="there is no stack net"):
        output(source("cloudformation", "describe_stacks", gone))


def test_what_is_not_allowed_is_no_look_up_that_found_nothing() -> None:
    denied = source("ssm", "get_parameter", "AccessDeniedException: no")
    with pytest.raises(AwsError):
        parameter(denied)


def test_the_environment_needs_no_aws() -> None:
    def session() -> Any:
        raise AssertionError

    assert (AwsSource({"A": "1"}, session).env("A"), AwsSource({}, session).env("A")) == ("1", None)


PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/db"


@pytest.mark.parametrize(
    ("value_from", "service", "operation", "answer", "problem"),
    [
        (f"{ARN}:password::", "secretsmanager", "describe_secret", {"ARN": ARN}, ""),
        (ARN, "secretsmanager", "describe_secret", "ResourceNotFoundException: no", "there is no such secret"),
        (ARN, "secretsmanager", "describe_secret", {"DeletedDate": 1}, "it is scheduled for deletion"),
        (ARN, "secretsmanager", "describe_secret", "AccessDeniedException: no", None),
        (PARAMETER, "ssm", "get_parameter", {"Parameter": {"Type": "SecureString", "Value": "AQI"}}, ""),
        (PARAMETER, "ssm", "get_parameter", "ParameterNotFound: no", "there is no such parameter"),
        ("/app/db", "ssm", "get_parameter", {"Parameter": {}}, ""),
        ("/app/db", "ssm", "get_parameter", "AccessDeniedException: no", None),
    ],
)
def test_whether_a_secret_of_the_tasks_is_there(
    value_from: str, service: str, operation: str, answer: dict[str, Any] | str, problem: str | None
) -> None:
    made = OneClient(service, operation, answer)
    asked: list[tuple[str, str]] = []

    class Session:
        """A session that remembers which client it was asked for."""

        def client(self, name: str, region: str = "") -> AwsClient:
            asked.append((name, region))
            return made.made

    session: Any = Session()
    assert TaskSecrets(session).problem(value_from) == problem
    assert asked == [(service, "eu-west-1" if value_from.startswith("arn:") else "")]


def test_any_other_trouble_with_a_secret_is_told() -> None:
    made: Any = OneClient("ssm", "get_parameter", "InternalServerError: no")
    with pytest.raises(AwsError):
        ssm.problem(made.made, "/app/db")
