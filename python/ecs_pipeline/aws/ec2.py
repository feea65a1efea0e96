"""Amazon EC2: the default VPC, for environments whose config names no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_pipeline.aws.session import AwsClient

FARGATE_ZONES: Mapping[str, frozenset[str]] = {
    "usw1": frozenset(("usw1-az1", "usw1-az3")),
    "apne1": frozenset(("apne1-az1", "apne1-az2", "apne1-az4")),
    "cnn1": frozenset(("cnn1-az1", "cnn1-az2")),
}
"""The zones with Fargate in us-west-1, ap-northeast-1 and cn-north-1; in every other region all have it.

Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate". Ids, for names differ between accounts.
"""


class Ec2:
    """The look-ups that `provision` needs."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def default_network(self) -> tuple[str, list[str]] | None:
        """(VPC, its default subnets where Fargate runs, one a zone) of the default VPC; None when there is none.

        DescribeVpcs, DescribeSubnets, DescribeAvailabilityZones. Subnets that somebody added may have no way to the
        internet, and Local Zones are no place for a load balancer of two zones: neither is taken.
        """
        vpcs = self._client.call("DescribeVpcs", Filters=[_filter("isDefault", "true")])["Vpcs"]
        if not vpcs:
            return None
        vpc = vpcs[0]["VpcId"]
        filters = [_filter("vpc-id", vpc), _filter("default-for-az", "true")]
        subnets = self._client.call("DescribeSubnets", Filters=filters)["Subnets"]
        zones = {zone["ZoneId"] for zone in self._zones() if _has_fargate(zone["ZoneId"])}
        usable = [subnet for subnet in subnets if subnet.get("AvailabilityZoneId") in zones]
        return vpc, [
            str(subnet["SubnetId"]) for subnet in sorted(usable, key=lambda subnet: subnet["AvailabilityZone"])
        ]

    def _zones(self) -> list[Mapping[str, Any]]:
        answer = self._client.call("DescribeAvailabilityZones", Filters=[_filter("zone-type", "availability-zone")])
        zones: list[Mapping[str, Any]] = answer["AvailabilityZones"]
        return zones


def _has_fargate(zone: str) -> bool:
    return zone in FARGATE_ZONES.get(zone.partition("-")[0], {zone})


def _filter(name: str, value: str) -> dict[str, Any]:
    return {"Name": name, "Values": [value]}
