"""One registered target and how its state changes with health checks and time.

States, reasons and descriptions: API reference, data type TargetHealth; Application Load Balancers User Guide,
"Health checks for your target groups" and "Deregistration delay".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    State = Literal["initial", "healthy", "unhealthy", "draining", "unused", "unavailable"]


class Health(NamedTuple):
    """What DescribeTargetHealth says about a target."""

    state: State
    reason: str = ""
    description: str = ""


HEALTHY = Health("healthy")
REGISTERING = Health("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = Health("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = Health(
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
NOT_CHECKED = Health("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target group")


@dataclass(eq=False)
class Target:
    """A registered target; `next_check` and `drained_at` are monotonic seconds."""

    id: str
    port: int
    health: Health = REGISTERING
    passes: int = 0
    failures: int = 0
    next_check: float = 0.0
    drained_at: float | None = None

    @property
    def draining(self) -> bool:
        """Whether it was deregistered and its delay is not over."""
        return self.drained_at is not None

    def pass_check(self, group: Mapping[str, Any]) -> None:
        """Count a passed health check: one is enough for a new target, an unhealthy one needs the threshold."""
        self.passes += 1
        self.failures = 0
        if self.health.state == "initial" or self.passes >= group["HealthyThresholdCount"]:
            self.health = HEALTHY

    def fail_check(self, group: Mapping[str, Any], failure: Health) -> None:
        """Count a failed health check; `failure` is what the target becomes at the threshold."""
        self.failures += 1
        self.passes = 0
        if self.failures >= group["UnhealthyThresholdCount"]:
            self.health = failure
        elif self.health.state == "initial":
            self.health = CHECKING

    def drain(self, until: float) -> None:
        """Begin to drain; a target that drains already keeps its end."""
        if not self.draining:
            self.health = DRAINING
            self.drained_at = until
