"""Health checks that a container's definition names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


def checked_by(command: list[str], **members: int) -> dict[str, object]:
    return {"healthCheck": {"command": command, "interval": 1, "retries": 2, **members}, "stopTimeout": 2}


def test_a_passing_check_makes_container_and_task_healthy(environment: Environment) -> None:
    """Developer Guide, "Determine Amazon ECS task health using container health checks"; data type HealthCheck."""
    check = checked_by(["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8000/health"])
    arn = environment.run(environment.register("v1", container=check))
    task = environment.wait_for_task(arn)
    assert (task["healthStatus"], task["containers"][0]["healthStatus"]) == ("UNKNOWN", "UNKNOWN")
    wait_for(lambda: environment.task(arn)["healthStatus"] == "HEALTHY")
    assert environment.task(arn)["containers"][0]["healthStatus"] == "HEALTHY"


def test_a_failing_check_makes_a_standalone_task_unhealthy_and_leaves_it(environment: Environment) -> None:
    """Developer Guide, same page: only a service replaces an unhealthy task."""
    arn = environment.run(environment.register("v1", container=checked_by(["CMD-SHELL", "exit 1"])))
    wait_for(lambda: environment.task(arn)["healthStatus"] == "UNHEALTHY")
    assert environment.task(arn)["desiredStatus"] == "RUNNING"


def test_a_task_without_checks_is_unknown(environment: Environment) -> None:
    """Data type Task, healthStatus: UNKNOWN where no essential container is checked."""
    arn = environment.run(environment.register("v1"))
    assert environment.wait_for_task(arn)["healthStatus"] == "UNKNOWN"


def test_a_service_replaces_a_task_with_an_unhealthy_essential_container(environment: Environment) -> None:
    """Developer Guide, same page: the service scheduler stops the task and starts another."""
    passing = environment.register("v1", container=checked_by(["CMD-SHELL", "exit 0"]))
    environment.create_service(passing, loadBalancers=[])
    environment.wait_until_stable()
    task = environment.tasks()[0]["taskArn"]
    definition = environment.register("v1", container=checked_by(["CMD-SHELL", "exit 1"]))
    environment.update(taskDefinition=definition)
    replaced = wait_for(
        lambda: [each for each in environment.tasks("STOPPED") if each["taskDefinitionArn"] == definition]
    )
    assert replaced[0]["stoppedReason"] == "Task failed container health checks"
    assert environment.task(task)["desiredStatus"] == "RUNNING"
    wait_for(lambda: environment.service()["deployments"][0]["failedTasks"] >= 1)
