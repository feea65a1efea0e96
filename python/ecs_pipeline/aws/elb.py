"""Elastic Load Balancing: target groups, targets and their health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecs_pipeline.aws.session import AwsClient, AwsError
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.load_balancing import Target, TargetGroup, TargetHealth, canonical, group_name

NO_TARGET = ("InvalidTarget", "InvalidTargetException", "ValidationError")
"""What DescribeTargetHealth answers for an address that cannot be a target of the group."""


class Elb:
    """The operations of Elastic Load Balancing v2 that the stages use; target groups are read once."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client
        self._groups: dict[str, TargetGroup] = {}

    def target_group(self, arn: str) -> TargetGroup | None:
        """A target group with its attributes; None when it does not exist (any more)."""
        if arn not in self._groups:
            try:
                described = self._client.call("DescribeTargetGroups", TargetGroupArns=[arn])
                attributes = self._client.call("DescribeTargetGroupAttributes", TargetGroupArn=arn)
            except AwsError as error:
                if _gone(error):
                    return None
                raise
            values = {attribute["Key"]: attribute.get("Value", "") for attribute in attributes["Attributes"]}
            group = described["TargetGroups"][0]
            self._groups[arn] = TargetGroup(
                arn=arn,
                kind=group.get("TargetType", "instance"),
                protocol=group.get("Protocol", ""),
                drain=int(values.get("deregistration_delay.timeout_seconds") or 300),
                slow_start=int(values.get("slow_start.duration_seconds") or 0),
                anomaly_detection=values.get("load_balancing.algorithm.type") == "weighted_random",
                interval=int(group.get("HealthCheckIntervalSeconds") or 0),
                unhealthy_threshold=int(group.get("UnhealthyThresholdCount") or 0),
                judged_within=_judged_within(group),
                ip_type=group.get("IpAddressType", "ipv4"),
                control_port=int(group.get("TargetControlPort", 0)),
                algorithm=values.get("load_balancing.algorithm.type", ""),
                cross_zone=values.get("load_balancing.cross_zone.enabled", ""),
                sticky=values.get("stickiness.enabled") == "true",
                health_path=str(group.get("HealthCheckPath") or ""),
                health_codes=str((group.get("Matcher") or {}).get("HttpCode") or ""),
            )
        return self._groups[arn]

    def health(self, group: str, targets: Sequence[Target] = (), *, anomalies: bool = False) -> list[TargetHealth]:
        """DescribeTargetHealth of these targets, of all when none is named; [] when the group is gone.

        Asked by name, AWS answers `unused` for a target that is not registered.
        """
        request: dict[str, Any] = {"TargetGroupArn": group}
        if anomalies:
            request["Include"] = ["AnomalyDetection"]
        try:
            answer = self._described(request, targets)
        except AwsError as error:
            if _gone(error):
                return []
            raise
        return [_health(each) for each in answer["TargetHealthDescriptions"]]

    def _described(self, request: dict[str, Any], targets: Sequence[Target]) -> dict[str, Any]:
        """Ask for the targets; when AWS refuses one of them, for all that are registered: a recorded address may be
        one that no target can have, and the others are to be found nevertheless.
        """
        if not targets:
            return self._client.call("DescribeTargetHealth", **request)
        try:
            return self._client.call("DescribeTargetHealth", **request, Targets=_named(targets))
        except AwsError as error:
            if error.code not in NO_TARGET:
                raise
        asked = {target.key for target in targets}
        answer = self._client.call("DescribeTargetHealth", **request)
        found = [each for each in answer["TargetHealthDescriptions"] if _health(each).key in asked]
        return {**answer, "TargetHealthDescriptions": found}

    def register(self, group: str, targets: Sequence[Target]) -> None:
        """RegisterTargets; one that is in stays as it is. Raises ReleaseFailed when the group is gone."""
        try:
            self._client.call("RegisterTargets", TargetGroupArn=group, Targets=_named(targets))
        except AwsError as error:
            if _gone(error):
                raise ReleaseFailed(
                    f"target group {group_name(group)} of the service does not exist any more"
                ) from error
            raise

    def deregister(self, group: str, targets: Sequence[Target]) -> None:
        """DeregisterTargets; the port goes along, for one address may be registered with several."""
        try:
            self._client.call("DeregisterTargets", TargetGroupArn=group, Targets=_named(targets))
        except AwsError as error:
            if not _gone(error):
                raise


def _judged_within(group: Mapping[str, Any]) -> int:
    """Seconds: so many checks as it takes to find a target healthy or unhealthy, and the last one's time-out."""
    checks = max(group.get("HealthyThresholdCount", 0), group.get("UnhealthyThresholdCount", 0))
    return int(group.get("HealthCheckIntervalSeconds", 0) * checks + group.get("HealthCheckTimeoutSeconds", 0))


def _named(targets: Sequence[Target]) -> list[dict[str, object]]:
    return [{"Id": target.identity, "Port": target.port} for target in targets]


def _health(described: Mapping[str, Any]) -> TargetHealth:
    return TargetHealth(
        identity=canonical(described["Target"]["Id"]),
        port=int(described["Target"].get("Port", 0)),
        state=described["TargetHealth"].get("State", ""),
        reason=described["TargetHealth"].get("Reason", ""),
        description=described["TargetHealth"].get("Description", ""),
        anomalous=described.get("AnomalyDetection", {}).get("Result") == "anomalous",
    )


def _gone(error: AwsError) -> bool:
    return error.code in ("TargetGroupNotFound", "TargetGroupNotFoundException")
