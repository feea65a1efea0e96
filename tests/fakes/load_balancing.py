"""ElbPort on a World."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.load_balancing import Target, TargetGroup, TargetHealth
from tests.fakes.world import World

REASONS = {
    "healthy": "",
    "initial": "Elb.InitialHealthChecking",
    "unhealthy": "Target.FailedHealthChecks",
    "draining": "Target.DeregistrationInProgress",
    "unused": "Target.NotRegistered",
}
"""Why a target is in its state (Elastic Load Balancing API reference, data type TargetHealth)."""


class FakeElb:
    """ElbPort."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._known: set[str] = set()

    def target_group(self, arn: str) -> TargetGroup | None:
        """Read once, as the adapter does."""
        if arn not in self._known:
            for name in ("DescribeTargetGroups", "DescribeTargetGroupAttributes"):
                if not self.world.call(name, lambda: self.world.has_group(arn), write=False):
                    return None
            self._known.add(arn)
        drain, checked = int(self.world.delays.drain), (self.world.health_path, self.world.health_codes)
        return TargetGroup(
            arn, "ip", "HTTP", drain, 0, anomaly_detection=False, health_path=checked[0], health_codes=checked[1]
        )

    def health(self, group: str, targets: Sequence[Target] = (), *, anomalies: bool = False) -> list[TargetHealth]:
        def found() -> list[TargetHealth]:
            if not self.world.has_group(group):
                return []
            asked = targets or self.world.targets_of_group(group)
            states = [(target, self.world.health(target) or "unused") for target in asked]
            return [TargetHealth(target.identity, target.port, state, REASONS[state]) for target, state in states]

        return self.world.call("DescribeTargetHealth", found, write=False)

    def register(self, group: str, targets: Sequence[Target]) -> None:
        def act() -> None:
            if not self.world.has_group(group):
                raise ReleaseFailed(f"target group {group} of the service does not exist any more")
            for target in targets:
                state = self.world.targets.get(target.key)
                if state is None or state[1] is not None:
                    self.world.targets[target.key] = (self.world.now, None)

        self.world.call("RegisterTargets", act, write=True, detail=[target.key for target in targets])

    def deregister(self, group: str, targets: Sequence[Target]) -> None:
        def act() -> None:
            for target in targets:
                state = self.world.targets.get(target.key)
                if state is not None and state[1] is None and self.world.has_group(group):
                    self.world.targets[target.key] = (state[0], self.world.now)

        self.world.call("DeregisterTargets", act, write=True, detail=[target.key for target in targets])
