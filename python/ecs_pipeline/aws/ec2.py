"""Amazon EC2: the default VPC, for environments whose config names no other."""

from __future__ import annotations

from ecs_pipeline.aws.session import AwsClient


class Ec2:
    """The look-ups that `provision` needs."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    def default_network(self) -> tuple[str, list[str]] | None:
        """(VPC, its subnets in different zones) of the default VPC; None when the account has none."""
        vpcs = self._client.call("DescribeVpcs", Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
        if not vpcs:
            return None
        vpc = vpcs[0]["VpcId"]
        subnets = self._client.call("DescribeSubnets", Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        by_zone = {one["AvailabilityZone"]: one["SubnetId"] for one in sorted(subnets, key=lambda one: one["SubnetId"])}
        return vpc, [by_zone[zone] for zone in sorted(by_zone)]
