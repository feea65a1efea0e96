"""What `validate` looks at of the account's quotas: see findings.py.

A canary's task is refused for lack of Fargate vCPUs with "You've reached the limit on the number of vCPUs". Tasks on
container instances have no such quota, and what room the instances have changes from moment to moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model import rollout_time, service_kinds
from ecs_pipeline.model.release import Service
from ecs_pipeline.model.telemetry import Quota
from ecs_pipeline.plans.sizes import task_counts
from ecs_pipeline.steps.revision import base_of

UNITS_OF_A_VCPU = 1024
WITHIN = timedelta(minutes=15)
PERIOD = 300
"""Seconds. Usage metrics come every few minutes (CloudWatch user guide, "AWS usage metrics")."""


def quotas(run: Run, service: Service) -> str:
    """The vCPUs of the canary, and of a rollout, are left of what the account may have on Fargate."""
    if not service_kinds.on_fargate(service):
        return "none: the tasks do not run on Fargate"
    try:
        quota = run.quotas.fargate_vcpus(spot=service_kinds.FARGATE not in service_kinds.providers(service))
        in_use = _used(run, quota)
    except Trouble as trouble:
        return f"cannot be known: {trouble.message}"
    if in_use is None:
        return f"cannot be known: CloudWatch does not tell how many of {quota.value:g} Fargate vCPUs are in use"
    base = base_of(run, run.definitions.get(service.revision), service, run.settings.container)
    vcpus = _vcpus(base.definition)
    canary, more = _tasks_of_canary(run, service) * vcpus, rollout_time.above(service) * vcpus
    free = quota.value - in_use
    told = f"{in_use:g} of {quota.value:g} Fargate vCPUs are in use"
    if canary > free:
        raise InvalidInput(
            f"{told}, and the canary needs {canary:g}",
            cure=f"ask for more in Service Quotas: {quota.name} ({quota.code})",
        )
    if canary + more > free:
        note(run.recorder, f"{told}; a rollout may start {more:g} more beside the canary's {canary:g}: it may stall")
    return f"{told}; the canary needs {canary:g}"


def _tasks_of_canary(run: Run, service: Service) -> int:
    """The tasks of the largest canary, with its baseline."""
    return task_counts(run, service)[-1] + (1 if run.settings.canary.baseline else 0)


def _vcpus(definition: Mapping[str, Any]) -> float:
    """What a task takes of the quota; Fargate wants the task's own `cpu`, in units."""
    return int(definition.get("cpu") or 0) / UNITS_OF_A_VCPU


def _used(run: Run, quota: Quota) -> float | None:
    """The newest value of the quota's usage metric; None when there is none yet."""
    if not quota.usage:
        return None
    dimensions = [{"Name": name, "Value": value} for name, value in (quota.usage.get("MetricDimensions") or {}).items()]
    metric = {
        "Namespace": quota.usage.get("MetricNamespace"),
        "MetricName": quota.usage.get("MetricName"),
        "Dimensions": dimensions,
    }
    stat = quota.usage.get("MetricStatisticRecommendation") or "Maximum"
    query = {"Id": "used", "MetricStat": {"Metric": metric, "Period": PERIOD, "Stat": stat}}
    now = run.aws_time()
    (series,) = run.cloudwatch.series([query], now - WITHIN, now)
    return series.points[max(series.points)] if series.points else None
