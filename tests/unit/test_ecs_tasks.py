"""Tasks of Amazon ECS over the wire: listed, described, started, stopped."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ecs_pipeline.aws.ecs import Ecs
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.errors import NotPlaced, TokenTaken
from ecs_pipeline.model.release import Container, Epoch
from tests.unit.aws_stub import AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.facts import ECS, NOW, revision

TASK = f"{ECS}:task/prd/t1"
RUN = {"taskDefinition": revision(2), "count": 1, "clientToken": "c0ffee"}


@pytest.fixture
def ecs(aws: AwsStub) -> Ecs:
    return Ecs(session(RecordingClock()).client("ecs"), "prd", "web")


@pytest.mark.parametrize(
    ("tasks", "portions"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_tasks_are_described_a_hundred_at_once(aws: AwsStub, ecs: Ecs, tasks: int, portions: list[int]) -> None:
    aws.on("DescribeTasks", ok({"tasks": [{"taskArn": TASK, "taskDefinitionArn": revision(2)}]}))
    assert len(ecs.tasks(f"{TASK}{number}" for number in range(tasks))) == len(portions)
    asked = [request.json for request in aws.asked("DescribeTasks")]
    assert [len(request["tasks"]) for request in asked] == portions
    assert all(request["include"] == ["TAGS"] for request in asked)


def test_tasks_that_are_protected_from_scale_in_are_told_with_their_time_a_hundred_at_once(
    aws: AwsStub, ecs: Ecs
) -> None:
    protected = {"taskArn": TASK, "protectionEnabled": True, "expirationDate": NOW.timestamp()}
    aws.on("GetTaskProtection", ok({"protectedTasks": [protected, {"taskArn": TASK, "protectionEnabled": False}]}))
    assert ecs.protected_until([TASK] * 150) == [NOW, NOW]
    assert [len(request.json["tasks"]) for request in aws.asked("GetTaskProtection")] == [100, 50]


def test_tasks_are_listed_page_by_page(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("ListTasks", ok({"taskArns": ["a"], "nextToken": "n"}), ok({"taskArns": ["b"]}))
    assert ecs.arns_started_by("canary/web", "STOPPED") == ["a", "b"]
    plain = {"cluster": "prd", "startedBy": "canary/web", "desiredStatus": "STOPPED"}
    assert [request.json for request in aws.asked("ListTasks")] == [plain, {**plain, "nextToken": "n"}]


def test_running_tasks_are_listed_by_their_starter_alone(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("ListTasks", ok({"taskArns": ["a"]}))
    assert ecs.arns_started_by("canary/web", "RUNNING") == ["a"]
    assert aws.asked("ListTasks")[0].json == {"cluster": "prd", "startedBy": "canary/web"}


def test_where_aws_takes_no_status_with_the_starter_the_stopped_tasks_are_described(aws: AwsStub, ecs: Ecs) -> None:
    alone = refused("InvalidParameterException", "cannot specify startedBy with any other filter")
    aws.on("ListTasks", alone, ok({"taskArns": ["a", "b"]}))
    raw = {"taskDefinitionArn": revision(2)}
    ours, theirs = {"taskArn": "a", "startedBy": "canary/web", **raw}, {"taskArn": "b", "startedBy": "x", **raw}
    aws.on("DescribeTasks", ok({"tasks": [ours, theirs]}))
    assert ecs.arns_started_by("canary/web", "STOPPED") == ["a"]
    assert aws.asked("ListTasks")[1].json == {"cluster": "prd", "desiredStatus": "STOPPED"}


def test_another_refusal_to_list_tasks_is_one(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("ListTasks", refused("InvalidParameterException", "Invalid token."))
    with pytest.raises(AwsError, match="Invalid token"):
        ecs.arns_started_by("canary/web", "STOPPED")


def test_a_task_is_read_with_its_marks_address_and_containers(aws: AwsStub, ecs: Ecs) -> None:
    ours = {"service": "web", "release": "r2", "turn": "abc/r1", "role": "baseline", "index": "3", "judged-steps": "2"}
    raw = {
        "taskArn": TASK,
        "taskDefinitionArn": revision(2),
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "createdAt": NOW.timestamp(),
        "tags": [{"key": f"ecs-pipeline:{key}", "value": value} for key, value in ours.items()],
        "attachments": [
            {"type": "Service Connect", "details": [{"name": "x", "value": "y"}]},
            {"type": "ElasticNetworkInterface", "details": [{"name": "privateIPv4Address", "value": "10.0.0.1"}]},
        ],
        "containers": [
            {
                "name": "app",
                "lastStatus": "RUNNING",
                "networkBindings": [
                    {"containerPort": 80, "hostPort": 49153, "protocol": "tcp"},
                    {"containerPort": 80, "hostPort": 49153, "protocol": "udp"},
                    {"containerPort": 53, "hostPort": 49154, "protocol": "udp"},
                ],
            },
            {"name": "init", "lastStatus": "STOPPED", "exitCode": 0, "healthStatus": "UNKNOWN", "reason": "done"},
        ],
    }
    aws.on("DescribeTasks", ok({"tasks": [raw]}))
    (found,) = ecs.tasks([TASK])
    assert (found.of, found.release, found.epoch, found.role) == ("web", "r2", Epoch("abc", "r1"), "baseline")
    assert (found.index, found.judged_steps, found.address, found.created) == (3, 2, "10.0.0.1", NOW)
    assert found.containers == (
        Container("app", "RUNNING", host_ports={80: 49153}, udp_ports={80: 49153, 53: 49154}),
        Container("init", "STOPPED", exit_code=0, reason="done"),
    )


@pytest.mark.parametrize(
    ("overrides", "overridden"),
    [
        ({"containerOverrides": [{"name": "app"}, {"name": "proxy"}], "inferenceAcceleratorOverrides": []}, False),
        ({}, False),
        ({"containerOverrides": [{"name": "aws-guardduty-agent-x1", "environment": [{"name": "A"}]}]}, False),
        ({"containerOverrides": [{"name": "app", "command": []}], "cpu": ""}, False),
        ({"containerOverrides": [{"name": "app"}, {"name": "proxy", "command": ["x"]}]}, True),
        ({"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "b"}]}]}, True),
        ({"containerOverrides": [{"name": "app"}], "taskRoleArn": "arn:role"}, True),
        ({"cpu": "4096"}, True),
    ],
)
def test_a_task_that_was_given_something_else_than_its_revision_says_is_told_apart(
    aws: AwsStub, ecs: Ecs, overrides: dict[str, Any], *, overridden: bool
) -> None:
    aws.on(
        "DescribeTasks", ok({"tasks": [{"taskArn": TASK, "taskDefinitionArn": revision(2), "overrides": overrides}]})
    )
    (found,) = ecs.tasks([TASK])
    assert found.overridden is overridden


@pytest.mark.parametrize(
    ("overrides", "commands"),
    [
        ({}, ()),
        ({"containerOverrides": [{"name": "app", "command": ["./a", "b"]}, {"name": "x"}]}, (("app", ("./a", "b")),)),
        ({"containerOverrides": [{"name": "app", "command": ["a"], "memory": 9}]}, None),
        ({"containerOverrides": [{"name": "app", "command": ["a"]}], "taskRoleArn": "arn:role"}, None),
    ],
)
def test_the_commands_that_a_task_was_given_are_read_unless_more_was_overridden(
    aws: AwsStub, ecs: Ecs, overrides: dict[str, Any], commands: Any
) -> None:
    task = {"taskArn": TASK, "taskDefinitionArn": revision(2), "overrides": overrides}
    aws.on("DescribeTasks", ok({"tasks": [task]}))
    (found,) = ecs.tasks([TASK])
    assert found.commands == commands


def test_an_ipv6_address_is_read_from_the_network_interface_in_its_shortest_form(aws: AwsStub, ecs: Ecs) -> None:
    interface = {"attachmentId": "1", "ipv6Address": "FD00:0:0::00a"}
    raw = {"taskArn": TASK, "taskDefinitionArn": revision(2), "containers": [{}, {"networkInterfaces": [interface]}]}
    aws.on("DescribeTasks", ok({"tasks": [raw]}))
    (found,) = ecs.tasks([TASK])
    assert (found.address, found.ipv6) == ("", "fd00::a")


def test_a_task_that_has_just_been_made_is_read_with_what_there_is(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("DescribeTasks", ok({"tasks": [{"taskArn": TASK, "taskDefinitionArn": revision(2)}]}))
    (found,) = ecs.tasks([TASK])
    assert (found.address, found.of, found.epoch, found.containers) == ("", "", Epoch(), ())
    assert datetime.now(timezone.utc) - found.created < timedelta(hours=1)


def test_the_task_of_a_token_is_told_whether_started_now_or_before_with_other_parameters(
    aws: AwsStub, ecs: Ecs
) -> None:
    aws.on("RunTask", ok({"tasks": [{"taskArn": TASK}]}), refused("ConflictException", "in use", resourceIds=["arn:x"]))
    assert [ecs.run_task(RUN), ecs.run_task(RUN)] == [TASK, "arn:x"]
    assert aws.asked("RunTask")[0].json == {"cluster": "prd", **RUN}


def test_a_conflict_that_names_no_task_is_asked_again_and_then_told_as_that(aws: AwsStub, ecs: Ecs) -> None:
    unnamed = refused("ConflictException", "in use")
    aws.on("RunTask", unnamed, unnamed, refused("ConflictException", "in use", resourceIds=["arn:x"]))
    assert ecs.run_task(RUN) == "arn:x"
    aws.on("RunTask", unnamed)
    with pytest.raises(TokenTaken, match="ConflictException: in use"):
        ecs.run_task(RUN)


def test_no_place_for_a_task_is_told_with_all_reasons(aws: AwsStub, ecs: Ecs) -> None:
    failures = [
        {"reason": "RESOURCE:MEMORY"},
        {"reason": "AGENT", "detail": "gone"},
        {"reason": "AGENT", "detail": "gone"},
        {},
    ]
    aws.on("RunTask", ok({"tasks": [], "failures": failures}))
    with pytest.raises(NotPlaced) as caught:
        ecs.run_task(RUN)
    assert caught.value.reasons == ("AGENT gone", "RESOURCE:MEMORY", "no reason given")


@pytest.mark.parametrize(
    ("operation", "answer", "ask"),
    [
        ("DescribeServices", {}, lambda ecs: ecs.service()),
        ("DescribeServices", {"services": [{}]}, lambda ecs: ecs.service()),
        ("DescribeTasks", {"tasks": [{"taskArn": TASK}]}, lambda ecs: ecs.tasks([TASK])),
        ("RunTask", {}, lambda ecs: ecs.run_task(RUN)),
        ("RunTask", {"tasks": []}, lambda ecs: ecs.run_task(RUN)),
    ],
)
def test_an_answer_without_its_members_is_trouble_that_names_the_call(
    aws: AwsStub, ecs: Ecs, operation: str, answer: dict[str, Any], ask: Any
) -> None:
    aws.on(operation, ok(answer))
    with pytest.raises(AwsError, match=rf"^ecs:{operation}: .*what answers is not AWS; check AWS_ENDPOINT_URL"):
        ask(ecs)


def test_a_throttled_run_is_made_again_with_the_same_token(aws: AwsStub, ecs: Ecs) -> None:
    aws.on(
        "RunTask",
        refused("ThrottlingException"),
        refused("ServerException", status=500),
        ok({"tasks": [{"taskArn": TASK}]}),
    )
    assert ecs.run_task(RUN) == TASK
    assert {request.json["clientToken"] for request in aws.asked("RunTask")} == {"c0ffee"}


def test_a_task_that_is_gone_already_is_as_good_as_stopped(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("StopTask", refused("InvalidParameterException", "The referenced task was not found."))
    ecs.stop_task(TASK, "x" * 300)
    assert len(aws.asked("StopTask")[0].json["reason"]) == 255
    aws.on("StopTask", refused("InvalidParameterException", "reason is wrong"))
    with pytest.raises(AwsError, match="reason is wrong"):
        ecs.stop_task(TASK, "x")


def raw_task(desired_status: str) -> dict[str, Any]:
    return {"taskArn": TASK, "taskDefinitionArn": revision(2), "desiredStatus": desired_status}


def test_a_stop_that_is_refused_for_the_tags_that_the_first_one_took_is_done(aws: AwsStub, ecs: Ecs) -> None:
    aws.on("StopTask", refused("ServerException", status=500), refused("AccessDeniedException"))
    aws.on("DescribeTasks", ok({"tasks": [raw_task("STOPPED")]}))
    ecs.stop_task(TASK, "x")
    aws.on("DescribeTasks", ok({"tasks": [raw_task("RUNNING")]}))
    with pytest.raises(AwsError, match="allow ecs:StopTask"):
        ecs.stop_task(TASK, "x")
