"""Application Auto Scaling: what of a service's automatic scaling is suspended, and suspending it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecs_pipeline.aws.session import AwsClient
from ecs_pipeline.model.release import Service
from ecs_pipeline.model.scaling import Suspended

NAMESPACE, DIMENSION = "ecs", "ecs:service:DesiredCount"
IN, OUT, SCHEDULED = "DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"


class ApplicationAutoScaling:
    """The scalable target of a service's desired count; the client is made with the first call."""

    def __init__(self, client: Callable[[], AwsClient]) -> None:
        self._client = client

    def suspended(self, service: Service) -> Suspended | None:
        """What is suspended now (DescribeScalableTargets); None when the service has no scalable target."""
        answer = self._client().call(
            "DescribeScalableTargets",
            ServiceNamespace=NAMESPACE,
            ResourceIds=[_resource(service)],
            ScalableDimension=DIMENSION,
        )
        for target in answer["ScalableTargets"]:
            state = target.get("SuspendedState") or {}
            return Suspended(*(bool(state.get(member)) for member in (IN, OUT, SCHEDULED)))
        return None

    def suspend(self, service: Service, wanted: Suspended) -> None:
        """Suspend and resume, so that just this is suspended (RegisterScalableTarget).

        Limits and role are not sent: "any parameters that you don't specify are not changed" (API Reference).
        """
        self._client().call(
            "RegisterScalableTarget",
            ServiceNamespace=NAMESPACE,
            ResourceId=_resource(service),
            ScalableDimension=DIMENSION,
            SuspendedState=_state(wanted),
        )

    def command(self, service: Service, wanted: Suspended) -> str:
        """What a person runs for the same."""
        state = ",".join(f"{member}={str(suspended).lower()}" for member, suspended in _state(wanted).items())
        return (
            f"aws application-autoscaling register-scalable-target --service-namespace {NAMESPACE} "
            f"--scalable-dimension {DIMENSION} --resource-id {_resource(service)} --suspended-state {state}"
        )


def _resource(service: Service) -> str:
    return f"service/{service.cluster}/{service.name}"


def _state(wanted: Suspended) -> dict[str, Any]:
    return {IN: wanted.scale_in, OUT: wanted.scale_out, SCHEDULED: wanted.scheduled}
