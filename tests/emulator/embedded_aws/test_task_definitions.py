"""Task definitions: what is kept, how names resolve, and what an inactive revision still can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import NETWORK, wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


def described(environment: Environment, name: str, **members: Any) -> Any:
    return environment.ecs.describe_task_definition(taskDefinition=name, **members)


def test_every_member_is_kept_and_nothing_empty_is_invented(environment: Environment) -> None:
    """RegisterTaskDefinition and DescribeTaskDefinition give the same members back."""
    given: dict[str, Any] = {
        "enableFaultInjection": True,
        "pidMode": "task",
        "ephemeralStorage": {"sizeInGiB": 30},
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "container": {"versionConsistency": "disabled", "restartPolicy": {"enabled": True}},
    }
    definition = described(environment, environment.register("v1", **given))["taskDefinition"]
    container = given.pop("container")
    assert {name: definition[name] for name in given} == given
    assert {name: definition["containerDefinitions"][0][name] for name in container} == container
    assert not {"taskRoleArn", "executionRoleArn", "ipcMode", "proxyConfiguration"} & set(definition)


def test_aws_own_defaults_are_filled_in(environment: Environment) -> None:
    """Data types ContainerDefinition and PortMapping: essential, cpu, empty lists, host port and protocol."""
    container = described(environment, environment.register("v1"))["taskDefinition"]["containerDefinitions"][0]
    assert (container["cpu"], container["essential"], container["environment"]) == (0, True, [])
    assert container["portMappings"] == [{"containerPort": 8000, "hostPort": 8000, "protocol": "tcp"}]


def test_a_family_means_its_newest_active_revision(environment: Environment) -> None:
    """DescribeTaskDefinition: the family name alone stands for the latest ACTIVE revision."""
    one, two = environment.register("v1"), environment.register("v2")
    environment.ecs.deregister_task_definition(taskDefinition=two)
    assert described(environment, environment.name)["taskDefinition"]["taskDefinitionArn"] == one
    assert described(environment, two)["taskDefinition"]["status"] == "INACTIVE"
    environment.ecs.deregister_task_definition(taskDefinition=one)
    with pytest.raises(ClientError, match="Unable to describe task definition"):
        described(environment, environment.name)
    assert environment.register("v1").endswith(":3")


def test_lists_take_the_whole_family_name_and_go_by_revision(environment: Environment) -> None:
    """ListTaskDefinitions: familyPrefix is the full family name; order by family and revision number."""
    arns = [environment.register("v1") for _ in range(11)]
    environment.register("v1", family=f"{environment.name}-other")

    def listed(**members: Any) -> list[str]:
        pages = environment.ecs.get_paginator("list_task_definitions").paginate(
            familyPrefix=environment.name, PaginationConfig={"PageSize": 4}, **members
        )
        return [arn for page in pages for arn in page["taskDefinitionArns"]]

    assert listed() == arns
    assert listed(sort="DESC") == arns[::-1]
    environment.ecs.deregister_task_definition(taskDefinition=arns[0])
    assert listed(status="INACTIVE") == arns[:1]


def test_tags_come_when_they_are_asked_for(environment: Environment) -> None:
    """DescribeTaskDefinition, parameter include."""
    arn = environment.register("v1", tags=[{"key": "release", "value": "r1"}])
    assert "tags" not in described(environment, arn)
    assert described(environment, arn, include=["TAGS"])["tags"] == [{"key": "release", "value": "r1"}]


def test_only_inactive_revisions_are_deleted(environment: Environment) -> None:
    """DeleteTaskDefinitions: a revision must be deregistered first."""
    arn = environment.register("v1")
    answer = environment.ecs.delete_task_definitions(taskDefinitions=[arn])
    assert (answer["taskDefinitions"], answer["failures"][0]["arn"]) == ([], arn)
    environment.ecs.deregister_task_definition(taskDefinition=arn)
    answer = environment.ecs.delete_task_definitions(taskDefinitions=[arn])
    assert answer["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"


@pytest.mark.parametrize("name", ["no-such-family:1", "no-such-family"])
def test_an_unknown_revision_cannot_be_deregistered(environment: Environment, name: str) -> None:
    """DeregisterTaskDefinition, error ClientException."""
    with pytest.raises(ClientError, match="ClientException"):
        environment.ecs.deregister_task_definition(taskDefinition=name)


@pytest.mark.parametrize(
    "members",
    [
        {"family": "with.dot"},
        {"containerDefinitions": []},
        {"networkMode": "bridge"},
        {"container": {"essential": False}},
    ],
)
def test_what_aws_refuses_is_refused(environment: Environment, members: Any) -> None:
    """RegisterTaskDefinition: family characters, containers, Fargate's network mode, an essential container."""
    with pytest.raises(ClientError, match="ClientException"):
        environment.register("v1", **members)


def test_an_inactive_revision_starts_nothing_new_but_scales(environment: Environment) -> None:
    """DeregisterTaskDefinition: running tasks and services go on and can scale, new ones are refused."""
    arn, other = environment.register("v1"), environment.register("v2")
    environment.create_service(arn, loadBalancers=[])
    environment.wait_until_stable()
    for each in (arn, other):
        environment.ecs.deregister_task_definition(taskDefinition=each)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        environment.run(arn)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        environment.update(taskDefinition=other)
    with pytest.raises(ClientError, match="TaskDefinition is inactive"):
        environment.ecs.create_service(
            cluster=environment.cluster, serviceName="x", taskDefinition=arn, networkConfiguration=NETWORK
        )
    environment.update(desiredCount=2)
    wait_for(lambda: environment.service()["runningCount"] == 2)


def test_a_deregistration_may_take_a_while(environment: Environment) -> None:
    """DeregisterTaskDefinition: up to ten minutes until it takes effect."""
    environment.server.configure(inactive_delay=1.0)
    arn = environment.register("v1")
    environment.ecs.deregister_task_definition(taskDefinition=arn)
    assert environment.run(arn)

    def refused() -> bool:
        try:
            environment.run(arn)
        except ClientError as error:
            return "inactive" in str(error)
        return False

    wait_for(refused)


@pytest.mark.parametrize(("cpu", "memory"), [("256", "4096"), ("512", "512"), ("1024", "9216"), ("8192", "17408")])
def test_fargate_takes_memory_that_goes_with_the_cpu(environment: Environment, cpu: str, memory: str) -> None:
    """Developer guide, "Fargate task definition parameters", Task CPU and memory."""
    with pytest.raises(ClientError, match="No Fargate configuration exists for given values"):
        environment.register("v1", cpu=cpu, memory=memory)
    assert environment.register("v1", cpu=".5 vCPU", memory="2 GB")


@pytest.mark.parametrize(
    ("dependency", "told"),
    [
        ({"containerName": "gone", "condition": "START"}, "unknown container gone"),
        ({"containerName": "app", "condition": "START"}, "unknown container app"),
        ({"containerName": "sidecar", "condition": "HEALTHY"}, "no health check"),
        ({"containerName": "sidecar", "condition": "COMPLETE"}, "essential container sidecar"),
    ],
)
def test_a_container_depends_on_what_can_be_waited_for(
    environment: Environment, dependency: dict[str, str], told: str
) -> None:
    """API reference, ContainerDependency."""
    app = {"name": "app", "image": "app", "essential": True, "dependsOn": [dependency]}
    with pytest.raises(ClientError, match=told):
        environment.register("v1", containerDefinitions=[app, {"name": "sidecar", "image": "sidecar"}])


def test_a_deregistered_revision_may_be_described_only_while_something_runs_it(environment: Environment) -> None:
    """DescribeTaskDefinition: an INACTIVE one only while an active task or service references it."""
    arn, other = environment.register("v1"), environment.register("v2")
    environment.create_service(arn, loadBalancers=[])
    environment.wait_until_stable()
    for each in (arn, other):
        environment.ecs.deregister_task_definition(taskDefinition=each)
    assert described(environment, other)["taskDefinition"]["status"] == "INACTIVE"

    environment.server.configure(inactive_forgotten=True)

    assert described(environment, arn)["taskDefinition"]["status"] == "INACTIVE"
    with pytest.raises(ClientError, match="Unable to describe task definition"):
        described(environment, other)
    family = arn.rpartition("/")[2].partition(":")[0]
    listed = environment.ecs.list_task_definitions(familyPrefix=family, status="INACTIVE")
    assert listed["taskDefinitionArns"] == [arn]
