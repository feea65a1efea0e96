"""Short and long ARNs of services: `service/NAME` of accounts before 2021, `service/CLUSTER/NAME` since.

Developer Guide, "Account settings" (serviceLongArnFormat) and "Migrate an Amazon ECS short service ARN to a long ARN":
TagResource with the long ARN gives the service that ARN, for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError
from embedded_aws.ecs import records

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Record, Tags

_SETTING = "serviceLongArnFormat"


def of_new(cluster: Record, name: str, given_tags: Tags) -> str:
    """Give the ARN of a new service, long unless the account setting is off; a short one takes no tags."""
    if _is_on():
        return records.arn("service", cluster["clusterName"], name)
    if given_tags:
        raise ApiError(
            "InvalidParameterException",
            "The new ARN and resource ID format must be enabled to add tags to the service. "
            "Opt in to the new format and try again.",
        )
    return records.arn("service", name)


def for_tags(resource: str) -> str:
    """Give the ARN under which a service is tagged; one of a short ARN gets the long one when it is asked for by it.

    API reference, TagResource: "If you try to tag a service with a short ARN, you receive an
    InvalidParameterException".
    """
    cluster, _, name = resource.partition(":service/")[2].partition("/")
    if not name:
        raise ApiError("InvalidParameterException", "Long arn format must be used for tagging operations")
    short = records.arn("service", name)
    service = next((each for each in records.services() if _is_short(each, short, cluster)), None)
    if service is not None and _is_on():
        _migrate(service, resource)
    return resource


def _is_on() -> bool:
    return str(ecs._account_settings.get(_SETTING, "enabled")) == "enabled"


def _is_short(service: Record, short: str, cluster: str) -> bool:
    return bool(service["serviceArn"] == short) and records.path(service)[0] == cluster


def _migrate(service: Record, arn: str) -> None:
    with records.lock:
        tasks = records.service_tasks(service)
        for record in (service, *service["_revisions"], *service["_service_deployments"]):
            record["serviceArn"] = arn
        for task in tasks:
            task["_service"] = arn
