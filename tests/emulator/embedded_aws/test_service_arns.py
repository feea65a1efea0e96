"""Short service ARNs, as accounts had them before 2021: no tags, until the service gets a long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.embedded_aws.environment import Environment

TAG = [{"key": "team", "value": "lab"}]


@pytest.fixture
def _before_2021(environment: Environment) -> Iterator[None]:
    """Services are made with short ARNs."""
    environment.ecs.put_account_setting(name="serviceLongArnFormat", value="disabled")
    yield
    environment.ecs.put_account_setting(name="serviceLongArnFormat", value="enabled")


@pytest.mark.usefixtures("_before_2021")
def test_a_service_with_a_short_arn_is_not_tagged(environment: Environment) -> None:
    """TagResource: "If you try to tag a service with a short ARN, you receive an InvalidParameterException"."""
    definition = environment.register("v1")
    with pytest.raises(ClientError, match="The new ARN and resource ID format must be enabled"):
        environment.create_service(definition, tags=TAG)
    arn = environment.create_service(definition)["serviceArn"]
    assert arn.endswith(f":service/{environment.name}")
    for operation in (environment.ecs.tag_resource, environment.ecs.list_tags_for_resource):
        arguments = {"tags": TAG} if operation == environment.ecs.tag_resource else {}
        with pytest.raises(ClientError, match="Long arn format must be used for tagging operations"):
            operation(resourceArn=arn, **arguments)
    assert environment.service(include=["TAGS"])["tags"] == []


@pytest.mark.usefixtures("_before_2021")
def test_tagging_it_by_its_long_arn_gives_it_that_arn_and_disturbs_nothing(environment: Environment) -> None:
    """Developer Guide, "Migrate an Amazon ECS short service ARN to a long ARN"."""
    short = environment.create_service(environment.register("v1"))["serviceArn"]
    before = environment.wait_until_stable()["deployments"][0]["id"]
    environment.ecs.put_account_setting(name="serviceLongArnFormat", value="enabled")
    assert environment.service()["serviceArn"] == short
    long = short.replace("service/", f"service/{environment.cluster}/")
    environment.ecs.tag_resource(resourceArn=long, tags=TAG)
    service = environment.service(include=["TAGS"])
    assert (service["serviceArn"], service["tags"]) == (long, TAG)
    assert service["deployments"][0]["id"] == before
    assert len(environment.tasks()) == 1
    environment.update(taskDefinition=environment.register("v2"))
    assert environment.wait_until_stable()["deployments"][0]["id"] != before
