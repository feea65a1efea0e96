"""What is told of a check that cannot have as many samples as it asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline.config.load import load
from tests.unit.config.mistakes import NAMES, Tell

HTTP = "  - http: {path: /}\n"
METRIC = (
    "  - metric: {at_most: 1, query: [{Id: a, MetricStat: "
    "{Period: 300, Stat: Sum, Metric: {Namespace: N, MetricName: M}}}]}\n"
)


@pytest.mark.parametrize(
    ("canary", "line"),
    [
        ("canary:\n bake: 15s\n checks:\n" + HTTP, "c.yml:6: canary.checks.0: 3 samples are needed and 2 come at most"),
        (
            "canary:\n bake: 5s\n checks:\n" + HTTP,
            "c.yml:6: canary.checks.0: 3 samples are needed and one comes at most in a bake of 5s (interval 10s)",
        ),
        (
            "canary:\n bake: 10m\n checks:\n" + HTTP + METRIC,
            "c.yml:7: canary.checks.1: 3 samples are needed and 2 come at most in a bake of 600s (interval 10s, a",
        ),
        (
            "canary:\n bake: 10m\n checks:\n  - interval: 20m\n    metric: " + METRIC.partition("metric: ")[2],
            "c.yml:6: canary.checks.0: 3 samples are needed and none comes in a bake of 600s (interval 1200s",
        ),
        (
            "canary:\n bake: 1m\n checks:\n  - initial_delay: 2m\n    http: {path: /}\n",
            "c.yml:6: canary.checks.0: 3 samples are needed and none comes in a bake of 60s",
        ),
        (
            "canary:\n steps: [{tasks: 1, bake: 10s}, {tasks: 2, bake: 10m}]\n checks:\n" + HTTP,
            "c.yml:6: canary.checks.0: 3 samples are needed and 2 come at most in a bake of 10s",
        ),
    ],
)
def test_a_check_that_cannot_have_enough_samples_is_told_with_its_line(told: Tell, canary: str, line: str) -> None:
    assert told(NAMES + canary)[0].startswith(line)


def test_each_of_them_is_told_with_the_overlays_line(told: Tell) -> None:
    overlay = "environments:\n stg:\n  canary: {bake: 1s}\n"
    first, second = told(NAMES + "canary:\n checks:\n" + HTTP + METRIC + overlay, "stg")
    assert first.startswith("c.yml:5: canary.checks.0: ")
    assert second.startswith("c.yml:6: canary.checks.1: ")


@pytest.mark.parametrize(
    "canary",
    [
        "canary:\n bake: 20s\n checks:\n" + HTTP,
        "canary:\n bake: 0s\n checks:\n" + HTTP,
        "canary:\n bake: 15m\n checks:\n" + METRIC,
        "canary:\n steps: [{tasks: 1, bake: 0s}, {tasks: 2, bake: 10m}]\n checks:\n" + HTTP,
        "canary:\n bake: 5s\n checks:\n  - {min_samples: 1, http: {path: /}}\n",
        "canary:\n checks:\n" + HTTP,
    ],
)
def test_one_that_can_is_taken(tmp_path: Path, canary: str) -> None:
    (tmp_path / "c.yml").write_text(NAMES + canary)
    assert load(str(tmp_path / "c.yml"), "", {}).settings.canary.checks
