"""What a service's tasks carry, and tags of all resources."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


def plain(tags: list[dict[str, str]]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in tags}


@pytest.mark.parametrize(
    ("source", "expected"), [("SERVICE", {"from": "service"}), ("TASK_DEFINITION", {"from": "td"})]
)
def test_a_service_task_names_its_deployment_and_carries_the_tags_it_was_told_to(
    environment: Environment, source: str, expected: Any
) -> None:
    """RunTask: startedBy of a service's task is its deployment id; CreateService: propagateTags, managed tags."""
    service = environment.create_service(
        environment.register("v1", tags=[{"key": "from", "value": "td"}]),
        loadBalancers=[],
        tags=[{"key": "from", "value": "service"}],
        propagateTags=source,
        enableECSManagedTags=True,
    )
    task = wait_for(environment.tasks)[0]
    assert task["startedBy"] == service["deployments"][0]["id"]
    assert task["startedBy"].startswith("ecs-svc/")
    assert task["group"] == f"service:{environment.name}"
    managed = {"aws:ecs:clusterName": environment.cluster, "aws:ecs:serviceName": environment.name}
    assert plain(task["tags"]) == {**expected, **managed}


def test_tags_are_added_replaced_and_taken_away(environment: Environment) -> None:
    """TagResource, UntagResource and ListTagsForResource."""
    arn = environment.create_service(environment.register("v1"), count=0, loadBalancers=[])["serviceArn"]
    environment.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "1"}])
    environment.ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    environment.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert plain(environment.ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == {"b": "2"}
    assert plain(environment.service(include=["TAGS"])["tags"]) == {"b": "2"}
    assert "tags" not in environment.service()


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": "aws:reserved", "value": ""}],
        [{"key": "k" * 129, "value": ""}],
        [{"key": "k", "value": "v" * 257}],
        [{"key": "k", "value": "a|b"}],
        [{"key": f"k{number}", "value": ""} for number in range(51)],
    ],
)
def test_tags_that_aws_refuses_are_refused(environment: Environment, tags: Any) -> None:
    """Data type Tag: limits of number, length and characters, and the reserved prefix."""
    arn = environment.register("v1")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        environment.ecs.tag_resource(resourceArn=arn, tags=tags)


def test_tags_of_what_is_not_there_are_an_error(environment: Environment) -> None:
    """TagResource, error ResourceNotFoundException."""
    arn = f"{environment.register('v1').partition('task-definition')[0]}service/none/none"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        environment.ecs.list_tags_for_resource(resourceArn=arn)


def test_two_answers_of_four_may_come_from_a_replica_that_is_behind(environment: Environment) -> None:
    """The API is eventually consistent: two answers in a row may be old after a new one (operation RunTask)."""
    arn = environment.create_service(environment.register("v1"), count=0, loadBalancers=[])["serviceArn"]
    epochs = itertools.count(1)

    def new_pair_new() -> bool:
        """Whether this is what eight answers after a write show; a slow second may hide it."""
        epoch = str(next(epochs))
        environment.ecs.tag_resource(resourceArn=arn, tags=[{"key": "turn", "value": epoch}])
        services = [environment.service(include=["TAGS"]) for _ in range(8)]
        new = [plain(service["tags"]).get("turn") == epoch for service in services]
        return [True, False, False, True] in [new[index : index + 4] for index in range(5)]

    assert not new_pair_new(), "off at the start"
    environment.server.configure(stale_pairs=1.0)
    time.sleep(1.0)
    wait_for(new_pair_new)


def test_services_and_tags_may_lag_behind(environment: Environment) -> None:
    """The API is eventually consistent: reads may tell what was (operation RunTask)."""
    arn = environment.create_service(environment.register("v1"), count=0, loadBalancers=[])["serviceArn"]
    environment.ecs.tag_resource(resourceArn=arn, tags=[{"key": "turn", "value": "1"}])
    environment.server.configure(service_read_lag=1.0)
    missing = environment.ecs.describe_services(cluster=environment.cluster, services=[arn])["failures"]
    assert missing == [{"arn": arn, "reason": "MISSING"}]
    wait_for(lambda: plain(environment.ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == {"turn": "1"})
    environment.ecs.tag_resource(resourceArn=arn, tags=[{"key": "turn", "value": "2"}])
    environment.update(desiredCount=1)
    assert environment.service()["desiredCount"] == 0
    assert plain(environment.ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == {"turn": "1"}
    wait_for(lambda: environment.service()["desiredCount"] == 1)
    wait_for(lambda: plain(environment.service(include=["TAGS"])["tags"]) == {"turn": "2"})
