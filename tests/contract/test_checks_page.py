"""docs/checks.md: its examples are checks that a config takes, and ask for metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs_pipeline.config.checks import CheckSettings

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")

OF_ONE_TASK = {"ClusterName", "TaskDefinitionFamily", "TaskId"}
"""CloudWatch User Guide, "Container Insights with enhanced observability": the metrics of a standalone task."""


def examples() -> list[dict[str, Any]]:
    """The checks of the page's YAML, but for those that leave something out (`…`)."""
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    found = []
    for block in blocks:
        listed = block if isinstance(block, list) else (block.get("canary") or {}).get("checks", [])
        found += [check for check in listed if "…" not in str(check)]
    return found


@pytest.mark.parametrize("check", examples(), ids=lambda check: next(iter(check)))
def test_an_example_is_a_check(check: dict[str, Any]) -> None:
    assert CheckSettings.model_validate(check).title


def test_the_examples_ask_for_metrics_by_all_of_their_dimensions() -> None:
    queries = [query for check in examples() for query in check.get("metric", {}).get("query", [])]
    metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    assert metrics
    for metric in metrics:
        assert metric["Namespace"] == "ECS/ContainerInsights"
        assert {dimension["Name"] for dimension in metric["Dimensions"]} == OF_ONE_TASK
