"""RunTask and StopTask: refusals, what a task carries and for how long it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import NETWORK, wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


@pytest.fixture
def definition(environment: Environment) -> str:
    return environment.register("v1")


def tags_of(task: Any) -> dict[str, str]:
    return {each["key"]: each["value"] for each in task["tags"]}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"startedBy": "with.dot"}, "InvalidParameterException"),
        ({"startedBy": "x" * 129}, "InvalidParameterException"),
        ({"clientToken": "x" * 65}, "InvalidParameterException"),
        ({"propagateTags": "SERVICE"}, "InvalidParameterException"),
        ({"count": 11}, "InvalidParameterException"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "InvalidParameterException"),
        ({"tags": [{"key": f"k{number}", "value": ""} for number in range(51)]}, "InvalidParameterException"),
        ({"networkConfiguration": {}}, "InvalidParameterException"),
        ({"cluster": "no-such-cluster"}, "ClusterNotFoundException"),
        ({"taskDefinition": "no-such-family"}, "ClientException"),
        ({"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, "InvalidParameter"),
    ],
)
def test_what_aws_refuses_is_refused(environment: Environment, definition: str, members: Any, code: str) -> None:
    """RunTask, its parameters' limits and its errors."""
    arguments = {
        "cluster": environment.cluster,
        "taskDefinition": definition,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        **members,
    }
    with pytest.raises(ClientError, match=code):
        environment.ecs.run_task(**arguments)


def test_a_task_carries_its_tags_from_the_start_and_loses_them_when_it_stops(environment: Environment) -> None:
    """RunTask: propagateTags and enableECSManagedTags; StopTask: "Any tags associated with the task are deleted"."""
    definition = environment.register("v1", tags=[{"key": "team", "value": "lab"}, {"key": "stage", "value": "x"}])
    arn = environment.run(
        definition,
        propagateTags="TASK_DEFINITION",
        enableECSManagedTags=True,
        tags=[{"key": "stage", "value": "canary"}],
        startedBy="canary/sample",
    )
    task = environment.wait_for_task(arn)
    tagged = environment.task(arn, include=["TAGS"])
    assert tags_of(tagged) == {"team": "lab", "stage": "canary", "aws:ecs:clusterName": environment.cluster}
    assert (task["group"], task["startedBy"]) == (f"family:{environment.name}", "canary/sample")
    assert "containerInstanceArn" not in task
    stopped = environment.ecs.stop_task(cluster=environment.cluster, task=arn, reason="enough")["task"]
    assert (stopped["desiredStatus"], stopped["lastStatus"]) == ("STOPPED", "RUNNING")
    assert environment.task(arn, include=["TAGS"])["tags"] == []
    ended = environment.wait_for_task(arn, "STOPPED")
    assert (ended["stoppedReason"], ended["stopCode"]) == ("enough", "UserInitiated")
    assert ended["containers"][0]["exitCode"] == 0


def test_tags_stay_where_the_behaviour_says_so(environment: Environment, definition: str) -> None:
    """The switch for AWS' wording "will be deleted" that leaves open when."""
    environment.server.configure(stop_removes_tags=False)
    arn = environment.run(definition, tags=[{"key": "team", "value": "lab"}])
    environment.ecs.stop_task(cluster=environment.cluster, task=arn)
    environment.wait_for_task(arn, "STOPPED")
    assert tags_of(environment.task(arn, include=["TAGS"])) == {"team": "lab"}


def test_a_crash_is_told_with_exit_code_and_log(environment: Environment) -> None:
    """Developer Guide, "Amazon ECS stopped tasks error messages"; container log in CloudWatch Logs (awslogs)."""
    logs, group = environment.client("logs"), f"/ecs/{environment.name}"
    logs.create_log_group(logGroupName=group)
    options = {"awslogs-group": group, "awslogs-region": environment.server.region, "awslogs-stream-prefix": "app"}
    log = {"logDriver": "awslogs", "options": options}
    arn = environment.run(environment.register("crash", container={"logConfiguration": log}))
    task = environment.wait_for_task(arn, "STOPPED")
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 3)
    assert task["stoppedReason"] == "Essential container in task exited"
    stream = f"app/app/{arn.rpartition('/')[2]}"
    events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert "fatal: cannot start version=crash" in [each["message"] for each in events]


@pytest.mark.parametrize(
    ("container", "reason"),
    [
        ({"image": "127.0.0.1:1/no-such-image:1"}, "CannotPullContainerError"),
        ({"secrets": [{"name": "KEY", "valueFrom": "no-such-parameter"}]}, "ResourceInitializationError"),
        ({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "none"}}}, "ResourceInitializ"),
        ({"command": ["/no-such-program"]}, "CannotStartContainerError"),
    ],
)
def test_a_task_that_cannot_start_says_why(environment: Environment, container: Any, reason: str) -> None:
    """Developer Guide, "Amazon ECS stopped tasks error messages"."""
    arn = environment.run(environment.register("v1", container=container))
    task = environment.wait_for_task(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(reason)


def test_secrets_arrive_decrypted(environment: Environment) -> None:
    """ContainerDefinition.secrets: values of Parameter Store and Secrets Manager, also a member of a JSON secret."""
    name = f"/{environment.name}/url"
    environment.client("ssm").put_parameter(Name=name, Value="from-ssm", Type="SecureString")
    secret = environment.client("secretsmanager").create_secret(
        Name=environment.name, SecretString='{"key": "from-sm"}'
    )
    secrets = [{"name": "VERSION", "valueFrom": name}, {"name": "CRASH", "valueFrom": f"{secret['ARN']}:key::"}]
    logs, group = environment.client("logs"), f"/ecs/{environment.name}"
    logs.create_log_group(logGroupName=group)
    log = {"logDriver": "awslogs", "options": {"awslogs-group": group, "awslogs-stream-prefix": "app"}}
    container = {"secrets": secrets, "logConfiguration": log, "entryPoint": ["sh", "-c", 'echo "$VERSION $CRASH"']}
    arn = environment.run(environment.register("v1", container=container))
    environment.wait_for_task(arn, "STOPPED")
    stream = f"app/app/{arn.rpartition('/')[2]}"
    events = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert [each["message"] for each in events] == ["from-ssm from-sm"]


def test_containers_of_a_task_share_its_address(environment: Environment) -> None:
    """Developer Guide, "Allocate a network interface for an Amazon ECS task": containers talk over localhost."""
    check = {"command": ["CMD-SHELL", "wget -q -O - http://127.0.0.1:8000/health"], "interval": 1}
    app = {"name": "app", "image": "ecs-pipeline-demo/app:v1", "portMappings": [{"containerPort": 8000}]}
    sidecar = {"name": "sidecar", "image": "ecs-pipeline-demo/app:v1", "command": ["sleep", "60"], "healthCheck": check}
    definition = environment.register("v1", containerDefinitions=[app, {**sidecar, "stopTimeout": 1}])
    arn = environment.run(definition)
    wait_for(lambda: environment.task(arn)["healthStatus"] == "HEALTHY")
    addresses = {each["networkInterfaces"][0]["privateIpv4Address"] for each in environment.task(arn)["containers"]}
    assert addresses == {environment.address(arn)}


def test_tasks_that_cannot_be_placed_are_failures_of_a_call_that_succeeds(
    environment: Environment, definition: str
) -> None:
    """RunTask answers 200 with failures[] (Developer Guide, "API failure reasons")."""
    environment.server.configure(placement_failures=1)
    answer = environment.try_run(definition, count=2, clientToken="four")
    assert (len(answer["tasks"]), len(answer["failures"])) == (1, 1)
    assert "Capacity is unavailable" in answer["failures"][0]["reason"]


def test_the_starter_may_have_to_be_the_only_filter_of_a_list(environment: Environment, definition: str) -> None:
    """ListTasks, parameter startedBy: "it must be the only filter that you use"; RUNNING is listed by default."""
    arn = environment.run(definition, startedBy="someone")
    arguments = {"cluster": environment.cluster, "startedBy": "someone"}
    for others in ({"family": environment.name}, {"launchType": "FARGATE"}):
        with pytest.raises(ClientError, match="startedBy"):
            environment.ecs.list_tasks(**arguments, **others)
    assert environment.ecs.list_tasks(**arguments, desiredStatus="RUNNING")["taskArns"] == [arn]
    environment.server.configure(started_by_alone=True)
    with pytest.raises(ClientError, match="startedBy"):
        environment.ecs.list_tasks(**arguments, desiredStatus="RUNNING")
    assert environment.ecs.list_tasks(**arguments)["taskArns"] == [arn]


def test_tags_of_the_call_and_of_the_revision_are_fifty_together(environment: Environment) -> None:
    """Guide, "Tag restrictions": the maximum number of tags of a resource is 50."""
    tags = [{"key": f"k{number}", "value": ""} for number in range(30)]
    definition = environment.register("v1", tags=tags)
    more = [{"key": f"m{number}", "value": ""} for number in range(21)]
    with pytest.raises(ClientError, match="The maximum number of tags is 50"):
        environment.run(definition, propagateTags="TASK_DEFINITION", tags=more)
    environment.run(definition, propagateTags="TASK_DEFINITION", tags=more[:20])


def test_a_pull_that_the_registry_throttles_ends_the_task(environment: Environment, definition: str) -> None:
    """Developer Guide, "CannotPullContainer task errors": You have reached your pull rate limit."""
    environment.server.configure(throttled_pulls=1)
    task = environment.wait_for_task(environment.run(definition), "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest has been retried")
    assert "toomanyrequests" in task["stoppedReason"]


def test_a_new_task_may_be_invisible_for_a_while(environment: Environment, definition: str) -> None:
    """RunTask: the API is eventually consistent, for up to minutes."""
    environment.server.configure(task_visibility_delay=1.0)
    arn = environment.run(definition, startedBy="hidden")
    answer = environment.ecs.describe_tasks(cluster=environment.cluster, tasks=[arn])
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]

    def listed() -> list[str]:
        return list(environment.ecs.list_tasks(cluster=environment.cluster, startedBy="hidden")["taskArns"])

    assert listed() == []
    wait_for(lambda: listed() == [arn])


def test_stopped_tasks_are_forgotten_after_a_while(environment: Environment, definition: str) -> None:
    """DescribeTasks: stopped tasks are shown for at least an hour."""
    arn = environment.run(definition)
    environment.ecs.stop_task(cluster=environment.cluster, task=arn)
    environment.wait_for_task(arn, "STOPPED")
    assert environment.ecs.list_tasks(cluster=environment.cluster, desiredStatus="STOPPED")["taskArns"] == [arn]
    environment.server.configure(stopped_task_lifetime=0)
    assert environment.ecs.list_tasks(cluster=environment.cluster, desiredStatus="STOPPED")["taskArns"] == []
    assert (
        environment.ecs.describe_tasks(cluster=environment.cluster, tasks=[arn])["failures"][0]["reason"] == "MISSING"
    )


@pytest.mark.parametrize("filters", [{"serviceName": "x"}, {"family": "x"}])
def test_started_by_takes_no_other_filter(environment: Environment, filters: Any) -> None:
    """ListTasks, parameter startedBy: the only filter that is used then."""
    with pytest.raises(ClientError, match="InvalidParameterException"):
        environment.ecs.list_tasks(cluster=environment.cluster, startedBy="x", **filters)


@pytest.mark.parametrize("tasks", [[""], ["x"] * 101])
def test_describe_tasks_takes_one_to_a_hundred_names(environment: Environment, tasks: list[str]) -> None:
    """DescribeTasks, parameter tasks."""
    with pytest.raises(ClientError, match="InvalidParameterException"):
        environment.ecs.describe_tasks(cluster=environment.cluster, tasks=tasks)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("list_tasks", {}),
        ("describe_tasks", {"tasks": ["x"]}),
        ("stop_task", {"task": "x"}),
        ("describe_services", {"services": ["x"]}),
        ("list_services", {}),
    ],
)
def test_an_unknown_cluster_is_an_error(environment: Environment, operation: str, members: Any) -> None:
    """Error ClusterNotFoundException of all operations on a cluster's tasks and services."""
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        getattr(environment.ecs, operation)(cluster="no-such-cluster", **members)


def test_fargate_takes_no_subnet_of_a_zone_that_it_does_not_support(environment: Environment) -> None:
    """Developer guide, "Supported Regions for Amazon ECS on AWS Fargate": of ap-northeast-1 no apne1-az3."""
    zone = [{"Name": "availability-zone", "Values": ["ap-northeast-1c"]}]
    subnet = environment.client("ec2").describe_subnets(Filters=zone)["Subnets"][0]
    assert subnet["AvailabilityZoneId"] == "apne1-az3"
    network = {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"]], "securityGroups": ["sg-1"]}}
    with pytest.raises(ClientError, match="apne1-az3"):
        environment.try_run(environment.register("v1"), networkConfiguration=network)


def test_a_task_shows_every_container_by_name_and_what_it_was_given_instead(
    environment: Environment, definition: str
) -> None:
    """AWS CLI, example of run-task; data type TaskOverride."""
    plain = environment.task(environment.run(definition))
    assert plain["overrides"] == {"containerOverrides": [{"name": "app"}], "inferenceAcceleratorOverrides": []}
    given = {"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "b"}]}]}
    other = environment.task(environment.run(definition, overrides=given))
    assert other["overrides"]["containerOverrides"] == given["containerOverrides"]
