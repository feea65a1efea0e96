"""How long a rollout may take, from what the service and its target groups say. Pure; all times in seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ecs_pipeline.model.load_balancing import TargetGroup
from ecs_pipeline.model.release import Service

SHORTEST, LONGEST = 900.0, 24 * 3600.0
ALARMS_WATCHED = 3600.0
"""How long ECS may watch the deployment's alarms once the new tasks run: it does not say (guide, "bake time")."""
STOP_TIMEOUT = 30
"""stopTimeout of a container that names none (Amazon ECS API reference, data type ContainerDefinition)."""
CHECK_INTERVAL, CHECK_RETRIES = 30, 3
"""The defaults of data type HealthCheck."""


def batch(service: Service) -> int:
    """How many tasks ECS replaces at once: what is allowed above, and what may be missing below the desired count."""
    configuration: Mapping[str, Any] = service.raw.get("deploymentConfiguration") or {}
    below = service.desired - math.ceil(service.desired * int(configuration.get("minimumHealthyPercent", 100)) / 100)
    return max(1, above(service) + max(0, below))


def above(service: Service) -> int:
    """How many tasks ECS may run beyond the desired count in a rollout: maximumPercent, rounded down."""
    configuration: Mapping[str, Any] = service.raw.get("deploymentConfiguration") or {}
    most = math.floor(service.desired * int(configuration.get("maximumPercent", 200)) / 100)
    return max(0, most - service.desired)


def rounds(service: Service) -> int:
    """How many batches a rollout has."""
    return max(1, math.ceil(service.desired / batch(service)))


def until_healthy(service: Service, groups: Sequence[TargetGroup], definition: Mapping[str, Any]) -> float:
    """The longest that ECS leaves a running task to pass its health checks: then it replaces it."""
    grace = float(service.raw.get("healthCheckGracePeriodSeconds") or 0)
    return grace + max([group.judged_within for group in groups] + [_checked_within(definition)], default=0.0)


def until_gone(groups: Sequence[TargetGroup], definition: Mapping[str, Any]) -> float:
    """The longest that an old task takes to drain and to stop."""
    stops = [int(container.get("stopTimeout") or STOP_TIMEOUT) for container in definition["containerDefinitions"]]
    return max((float(group.drain) for group in groups), default=0.0) + max(stops)


def allowed(
    service: Service,
    groups: Sequence[TargetGroup],
    definition: Mapping[str, Any],
    *,
    starts_within: float,
    stall: float,
) -> float:
    """A generous time for a rollout: each batch may take as long as the canary to come up, then the old ones leave.

    `starts_within` is what the canary was given, `stall` what is waited for without a change.
    """
    healthy = max(starts_within, until_healthy(service, groups, definition))
    needed = rounds(service) * (healthy + until_gone(groups, definition)) + stall
    needed += ALARMS_WATCHED if watches_alarms(service) else 0.0
    return min(LONGEST, max(SHORTEST, needed))


def watches_alarms(service: Service) -> bool:
    """Whether ECS watches alarms before it completes a deployment."""
    configuration: Mapping[str, Any] = service.raw.get("deploymentConfiguration") or {}
    return bool((configuration.get("alarms") or {}).get("enable"))


def _checked_within(definition: Mapping[str, Any]) -> float:
    checks = [
        container["healthCheck"] for container in definition["containerDefinitions"] if container.get("healthCheck")
    ]
    times = (
        check.get("startPeriod", 0) + check.get("interval", CHECK_INTERVAL) * (check.get("retries", CHECK_RETRIES) + 1)
        for check in checks
    )
    return float(max(times, default=0))
