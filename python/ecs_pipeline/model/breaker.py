"""Whether the deployment circuit breaker of ECS judges a rollout, and how many failures are too many without it. Pure.

Amazon ECS Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

import math

from ecs_pipeline.model.release import Service

LEAST_FAILED, MOST_FAILED, FAILED_PART = 3, 200, 0.5
"""The circuit breaker's default threshold, kept here too, for services without a breaker."""


def rolled_back(service: Service, revision: str) -> bool:
    """Whether ECS has failed the deployment of a revision and gone back by itself."""
    return any(deployment.revision == revision and deployment.rollout == "FAILED" for deployment in service.deployments)


def was_told(service: Service, revision: str) -> bool:
    """Whether UpdateService gave the service this revision before, whatever became of that."""
    return service.revision == revision or rolled_back(service, revision)


def breaker_is_on(service: Service) -> bool:
    """Whether ECS itself gives up a rollout whose tasks fail."""
    configuration = service.raw.get("deploymentConfiguration") or {}
    return bool((configuration.get("deploymentCircuitBreaker") or {}).get("enable"))


def failures_allowed(service: Service) -> int:
    """How many tasks in a row may fail where no circuit breaker is on: as many as its default threshold."""
    return min(MOST_FAILED, max(LEAST_FAILED, math.ceil(FAILED_PART * service.desired)))
