"""Put our Amazon ECS into ministack."""

from __future__ import annotations

from embedded_aws.ecs import (
    clusters,
    container_instances,
    run_task,
    service_deployments,
    services,
    tags,
    task_definitions,
    task_protection,
    task_queries,
)


def install() -> None:
    """Replace ministack's operations."""
    parts = (
        clusters,
        tags,
        task_definitions,
        run_task,
        task_queries,
        container_instances,
        services,
        service_deployments,
        task_protection,
    )
    for part in parts:
        part.install()
