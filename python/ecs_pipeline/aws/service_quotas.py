"""Service Quotas: how many vCPUs the account's Fargate tasks may have at once in a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_pipeline.model.telemetry import Quota

if TYPE_CHECKING:
    from ecs_pipeline.aws.session import AwsSession

ON_DEMAND, SPOT = "L-3032A538", "L-36FBB829"
"""Amazon ECS Developer Guide, "AWS Fargate service quotas": Fargate On-Demand and Fargate Spot vCPU resource count."""


class ServiceQuotas:
    """The client is made with the first call."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def fargate_vcpus(self, *, spot: bool) -> Quota:
        """The quota that applies to the account (GetServiceQuota). Raises AwsError."""
        code = SPOT if spot else ON_DEMAND
        client = self._session.client("service-quotas")
        found = client.call("GetServiceQuota", ServiceCode="fargate", QuotaCode=code)["Quota"]
        return Quota(code, str(found.get("QuotaName", "")), float(found["Value"]), found.get("UsageMetric") or {})
