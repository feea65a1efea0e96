"""The client token of RunTask: which request it repeats, for how long, and what conflicts with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import NETWORK

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


@pytest.fixture
def definition(environment: Environment) -> str:
    return environment.register("v1")


def test_the_same_token_gives_the_same_tasks_also_after_they_stopped(environment: Environment, definition: str) -> None:
    """RunTask, parameter clientToken; API reference, "Ensuring idempotency"."""
    first = environment.try_run(definition, clientToken="one", count=2)
    again = environment.try_run(definition, clientToken="one", count=2)
    arns = [task["taskArn"] for task in first["tasks"]]
    assert [task["taskArn"] for task in again["tasks"]] == arns
    for arn in arns:
        environment.ecs.stop_task(cluster=environment.cluster, task=arn)
        environment.wait_for_task(arn, "STOPPED")
    late = environment.try_run(definition, clientToken="one", count=2)
    assert [(task["taskArn"], task["lastStatus"]) for task in late["tasks"]] == [(arn, "STOPPED") for arn in arns]


def test_a_token_with_other_parameters_is_a_conflict(environment: Environment, definition: str) -> None:
    """RunTask, error ConflictException: resourceIds are the tasks of the token."""
    arn = environment.run(definition, clientToken="two")
    with pytest.raises(ClientError) as caught:
        environment.run(definition, clientToken="two", startedBy="someone")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    assert caught.value.response["resourceIds"] == [arn]


def test_a_conflict_may_name_no_task_at_first(environment: Environment, definition: str) -> None:
    """RunTask, error ConflictException: resourceIds is no required member."""
    arn = environment.run(definition, clientToken="six")
    environment.server.configure(unnamed_conflicts=1)
    named = []
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            environment.run(definition, clientToken="six", startedBy="someone")
        named.append(caught.value.response["resourceIds"])
    assert named == [[], [arn]]


def test_tokens_are_per_cluster_and_expire(environment: Environment, definition: str) -> None:
    """RunTask: a token lives for min(24 h, the task's life + 1 h); here as the behaviour says."""
    arn = environment.run(definition, clientToken="three")
    other = f"{environment.name}-other"
    environment.ecs.create_cluster(clusterName=other)
    elsewhere = environment.ecs.run_task(
        cluster=other,
        taskDefinition=definition,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        clientToken="three",
    )["tasks"][0]["taskArn"]
    environment.ecs.stop_task(cluster=other, task=elsewhere)
    assert elsewhere != arn
    environment.server.configure(token_lifetime=0)
    assert environment.run(definition, clientToken="three", startedBy="another") != arn


def test_a_token_whose_task_was_not_placed_is_free(environment: Environment, definition: str) -> None:
    """Developer Guide, "API failure reasons"; "Ensuring idempotency": what is repeated is a request that succeeded."""
    environment.server.configure(placement_failures=1, placement_reason="ATTRIBUTE")
    assert environment.try_run(definition, clientToken="five")["failures"][0]["reason"] == "ATTRIBUTE"
    assert len(environment.try_run(definition, clientToken="five")["tasks"]) == 1
