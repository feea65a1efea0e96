"""Tasks with IPv6 addresses, alone or beside an IPv4 address, behind a target group of that type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.emulator.embedded_aws.environment import fetch, wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


@pytest.mark.parametrize(("subnet", "both"), [("subnet-ipv6", False), ("subnet-dual", True)])
def test_a_service_registers_the_address_that_its_group_takes(
    environment: Environment,
    subnet: str,
    both: bool,  # noqa: FBT001
) -> None:
    """Guide, "Use a VPC in IPv6-only mode" and "dual-stack mode"; data type NetworkInterface."""
    group = environment.new_target_group("-6", IpAddressType="ipv6")
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": ["sg-1"]}}
    balancers = [{"targetGroupArn": group, "containerName": "app", "containerPort": 8000}]
    environment.create_service(environment.register("v1"), networkConfiguration=network, loadBalancers=balancers)
    environment.wait_until_stable()
    (task,) = environment.tasks()
    interface = task["containers"][0]["networkInterfaces"][0]
    details = {each["name"]: each["value"] for each in task["attachments"][0]["details"]}
    assert ("privateIpv4Address" in interface, "privateIPv4Address" in details) == (both, both)
    assert [each["Target"]["Id"] for each in environment.health(group)] == [interface["ipv6Address"]]
    assert environment.states(group) == ["healthy"]
    wait_for(lambda: fetch(environment.url)[0] == 200)
