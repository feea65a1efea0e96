"""The canary is like the service's own tasks, whatever kind of service it is; what cannot be is refused."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.emulator.embedded_aws.service_shapes import two_groups
from tests.emulator.stages.scene import NETWORK, TAGS, Scene


def tags_of(task: Any) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in task["tags"]}


def test_the_canary_is_launched_as_the_service_is(scene: Scene) -> None:
    scene.start(1, enableExecuteCommand=True, platformVersion="1.4.0")
    assert scene.canary("v2").code == 0
    task = scene.canaries()[0]
    assert task["launchType"] == "FARGATE"
    assert task["platformVersion"] == "1.4.0"
    assert task["enableExecuteCommand"] is True
    assert task["group"] == f"family:{scene.name}"
    tags = tags_of(task)
    assert tags["team"] == TAGS["team"]
    assert tags["ecs-pipeline:release"] == "v2"
    assert tags["ecs-pipeline:service"] == scene.name


def test_the_canary_takes_the_services_capacity_providers(scene: Scene) -> None:
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 1}]
    scene.start(1, capacityProviderStrategy=strategy)
    assert scene.canary("v2").code == 0
    assert scene.canaries()[0]["capacityProviderName"] == "FARGATE_SPOT"


def test_the_canary_joins_every_target_group_of_the_service(scene: Scene) -> None:
    second = scene.new_target_group("-two", drain=1)
    groups = [
        {"targetGroupArn": group, "containerName": "app", "containerPort": 8000}
        for group in (scene.target_group, second)
    ]
    scene.start(1, loadBalancers=groups)
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert [len(scene.health(group)) for group in (scene.target_group, second)] == [2, 2]
    assert len(canary.report["canary"]["tasks"][0]["target_groups"]) == 2
    assert scene.ecs_pipeline("rollback").code == 0
    assert [len(scene.health(group)) for group in (scene.target_group, second)] == [1, 1]


def test_a_network_load_balancer_is_served_too(scene: Scene) -> None:
    network = scene.elb.create_load_balancer(Name=f"{scene.name}-n", Type="network", Subnets=["subnet-1", "subnet-2"])
    group = scene.new_target_group("-tcp", attached=False, Protocol="TCP", HealthCheckProtocol="TCP")
    scene.elb.create_listener(
        LoadBalancerArn=network["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="TCP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    scene.start(1, loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}])
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert scene.states(group) == ["healthy", "healthy"]
    assert scene.ecs_pipeline("rollback").code == 0


@pytest.mark.parametrize("subnet", ["subnet-ipv6", "subnet-dual"])
def test_ipv6_tasks_join_a_group_of_ipv6_addresses(scene: Scene, subnet: str) -> None:
    group = scene.new_target_group("-6", IpAddressType="ipv6")
    scene.start(
        1,
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": ["sg-1"]}},
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}],
    )
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert scene.states(group) == ["healthy", "healthy"]
    (task,) = canary.report["canary"]["tasks"]
    assert task["target_groups"] == [group]
    assert scene.ecs_pipeline("promote").code == 0
    assert scene.states(group) == ["healthy"]
    assert scene.canary("v3").code == 0
    assert scene.ecs_pipeline("rollback").code == 0
    assert scene.states(group) == ["healthy"]


def test_tasks_on_instances_are_registered_by_instance_and_host_port(scene: Scene) -> None:
    group = scene.new_target_group("-ec2", TargetType="instance")
    scene.start(
        1,
        launchType="EC2",
        networkConfiguration={},
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}],
        definition={"networkMode": "bridge", "requiresCompatibilities": ["EC2"]},
        container={"portMappings": [{"containerPort": 8000, "hostPort": 0}], "memory": 128},
    )
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert scene.states(group) == ["healthy", "healthy"]
    assert all(target["Target"]["Id"].startswith("i-") for target in scene.health(group))
    assert scene.ecs_pipeline("promote").code == 0
    assert scene.states(group) == ["healthy"]


def test_in_host_mode_the_port_of_the_container_is_that_of_the_instance(scene: Scene) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = scene.new_target_group("-host", TargetType="instance")
    scene.start(
        0,  # the machine has the port once
        launchType="EC2",
        networkConfiguration={},
        loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": port}],
        definition={"networkMode": "host", "requiresCompatibilities": ["EC2"]},
        container={
            "portMappings": [{"containerPort": port}],
            "environment": [{"name": "PORT", "value": str(port)}],
            "memory": 128,
        },
    )
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    (target,) = scene.health(group)
    assert (target["Target"]["Port"], target["TargetHealth"]["State"]) == (port, "healthy")
    assert scene.ecs_pipeline("rollback").code == 0
    assert scene.health(group) == []


def test_without_a_load_balancer_the_canary_takes_no_traffic(scene: Scene) -> None:
    scene.start(1, loadBalancers=[])
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert "no load balancer" in canary.message("traffic")
    assert canary.report["canary"]["share"] == 0.0
    assert scene.ecs_pipeline("promote").code == 0
    assert scene.canaries() == []


def test_a_percentage_decides_how_many_canaries_there_are(scene: Scene) -> None:
    scene.start(3)
    scene.config(canary={"percent": 40})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert len(scene.canaries()) == 2
    assert canary.report["canary"]["share"] == 40.0
    assert scene.canary("v2").code == 0
    assert len(scene.canaries()) == 2
    assert scene.ecs_pipeline("promote").code == 0
    scene.assert_nothing_left()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"serviceConnectConfiguration": {"enabled": True, "namespace": "x"}}, "it uses Service Connect"),
        (
            {
                "deploymentConfiguration": {
                    "lifecycleHooks": [{"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}]
                }
            },
            "its deployments pause at PRE_SCALE_UP",
        ),
        ({"vpcLatticeConfigurations": [{"roleArn": "r", "targetGroupArn": "t", "portName": "p"}]}, "VPC Lattice"),
        ({"gatewayConnectors": [{"portName": "web"}]}, "an ECS gateway sends it requests"),
    ],
)
def test_services_that_a_canary_task_cannot_join_are_refused(
    scene: Scene, members: dict[str, Any], reason: str
) -> None:
    revision = scene.register("v1")
    scene.create_service(revision, 0, loadBalancers=[], networkConfiguration=NETWORK, **members)
    canary = scene.canary("v2")
    assert canary.code == 3
    assert reason in canary.stderr
    assert scene.marks() == {}
    assert scene.revisions() == [1]


def test_a_service_with_a_short_arn_is_refused_with_a_cure_that_works(scene: Scene) -> None:
    scene.ecs.put_account_setting(name="serviceLongArnFormat", value="disabled")
    try:
        scene.start(1, tags=[])
    finally:
        scene.ecs.put_account_setting(name="serviceLongArnFormat", value="enabled")
    canary = scene.canary("v2")
    assert canary.code == 3
    assert "it has the short ARN of before 2021" in canary.stderr
    assert scene.revisions() == [1]
    long = canary.report["cure"].partition("--resource-arn ")[2].partition(" ")[0]
    scene.ecs.tag_resource(resourceArn=long, tags=[{"key": "arn", "value": "long"}])
    assert scene.canary("v2").code == 0
    assert scene.ecs_pipeline("promote").code == 0


def test_a_volume_whose_tags_come_from_the_service_is_attached_to_the_canary(scene: Scene) -> None:
    specification = {"resourceType": "volume", "propagateTags": "SERVICE"}
    managed = {"sizeInGiB": 1, "roleArn": "arn:aws:iam::000000000000:role/ebs", "tagSpecifications": [specification]}
    scene.start(
        1,
        definition={"volumes": [{"name": "data", "configuredAtLaunch": True}]},
        volumeConfigurations=[{"name": "data", "managedEBSVolume": managed}],
    )
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr


def test_tags_of_service_and_revision_together_may_be_more_than_fifty(scene: Scene) -> None:
    many = {f"revision-{number:02}": "x" for number in range(30)}
    tags = [{"key": key, "value": value} for key, value in many.items()]
    definition = scene.register("v1", container={"image": scene.images.digest("v1")}, tags=tags)
    of_service = [{"key": f"service-{number:02}", "value": "x"} for number in range(40)]
    scene.create_service(definition, 1, propagateTags="TASK_DEFINITION", tags=of_service)
    scene.wait_until_stable()
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    found = tags_of(scene.canaries()[0])
    assert set(many) <= set(found)
    assert len([key for key in found if not key.startswith("aws:")]) <= 50


@pytest.mark.parametrize("with_traffic", [0, 1])
def test_of_two_target_groups_the_canary_joins_the_one_that_has_the_traffic(scene: Scene, with_traffic: int) -> None:
    groups, balancers = two_groups(scene, with_traffic)
    scene.start(1, loadBalancers=balancers)
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert [len(scene.health(group)) for group in groups] == [2 - 2 * with_traffic, 2 * with_traffic]
    assert scene.ecs_pipeline("promote").code == 0
    assert scene.ecs_pipeline("rollback").code == 0
    assert [len(scene.health(group)) for group in groups] == [1 - with_traffic, with_traffic]


def test_target_groups_of_quic_and_of_the_target_optimizer_are_refused(scene: Scene) -> None:
    scene.start(1, loadBalancers=[])
    for suffix, settings in (
        ("-q", {"Protocol": "QUIC", "HealthCheckProtocol": "TCP"}),
        ("-o", {"TargetControlPort": 3000}),
    ):
        group = scene.new_target_group(suffix, **settings)
        scene.update(loadBalancers=[{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}])
        canary = scene.canary("v2")
        assert canary.code == 3
        assert f"its target group {scene.name}{suffix}" in canary.stderr
    assert scene.marks() == {}


def test_what_makes_the_shares_unequal_is_told_first(scene: Scene) -> None:
    scene.start(1)
    attributes = {
        "stickiness.enabled": "true",
        "load_balancing.cross_zone.enabled": "false",
        "load_balancing.algorithm.type": "least_outstanding_requests",
    }
    listed = [{"Key": key, "Value": value} for key, value in attributes.items()]
    scene.elb.modify_target_group_attributes(TargetGroupArn=scene.target_group, Attributes=listed)
    canary = scene.ecs_pipeline("canary", "--image", scene.images.uri("v2"), "--dry-run")
    assert canary.code == 0, canary.stderr
    for words in ("is sticky", "has cross-zone off", "fewest requests under way"):
        assert words in canary.stderr


def test_a_rollback_starts_no_native_deployment(scene: Scene) -> None:
    scene.start(1)
    assert scene.canary("v2").code == 0
    assert scene.ecs_pipeline("promote").code == 0
    scene.update(deploymentConfiguration={"strategy": "CANARY"})
    before = scene.service()["taskDefinition"]
    for words in (["rollback"], ["rollback", "--to", "1"]):
        refused = scene.ecs_pipeline(*words)
        assert refused.code == 3, refused.stderr
        assert "cannot be sent to another revision: its deployment strategy is CANARY" in refused.stderr
    assert scene.service()["taskDefinition"] == before
