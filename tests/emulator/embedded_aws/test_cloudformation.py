"""Stacks of the resources that a service needs: change sets, conditions, updates in place, deletion."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any

import docker
import pytest

from embedded_aws import images
from tests.emulator.embedded_aws.environment import fetch, wait_for
from tests.emulator.embedded_aws.stack_template import template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.embedded_aws.environment import Environment


class Stack:
    """One stack and what the tests ask of it."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.name = environment.name
        self.api = environment.client("cloudformation")

    def parameters(self, *, image: str = "", **values: str) -> list[dict[str, Any]]:
        ec2 = self.environment.client("ec2")
        vpc = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        usable = [each["SubnetId"] for each in subnets if each["AvailabilityZoneId"] != "apne1-az3"]
        known = {"Image": image, "Vpc": vpc, "Subnets": ",".join(usable), **values}
        return [
            {"ParameterKey": key, **({"ParameterValue": value} if value else {"UsePreviousValue": True})}
            for key, value in known.items()
        ]

    def change_set(self, kind: str, body: dict[str, Any], **parameters: str) -> Any:
        name = f"c{uuid.uuid4().hex}"
        self.api.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=json.dumps(body),
            Parameters=self.parameters(**parameters),
            Capabilities=["CAPABILITY_IAM"],
        )
        return self.api.describe_change_set(StackName=self.name, ChangeSetName=name)

    def execute(self, change_set: Any) -> Any:
        self.api.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
        return wait_for(self._finished, seconds=60)

    def _finished(self) -> Any:
        stack = self.api.describe_stacks(StackName=self.name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

    def delete(self) -> Any:
        """Delete the stack; give the reason when that failed."""
        arn = self.api.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        self.api.delete_stack(StackName=self.name)

        def status() -> Any:
            stack = self.api.describe_stacks(StackName=arn)["Stacks"][0]
            return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack

        return wait_for(status, seconds=60)


@pytest.fixture
def stack(environment: Environment) -> Iterator[Stack]:
    made = Stack(environment)
    made.execute(made.change_set("CREATE", template(), image=images.build_app("v1")))
    yield made
    made.environment.client("ecr").delete_repository(repositoryName=made.name, force=True)
    assert made.delete()["StackStatus"] == "DELETE_COMPLETE"


def test_a_stack_makes_a_service_that_takes_traffic(stack: Stack, environment: Environment) -> None:
    """CloudFormation waits for a service's steady state; template reference of AWS::ECS::Service and the others."""
    described = stack.api.describe_stacks(StackName=stack.name)["Stacks"][0]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    port = environment.server.endpoint.rpartition(":")[2]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    assert outputs == {
        "Uri": f"127.0.0.1:{port}/{stack.name}",
        "Target": f"service/{stack.name}/{stack.name}|ecs:service:DesiredCount|ecs",
        "Policy": "cpu",
    }
    assert environment.deployments() == [("PRIMARY", "COMPLETED", "1")]
    assert fetch(environment.url) == (200, "v1")
    definition = environment.ecs.describe_task_definition(taskDefinition=stack.name)["taskDefinition"]
    assert definition["enableFaultInjection"] is True
    assert definition["runtimePlatform"]["cpuArchitecture"] == "X86_64"
    container = definition["containerDefinitions"][0]
    assert container["dockerLabels"] == {"Team-Name": "lab"}
    assert container["environment"] == [{"name": "PORT", "value": "8000"}]
    assert "stopTimeout" not in container
    tags = {each["key"]: each["value"] for each in environment.service(include=["TAGS"])["tags"]}
    assert (tags["team"], tags["aws:cloudformation:stack-name"]) == ("lab", stack.name)


def test_an_update_changes_only_what_changed(stack: Stack, environment: Environment) -> None:
    """DesiredCount that the template does not name is left alone; an unchanged revision is no UpdateService."""
    first = environment.service()["deployments"][0]["id"]
    environment.update(desiredCount=2)
    scaling = {"MaxCapacity": 5}
    change_set = stack.change_set("UPDATE", template(Scaling=scaling))
    changes = [each["ResourceChange"] for each in change_set["Changes"]]
    assert [(each["Action"], each["LogicalResourceId"]) for each in changes] == [("Modify", "Scaling")]
    assert stack.execute(change_set)["StackStatus"] == "UPDATE_COMPLETE"
    target = environment.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{stack.name}/{stack.name}"]
    )["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 5)
    service = environment.service()
    assert (service["desiredCount"], service["deployments"][0]["id"]) == (2, first)


def test_a_desired_count_in_the_template_is_set_again_with_every_update(stack: Stack, environment: Environment) -> None:
    """Template reference, AWS::ECS::Service, DesiredCount: only where it is not given is it left out of the call."""
    stack.execute(stack.change_set("UPDATE", template(Service={"DesiredCount": 1})))
    environment.update(desiredCount=2)
    first = environment.wait_until_stable()["deployments"][0]["id"]
    changed = {"DesiredCount": 1, "HealthCheckGracePeriodSeconds": 20}
    stack.execute(stack.change_set("UPDATE", template(Service=changed)))
    service = environment.service()
    assert (service["desiredCount"], service["healthCheckGracePeriodSeconds"]) == (1, 20)
    assert service["deployments"][0]["id"] == first


def test_a_new_image_rolls_the_service_and_a_condition_adds_a_variable(stack: Stack, environment: Environment) -> None:
    """A changed TaskDefinition is replaced by the next revision, and the old one is deregistered."""
    environment.update(desiredCount=2)
    change_set = stack.change_set("UPDATE", template(), image=images.build_app("v2"), Mode="debug")
    assert stack.execute(change_set)["StackStatus"] == "UPDATE_COMPLETE"
    assert fetch(environment.url) == (200, "v2")
    assert environment.service()["desiredCount"] == 2
    definition = environment.ecs.describe_task_definition(taskDefinition=stack.name)["taskDefinition"]
    container = definition["containerDefinitions"][0]
    assert {each["name"] for each in container["environment"]} == {"PORT", "DEBUG"}
    assert container["stopTimeout"] == 5
    old = environment.ecs.describe_task_definition(taskDefinition=f"{stack.name}:1")["taskDefinition"]
    assert old["status"] == "INACTIVE"


def test_a_change_set_tells_nothing_of_what_a_false_condition_leaves_out(stack: Stack) -> None:
    """User Guide, "Conditions": what a false condition is associated with is ignored; true, it is added."""
    body = template()
    body["Resources"]["Topic"] = {"Type": "AWS::SNS::Topic", "Condition": "Debug"}
    plain = stack.change_set("UPDATE", body)
    assert "didn't contain changes" in plain["StatusReason"]
    stack.api.delete_change_set(ChangeSetName=plain["ChangeSetId"])
    changes = [each["ResourceChange"] for each in stack.change_set("UPDATE", body, Mode="debug")["Changes"]]
    assert ("Add", "Topic") in [(each["Action"], each["LogicalResourceId"]) for each in changes]


def test_a_change_set_without_changes_fails(stack: Stack) -> None:
    """DescribeChangeSet: Status FAILED with "The submitted information didn't contain changes"."""
    change_set = stack.change_set("UPDATE", template())
    assert (change_set["Status"], change_set["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in change_set["StatusReason"]
    stack.api.delete_change_set(ChangeSetName=change_set["ChangeSetId"])


def test_a_crashing_image_fails_the_update_and_the_stack_goes_back(stack: Stack, environment: Environment) -> None:
    """The circuit breaker fails the resource, and CloudFormation rolls the stack back."""
    change_set = stack.change_set("UPDATE", template(), image=images.build_app("crash"))
    assert stack.execute(change_set)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert fetch(environment.url) == (200, "v1")


def test_a_repository_with_images_does_not_go_with_its_stack(stack: Stack, environment: Environment) -> None:
    """Template reference, AWS::ECR::Repository, EmptyOnDelete: a repository that is not empty is not deleted."""
    ecr = environment.client("ecr")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    user, password = base64.b64decode(token).decode().split(":")
    uri = ecr.describe_repositories(repositoryNames=[stack.name])["repositories"][0]["repositoryUri"]
    engine = docker.from_env(version="auto")
    engine.images.get(images.build_app("v1")).tag(uri, "one")
    engine.images.push(uri, tag="one", auth_config={"username": user, "password": password})
    deleted = stack.delete()
    assert deleted["StackStatus"] == "DELETE_FAILED"
    assert "Repository" in deleted["StackStatusReason"]
    assert environment.ecs.describe_clusters(clusters=[stack.name])["clusters"] == []


def test_a_repository_that_there_is_already_fails_the_stack(environment: Environment) -> None:
    """Contract of resource types: a create handler fails with AlreadyExists when the resource is there."""
    environment.client("ecr").create_repository(repositoryName=environment.name)
    stack = Stack(environment)
    made = stack.execute(stack.change_set("CREATE", template(), image=images.build_app("v1")))
    assert made["StackStatus"] == "ROLLBACK_COMPLETE"
    events = stack.api.describe_stack_events(StackName=stack.name)["StackEvents"]
    reasons = " ".join(each.get("ResourceStatusReason", "") for each in events)
    assert f"'AWS::ECR::Repository' with identifier '{environment.name}' already exists" in reasons
    stack.delete()
    environment.client("ecr").delete_repository(repositoryName=stack.name)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Targets": {"HealthCheckTimeoutSeconds": 5}}, "interval must be greater than the timeout"),
        ({"Balancer": {"Scheme": "internal"}}, "cannot update a stack when a custom-named resource requires replacing"),
        ({"Targets": {"Port": 81}}, "cannot update a stack when a custom-named resource requires replacing"),
        (
            {"Balancer": {"Scheme": "internal", "Name": "renamed"}},
            "cannot be associated with more than one load balancer",
        ),
    ],
)
def test_what_elb_or_cloudformation_refuse_fails_the_update(stack: Stack, changes: dict[str, Any], told: str) -> None:
    """Template reference, LoadBalancer and TargetGroup, Name; limits of the operations behind them."""
    updated = stack.execute(stack.change_set("UPDATE", template(**changes)))
    assert updated["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    events = stack.api.describe_stack_events(StackName=stack.name)["StackEvents"]
    assert told in " ".join(each.get("ResourceStatusReason", "") for each in events)
