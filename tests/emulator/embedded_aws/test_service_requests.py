"""Calls that change a service or a cluster: what they begin and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


def test_the_same_revision_is_no_new_deployment_unless_it_is_forced(environment: Environment) -> None:
    """UpdateService: parameters that differ, or forceNewDeployment, trigger a deployment; desiredCount does not."""
    definition = environment.register("v1")
    environment.create_service(definition)
    first = environment.wait_until_stable()["deployments"][0]["id"]
    assert environment.update(taskDefinition=definition)["deployments"][0]["id"] == first
    environment.update(desiredCount=2)
    assert environment.wait_until_stable()["deployments"][0]["id"] == first
    assert environment.update(forceNewDeployment=True)["deployments"][0]["id"] != first


def test_a_cluster_with_services_or_tasks_is_not_deleted(environment: Environment) -> None:
    """DeleteCluster, errors ClusterContainsServicesException and ClusterContainsTasksException."""
    definition = environment.register("v1")
    environment.create_service(definition, count=0)
    with pytest.raises(ClientError, match="ClusterContainsServicesException"):
        environment.ecs.delete_cluster(cluster=environment.cluster)
    environment.ecs.delete_service(cluster=environment.cluster, service=environment.name)
    wait_for(lambda: environment.service()["status"] == "INACTIVE")
    task = environment.run(definition)
    with pytest.raises(ClientError, match="ClusterContainsTasksException"):
        environment.ecs.delete_cluster(cluster=environment.cluster)
    environment.ecs.stop_task(cluster=environment.cluster, task=task)
    environment.wait_for_task(task, "STOPPED")
    assert environment.ecs.delete_cluster(cluster=environment.cluster)["cluster"]["status"] == "INACTIVE"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"cluster": "no-such-cluster"}, "ClusterNotFoundException"),
        ({"service": "no-such-service"}, "ServiceNotFoundException"),
        ({"taskDefinition": "no-such-family"}, "ClientException"),
    ],
)
def test_an_update_of_what_is_not_there_is_refused(environment: Environment, action: Any, code: str) -> None:
    """UpdateService, section Errors."""
    environment.create_service(environment.register("v1"), count=0)
    arguments = {"cluster": environment.cluster, "service": environment.name, **action}
    with pytest.raises(ClientError, match=code):
        environment.ecs.update_service(**arguments)


def test_a_deleted_service_is_inactive_and_cannot_be_updated(environment: Environment) -> None:
    """UpdateService, error ServiceNotActiveException; DeleteService keeps the record as INACTIVE."""
    environment.create_service(environment.register("v1"), count=0)
    environment.ecs.delete_service(cluster=environment.cluster, service=environment.name)
    wait_for(lambda: environment.service()["status"] == "INACTIVE")
    with pytest.raises(ClientError, match="ServiceNotActiveException"):
        environment.update(desiredCount=1)
