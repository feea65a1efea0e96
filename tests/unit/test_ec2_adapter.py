"""The default network: default subnets of the zones in which Fargate runs, and no others."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ecs_pipeline.aws.ec2 import Ec2
from ecs_pipeline.aws.session import AwsClient

VPC = "vpc-1"


class Account:
    """A default VPC with subnets (name and id of a zone, default or not); filters work as EC2's do."""

    def __init__(self, *subnets: tuple[str, str, bool], default: bool = True) -> None:
        self._subnets = subnets
        self._default = default

    def call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        filters = {each["Name"]: each["Values"] for each in parameters["Filters"]}
        answer: dict[str, Any] = getattr(self, f"_{operation}")(filters)
        return answer

    def _DescribeVpcs(self, filters: dict[str, list[str]]) -> dict[str, Any]:  # noqa: N802 - EC2's name
        assert filters == {"isDefault": ["true"]}
        return {"Vpcs": [{"VpcId": VPC}] if self._default else []}

    def _DescribeSubnets(self, filters: dict[str, list[str]]) -> dict[str, Any]:  # noqa: N802
        assert filters["vpc-id"] == [VPC]
        only_default = filters.get("default-for-az") == ["true"]
        return {
            "Subnets": [
                {"SubnetId": subnet_id(name, default=default), "AvailabilityZone": name, "AvailabilityZoneId": zone}
                for name, zone, default in reversed(self._subnets)
                if default or not only_default
            ]
        }

    def _DescribeAvailabilityZones(self, filters: dict[str, list[str]]) -> dict[str, Any]:  # noqa: N802
        assert filters == {"zone-type": ["availability-zone"]}
        return {"AvailabilityZones": [{"ZoneId": zone} for _, zone, _ in self._subnets if "lax" not in zone]}


def subnet_id(zone: str, *, default: bool = True) -> str:
    return f"subnet-{zone}-{'default' if default else 'own'}"


def network(*subnets: tuple[str, str, bool]) -> list[str]:
    found = Ec2(cast(AwsClient, Account(*subnets))).default_network()
    assert found is not None
    assert found[0] == VPC
    return found[1]


@pytest.mark.parametrize(
    ("zones", "taken"),
    [
        (("apne1-az4", "apne1-az3", "apne1-az1", "apne1-az2"), "acd"),
        (("usw1-az1", "usw1-az2", "usw1-az3"), "ac"),
        (("cnn1-az1", "cnn1-az2", "cnn1-az3"), "ab"),
        (("use1-az1", "use1-az2", "use1-az3"), "abc"),
    ],
)
def test_zones_without_fargate_are_passed_over(zones: tuple[str, ...], taken: str) -> None:
    letters = [("abcd"[number], zone, True) for number, zone in enumerate(zones)]
    assert network(*letters) == [subnet_id(letter) for letter in taken]


def test_subnets_that_somebody_added_are_passed_over() -> None:
    assert network(("a", "use1-az1", True), ("a", "use1-az1", False), ("b", "use1-az2", True)) == [
        subnet_id("a"),
        subnet_id("b"),
    ]


def test_local_zones_are_passed_over() -> None:
    assert network(("a", "usw2-az1", True), ("lax-1a", "usw2-lax1-az1", True)) == [subnet_id("a")]


def test_an_account_may_have_no_default_vpc() -> None:
    assert Ec2(cast(AwsClient, Account(default=False))).default_network() is None
