"""The check `metric` on the embedded AWS."""

from __future__ import annotations

from typing import Any

SOON = {"interval": "300ms", "failures": 2, "of": 3, "min_samples": 2}


def own_metric(namespace: str, **limit: Any) -> dict[str, Any]:
    """A check that asks for the metric of each canary task by its dimension."""
    metric = {
        "Namespace": namespace,
        "MetricName": "Latency",
        "Dimensions": [{"Name": "TaskId", "Value": "{canary.task_ids}"}],
    }
    query = [{"Id": "latency", "MetricStat": {"Metric": metric, "Period": 1, "Stat": "Average"}}]
    return {"name": "latency", **SOON, "metric": {"query": query, **limit}}
