"""A service whose count Application Auto Scaling may change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


class Scaling:
    """One service's scalable target."""

    def __init__(self, environment: Environment) -> None:
        self.api = environment.client("application-autoscaling")
        self.resource = f"service/{environment.name}/{environment.name}"
        self.identity = {
            "ServiceNamespace": "ecs",
            "ResourceId": self.resource,
            "ScalableDimension": "ecs:service:DesiredCount",
        }

    def register(self, **members: Any) -> None:
        self.api.register_scalable_target(**self.identity, **members)

    def targets(self) -> list[Any]:
        answer = self.api.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[self.resource])
        return list(answer["ScalableTargets"])

    def policies(self) -> list[Any]:
        answer = self.api.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=self.resource)
        return list(answer["ScalingPolicies"])
