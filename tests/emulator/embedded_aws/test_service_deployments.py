"""Rolling deployments of a service: gated by health, drained before they stop, given up and rolled back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.embedded_aws.environment import fetch, wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment

SLOW = {"environment": [{"name": "SLOW_START", "value": "3"}]}
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def test_no_request_is_lost_while_a_service_rolls_over(environment: Environment) -> None:
    """ECS deregisters an old task and lets it drain before it stops it (Developer Guide, task lifecycle)."""
    environment.create_service(environment.register("v1"), count=2)
    environment.wait_until_stable()
    answers: list[tuple[int, str]] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            answers.append(fetch(f"{environment.url}/"))

    client = threading.Thread(target=ask)
    client.start()
    environment.update(taskDefinition=environment.register("v2"))
    slow = fetch(f"{environment.url}/slow")
    environment.wait_until_stable()
    is_over.set()
    client.join()
    assert slow[0] == 200
    assert {status for status, _ in answers} == {200}
    assert {body for _, body in answers} == {"v1", "v2"}
    assert fetch(f"{environment.url}/") == (200, "v2")


def test_a_rollout_says_what_it_does(environment: Environment) -> None:
    """Events in ECS' own words (Developer Guide, "Amazon ECS service event messages")."""
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    environment.update(taskDefinition=environment.register("v2"))
    service = environment.wait_until_stable()
    wait_for(lambda: environment.messages()[-1] == "has reached a steady state.")
    new = environment.tasks()[0]["taskArn"].rpartition("/")[2]
    old = environment.tasks("STOPPED")[0]["taskArn"].rpartition("/")[2]
    group = environment.target_group
    assert environment.messages()[-7:] == [
        f"has started 1 tasks: (task {new}).",
        f"registered 1 targets in (target-group {group})",
        f"has stopped 1 running tasks: (task {old}).",
        f"deregistered 1 targets in (target-group {group})",
        "has begun draining connections on 1 tasks.",
        f"(deployment {service['deployments'][0]['id']}) deployment completed.",
        "has reached a steady state.",
    ]


def test_a_crashing_revision_is_rolled_back_and_takes_no_traffic(environment: Environment) -> None:
    """The circuit breaker's rollback is a new deployment of the last completed revision.

    Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"; data type Deployment.
    """
    environment.create_service(environment.register("v1"), count=2, deploymentConfiguration=BREAKER)
    first = environment.wait_until_stable()["deployments"][0]["id"]
    kept = {task["taskArn"] for task in environment.tasks()}
    answers: list[tuple[int, str]] = []
    failed = environment.update(taskDefinition=environment.register("crash"))["deployments"][0]["id"]

    def is_back() -> bool:
        answers.append(fetch(environment.url))
        return environment.deployments() == [("PRIMARY", "COMPLETED", "1")] and bool(environment.tasks("STOPPED"))

    wait_for(is_back)
    rolled_back = environment.service()
    assert rolled_back["deployments"][0]["id"] not in {first, failed}
    assert rolled_back["taskDefinition"].endswith(":1")
    assert {task["taskArn"] for task in environment.tasks()} == kept
    assert set(answers) == {(200, "v1")}
    assert f"(deployment {failed}) deployment failed: tasks failed to start." in environment.messages()
    crashed = environment.tasks("STOPPED")[0]
    assert (crashed["stopCode"], crashed["containers"][0]["exitCode"]) == ("EssentialContainerExited", 3)


def test_without_rollback_a_failed_deployment_stays_and_so_do_the_old_tasks(environment: Environment) -> None:
    """A deployment in FAILED state launches no new tasks (data type Deployment, rolloutState)."""
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    environment.create_service(environment.register("v1"), deploymentConfiguration=breaker)
    environment.wait_until_stable()
    environment.update(taskDefinition=environment.register("crash"))
    expected = [("PRIMARY", "FAILED", "2"), ("ACTIVE", "COMPLETED", "1")]
    wait_for(lambda: environment.deployments() == expected)
    assert environment.service()["deployments"][0]["failedTasks"] == 3
    assert len(environment.tasks()) == 1
    assert fetch(environment.url) == (200, "v1")
    assert environment.deployments() == expected


def test_without_a_breaker_failures_are_counted_and_the_deployment_goes_on(environment: Environment) -> None:
    """failedTasks counts also without a breaker, and the rollout never ends by itself (data type Deployment)."""
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    environment.update(taskDefinition=environment.register("crash"))
    wait_for(lambda: environment.service()["deployments"][0]["failedTasks"] >= 5)
    assert environment.deployments() == [("PRIMARY", "IN_PROGRESS", "2"), ("ACTIVE", "COMPLETED", "1")]
    assert any(message.startswith("is unable to consistently start tasks") for message in environment.messages())
    environment.update(taskDefinition=f"{environment.name}:1")
    environment.wait_until_stable()
    assert environment.deployments() == [("PRIMARY", "COMPLETED", "1")]


def test_going_back_by_update_starts_new_tasks_and_keeps_the_old_until_they_are_healthy(
    environment: Environment,
) -> None:
    """A new deployment never takes over tasks of another one, also not with the same revision (UpdateService)."""
    good = environment.register("v1")
    environment.create_service(good)
    environment.wait_until_stable()
    old = environment.tasks()[0]["taskArn"]
    environment.update(taskDefinition=environment.register("unhealthy"))
    wait_for(lambda: environment.service()["deployments"][0]["failedTasks"] >= 1)
    environment.update(taskDefinition=good)
    wait_for(lambda: environment.task(old)["desiredStatus"] == "STOPPED")
    assert environment.wait_until_stable()["taskDefinition"] == good
    assert environment.tasks()[0]["taskArn"] != old


def test_an_unhealthy_task_is_stopped_after_the_grace_period(environment: Environment) -> None:
    """Within healthCheckGracePeriodSeconds unhealthy targets are no failure (operation CreateService)."""
    environment.create_service(environment.register("unhealthy"), healthCheckGracePeriodSeconds=3)
    task = wait_for(environment.tasks)[0]["taskArn"]
    wait_for(lambda: environment.states() == ["unhealthy"])
    assert environment.task(task)["desiredStatus"] == "RUNNING"
    assert environment.service()["deployments"][0]["failedTasks"] == 0
    stopped = wait_for(lambda: environment.tasks("STOPPED"))[0]
    assert stopped["stoppedReason"] == f"Task failed ELB health checks in (target-group {environment.target_group})"
    assert stopped["stopCode"] == "ServiceSchedulerInitiated"
    assert (stopped["stoppingAt"] - stopped["startedAt"]).total_seconds() >= 3
    wait_for(lambda: environment.service()["deployments"][0]["failedTasks"] == 1)


def test_a_healthy_target_gates_the_rollout(environment: Environment) -> None:
    """A task that runs and is not healthy yet does not count (Developer Guide, rolling deployments)."""
    environment.create_service(environment.register("v1"), healthCheckGracePeriodSeconds=30)
    environment.wait_until_stable()
    environment.update(taskDefinition=environment.register("v2", container=SLOW))
    wait_for(lambda: environment.service()["deployments"][0]["runningCount"] == 1)
    assert environment.deployments() == [("PRIMARY", "IN_PROGRESS", "2"), ("ACTIVE", "COMPLETED", "1")]
    assert fetch(environment.url) == (200, "v1")
    environment.wait_until_stable()
    assert fetch(environment.url) == (200, "v2")


def test_scale_in_and_deletion_drain_the_targets(environment: Environment) -> None:
    """Targets drain for the group's delay before a task is stopped (Developer Guide, task lifecycle)."""
    environment.create_service(environment.register("v1"), count=2)
    environment.wait_until_stable()
    environment.update(desiredCount=1)
    wait_for(lambda: sorted(environment.states()) == ["draining", "healthy"])
    draining = environment.tasks("STOPPED")[0]
    assert draining["lastStatus"] == "DEACTIVATING"
    assert draining["containers"][0]["lastStatus"] == "RUNNING"
    environment.wait_for_task(draining["taskArn"], "STOPPED")
    service = environment.ecs.delete_service(cluster=environment.cluster, service=environment.name, force=True)
    assert service["service"]["status"] == "DRAINING"
    wait_for(lambda: environment.states() == ["draining"])
    wait_for(lambda: environment.service()["status"] == "INACTIVE")
    assert environment.states() == []


def test_a_task_that_a_user_stops_is_drained_and_replaced(environment: Environment) -> None:
    """Developer Guide, task lifecycle: targets are deregistered in DEACTIVATING; the scheduler starts another task."""
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    stopped = environment.tasks()[0]["taskArn"]
    environment.ecs.stop_task(cluster=environment.cluster, task=stopped)
    wait_for(lambda: environment.task(stopped)["lastStatus"] == "DEACTIVATING")
    assert "draining" in environment.states()
    environment.wait_for_task(stopped, "STOPPED")
    wait_for(lambda: environment.states() == ["healthy"])
    assert environment.service()["deployments"][0]["failedTasks"] == 0


def test_tasks_that_cannot_be_placed_are_told(environment: Environment) -> None:
    """Developer Guide, "Amazon ECS service event messages": the scheduler goes on trying, and says so once."""
    environment.server.configure(placement_failures=2)
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    told = [message for message in environment.messages() if message.startswith("was unable to place a task")]
    assert len(told) == 1


@pytest.mark.parametrize("code", ["SpotInterruption", "TerminationNotice", "InfrastructureHealth"])
def test_a_task_that_aws_takes_away_is_no_failure_and_is_replaced(environment: Environment, code: str) -> None:
    """Data type Task, stopCode; guide, "Fargate capacity providers": the scheduler launches another task."""
    environment.create_service(environment.register("v1"), deploymentConfiguration=BREAKER)
    environment.wait_until_stable()
    taken = environment.tasks()[0]["taskArn"]
    environment.server.configure(taken_away={taken: code})
    assert environment.wait_for_task(taken, "STOPPED")["stopCode"] == code
    wait_for(lambda: [task["taskArn"] for task in environment.tasks()] not in ([], [taken]))
    assert environment.service()["deployments"][0]["failedTasks"] == 0


def test_service_deployments_tell_how_each_release_ended(environment: Environment) -> None:
    """ListServiceDeployments and DescribeServiceDeployments (data type ServiceDeployment, status)."""
    environment.create_service(environment.register("v1"), deploymentConfiguration=BREAKER)
    environment.wait_until_stable()
    environment.update(taskDefinition=environment.register("crash"))

    def brief() -> list[Any]:
        answer = environment.ecs.list_service_deployments(cluster=environment.cluster, service=environment.name)
        return list(answer["serviceDeployments"])

    wait_for(lambda: [each["status"] for each in brief()] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"])
    arns = [each["serviceDeploymentArn"] for each in brief()]
    newest = environment.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"][0]
    revisions = [newest["targetServiceRevision"]["arn"], newest["rollback"]["serviceRevisionArn"]]
    described = environment.ecs.describe_service_revisions(serviceRevisionArns=revisions)["serviceRevisions"]
    assert [each["taskDefinition"].rpartition(":")[2] for each in described] == ["2", "1"]
    assert newest["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}


def test_a_deployment_under_way_can_be_stopped_and_rolled_back(environment: Environment) -> None:
    """StopServiceDeployment with stopType ROLLBACK returns to the previous service revision."""
    environment.create_service(environment.register("v1"))
    environment.wait_until_stable()
    environment.update(taskDefinition=environment.register("v2", container=SLOW))
    newest = environment.ecs.list_service_deployments(cluster=environment.cluster, service=environment.name)
    arn = newest["serviceDeployments"][0]["serviceDeploymentArn"]
    environment.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    assert environment.wait_until_stable()["taskDefinition"].endswith(":1")
    described = environment.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"][0]
    assert described["status"] == "ROLLBACK_SUCCESSFUL"
