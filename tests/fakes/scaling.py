"""ScalingPort on a World."""

from __future__ import annotations

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Service
from ecs_pipeline.model.scaling import Suspended
from tests.fakes.world import World


class FakeScaling:
    """ScalingPort: one scalable target, or none."""

    def __init__(self, world: World) -> None:
        self.world = world

    def suspended(self, service: Service) -> Suspended | None:
        return self.world.call("DescribeScalableTargets", lambda: self.world.scaling, write=False)

    def suspend(self, service: Service, wanted: Suspended) -> None:
        def suspended() -> None:
            if self.world.scaling is None:
                raise Trouble("application-autoscaling:RegisterScalableTarget: ValidationException: it needs limits")
            self.world.scaling = wanted

        self.world.call("RegisterScalableTarget", suspended, write=True, detail=wanted)

    def command(self, service: Service, wanted: Suspended) -> str:
        return f"aws … register-scalable-target … {wanted}"
