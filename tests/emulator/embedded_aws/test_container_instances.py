"""Launch type EC2: bridge and host networks, dynamic ports, targets by instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import NETWORK, fetch, wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment

EC2 = {"networkMode": "bridge", "requiresCompatibilities": ["EC2"]}


def instance_of(environment: Environment, task: Any) -> Any:
    arn = task["containerInstanceArn"]
    answer = environment.ecs.describe_container_instances(cluster=environment.cluster, containerInstances=[arn])
    return answer["containerInstances"][0]


def run(environment: Environment, definition: str) -> Any:
    answer = environment.ecs.run_task(cluster=environment.cluster, taskDefinition=definition, launchType="EC2")
    return environment.wait_for_task(answer["tasks"][0]["taskArn"])


def test_a_bridge_task_has_a_port_of_its_instance(environment: Environment) -> None:
    """Data types Task and NetworkBinding; DescribeContainerInstances: ec2InstanceId."""
    task = run(environment, environment.register("v1", **EC2))
    binding = task["containers"][0]["networkBindings"][0]
    assert (binding["containerPort"], task["attachments"]) == (8000, [])
    assert wait_for(lambda: fetch(f"http://127.0.0.1:{binding['hostPort']}/")) == (200, "v1")
    assert instance_of(environment, task)["ec2InstanceId"].startswith("i-")
    listed = environment.ecs.list_container_instances(cluster=environment.cluster)["containerInstanceArns"]
    assert listed == [task["containerInstanceArn"]]


def test_an_instance_target_is_checked_and_gets_traffic(environment: Environment) -> None:
    """User Guide, "Target groups": targets of type instance are named by instance id and port."""
    group = environment.new_target_group("i", TargetType="instance")
    task = run(environment, environment.register("v1", **EC2))
    port = task["containers"][0]["networkBindings"][0]["hostPort"]
    target = (instance_of(environment, task)["ec2InstanceId"], port)
    environment.add_targets(target, group=group)
    wait_for(lambda: environment.states(group, target) == ["healthy"])
    assert fetch(environment.url) == (200, "v1")


def test_a_service_registers_its_tasks_by_instance_and_port(environment: Environment) -> None:
    """Developer Guide, "Use load balancing to distribute Amazon ECS service traffic": dynamic host ports."""
    group = environment.new_target_group("s", TargetType="instance")
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}]
    environment.create_service(
        environment.register("v1", **EC2),
        count=2,
        launchType="EC2",
        networkConfiguration={},
        loadBalancers=balancers,
    )
    environment.wait_until_stable()
    targets = [each["Target"] for each in environment.health(group)]
    assert len({each["Id"] for each in targets}) == 1
    assert len({each["Port"] for each in targets}) == 2
    assert fetch(environment.url) == (200, "v1")


def test_a_host_task_listens_on_its_instance(environment: Environment) -> None:
    """Developer Guide, "Map container ports to the EC2 instance network interface": network mode host."""
    container = {"environment": [{"name": "PORT", "value": "18765"}], "portMappings": [{"containerPort": 18765}]}
    task = run(environment, environment.register("v1", **{**EC2, "networkMode": "host"}, container=container))
    assert wait_for(lambda: fetch("http://127.0.0.1:18765/"))[1] == "v1"
    environment.ecs.stop_task(cluster=environment.cluster, task=task["taskArn"])
    environment.wait_for_task(task["taskArn"], "STOPPED")


def test_a_capacity_provider_chooses_where_a_task_runs(environment: Environment) -> None:
    """RunTask, parameter capacityProviderStrategy."""
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    answer = environment.ecs.run_task(
        cluster=environment.cluster,
        taskDefinition=environment.register("v1"),
        capacityProviderStrategy=strategy,
        networkConfiguration=NETWORK,
    )
    task = environment.task(answer["tasks"][0]["taskArn"])
    assert (task["capacityProviderName"], task["launchType"]) == ("FARGATE_SPOT", "FARGATE")
    assert "containerInstanceArn" not in task


def test_what_does_not_fit_the_network_mode_is_refused(environment: Environment) -> None:
    """CreateService and RunTask: network configuration and target type go with the network mode."""
    definition = environment.register("v1", **EC2)
    with pytest.raises(ClientError, match="Network Configuration is not valid"):
        environment.run(definition, launchType="EC2")
    with pytest.raises(ClientError, match="does not support launch_type FARGATE"):
        environment.run(definition)
    group = environment.new_target_group("w", TargetType="instance")
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}]
    with pytest.raises(ClientError, match="incompatible"):
        environment.create_service(environment.register("v1"), loadBalancers=balancers)


@pytest.mark.parametrize("number", [0, 101])
def test_a_hundred_instances_are_described_at_once(environment: Environment, number: int) -> None:
    """DescribeContainerInstances: "A list of up to 100 container instance IDs"."""
    with pytest.raises(ClientError, match="InvalidParameterException"):
        environment.ecs.describe_container_instances(cluster=environment.cluster, containerInstances=["i"] * number)
