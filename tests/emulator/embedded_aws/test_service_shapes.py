"""What a service may be configured with beside the usual: two target groups, hooks that pause, protection, gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment
from tests.emulator.embedded_aws.service_shapes import two_groups


def revision_of(environment: Environment) -> Any:
    (current,) = environment.service()["currentServiceRevisions"]
    answer = environment.ecs.describe_service_revisions(serviceRevisionArns=[current["arn"]])
    return answer["serviceRevisions"][0]


@pytest.mark.parametrize("with_traffic", [0, 1])
def test_the_tasks_of_a_service_with_two_groups_join_the_one_that_has_the_traffic(
    environment: Environment, with_traffic: int
) -> None:
    """Data types AdvancedConfiguration and ServiceRevision (resolvedConfiguration)."""
    groups, balancers = two_groups(environment, with_traffic)
    environment.create_service(environment.register("v1"), loadBalancers=balancers)
    environment.wait_until_stable()
    assert [len(environment.health(group)) for group in groups] == [1 - with_traffic, with_traffic]
    assert environment.service()["loadBalancers"][0]["targetGroupArn"] == groups[0]
    resolved = revision_of(environment)["resolvedConfiguration"]["loadBalancers"]
    assert [each["targetGroupArn"] for each in resolved] == [groups[with_traffic]]


def test_a_pause_hook_holds_a_rolling_deployment_until_it_is_continued(environment: Environment) -> None:
    """Data type DeploymentLifecycleHook (PAUSE); ContinueServiceDeployment."""
    hook = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    environment.update(deploymentConfiguration={"lifecycleHooks": [hook]}, taskDefinition=environment.register("v2"))

    def deployment() -> Any:
        arn = environment.service()["currentServiceDeployment"]
        return environment.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]

    (paused,) = wait_for(lambda: deployment().get("lifecycleHookDetails"))
    assert (paused["status"], paused["timeoutAction"]) == ("AWAITING_ACTION", "ROLLBACK")
    assert (deployment()["status"], deployment()["lifecycleStage"]) == ("IN_PROGRESS", "POST_SCALE_UP")
    assert [state for _, state, _ in environment.deployments()] == ["IN_PROGRESS"]
    arguments = {"serviceDeploymentArn": deployment()["serviceDeploymentArn"], "hookId": paused["hookId"]}
    environment.ecs.continue_service_deployment(**arguments)
    environment.wait_until_stable()
    with pytest.raises(ClientError, match="InvalidParameterException"):
        environment.ecs.continue_service_deployment(**arguments)


def test_a_protected_task_is_not_stopped_by_a_deployment(environment: Environment) -> None:
    """Guide, "Protect your Amazon ECS tasks from being terminated by scale-in events"."""
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    (old,) = environment.tasks()
    arguments = {"cluster": environment.cluster, "tasks": [old["taskArn"]]}
    environment.ecs.update_task_protection(**arguments, protectionEnabled=True, expiresInMinutes=5)
    shown = environment.ecs.get_task_protection(**arguments)["protectedTasks"][0]
    assert shown["protectionEnabled"]
    assert "expirationDate" in shown
    environment.update(taskDefinition=environment.register("v2"))
    wait_for(lambda: any("was unable to scale in due to (reason 1 tasks" in each for each in environment.messages()))
    assert environment.task(old["taskArn"])["desiredStatus"] == "RUNNING"
    environment.ecs.update_task_protection(**arguments, protectionEnabled=False)
    environment.wait_until_stable()


def test_a_standalone_task_is_not_protected(environment: Environment) -> None:
    """GetTaskProtection; guide, "API failure reasons": TASK_NOT_VALID."""
    task = environment.run(environment.register("v1"))
    answer = environment.ecs.get_task_protection(cluster=environment.cluster, tasks=[task])
    assert answer["failures"] == [{"arn": task, "reason": "TASK_NOT_VALID"}]


def test_gateway_connectors_are_shown_by_the_service_revision_alone(environment: Environment) -> None:
    """Data types Service and ServiceRevision (gatewayConnectors)."""
    environment.create_service(environment.register("v1"), 0, loadBalancers=[], gatewayConnectors=[{"portName": "web"}])
    assert "gatewayConnectors" not in environment.service()
    assert revision_of(environment)["gatewayConnectors"] == [{"portName": "web"}]


def test_the_tags_of_a_volume_come_from_a_service_for_a_services_tasks_only(environment: Environment) -> None:
    """Data type EBSTagSpecification: "Tags can only propagate to a SERVICE specified in ServiceVolumeConfiguration"."""
    specification = {"resourceType": "volume", "propagateTags": "SERVICE"}
    managed = {"sizeInGiB": 1, "roleArn": "arn:aws:iam::000000000000:role/ebs", "tagSpecifications": [specification]}
    volumes = [{"name": "data", "managedEBSVolume": managed}]
    definition = environment.register("v1", volumes=[{"name": "data", "configuredAtLaunch": True}])
    environment.create_service(definition, 0, loadBalancers=[], volumeConfigurations=volumes)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        environment.try_run(definition, volumeConfigurations=volumes)
