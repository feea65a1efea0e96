"""What is told of a wrong check: where it stands and what would be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.load import load
from ecs_pipeline.errors import InvalidInput

QUERY = [{"Id": "m", "Expression": "1", "Period": 60}]
COMPARED = [{"Id": "m", "Expression": "SEARCH('{canary.task_ids}', 'Sum', 60)"}]
OF_BASELINE = [{"Id": "m", "Expression": "SEARCH('{baseline.task_ids}', 'Sum', 60)"}]
SAME = {"Id": "m", "Expression": "SEARCH('{canary.task_id}', 'Sum', 60)"}


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"http": {"path": "health"}}, "path 'health' does not begin with /"),
        ({"http": {"path": "/", "status": 99}}, "99 is not an HTTP status; write 200, 2xx or a list"),
        ({"http": {"path": "/", "status": []}}, "no status is expected"),
        ({"http": {"via": "load-balancer"}}, "takes the load balancer's `url: http://HOST`"),
        ({"http": {"url": "http://h"}}, "add `via: load-balancer`"),
        ({"http": {"path": "/", "p95": "fast"}}, "p95: "),
        ({"http": {"path": "/", "p30": "1s"}}, "p30: unknown key"),
        ({"http": {"path": "/", "timeout": "0s"}}, "timeout"),
        ({"alarm": {}}, "name the alarms: `names: [NAME]` or `prefix: TEXT`"),
        ({"alarm": {"names": ["a"], "in_alarm_at_start": "wait"}}, "in_alarm_at_start"),
        ({"metric": {"query": QUERY}}, "give at_most, at_least or compare"),
        ({"metric": {"query": QUERY, "at_most": 1, "at_least": 0}}, "at_most and at_least exclude each other"),
        ({"metric": {"query": [*QUERY, {**QUERY[0], "Id": "n"}], "at_most": 1}}, "exactly one series is judged"),
        ({"metric": {"query": [{**QUERY[0], "Id": "Upper"}], "at_most": 1}}, "Id 'Upper'"),
        ({"metric": {"query": [*QUERY, *QUERY], "at_most": 1}}, "has an Id of its own"),
        ({"metric": {"query": [SAME], "at_most": 1}}, "no placeholder {canary.task_id}; known: {canary.task_ids}"),
        ({"metric": {"query": QUERY, "compare": "stable"}}, "compare needs {canary.task_ids} in the query"),
        ({"metric": {"query": [], "at_most": 1}}, "query"),
        ({"metric": {"query": QUERY, "at_most": "1"}}, "metric.at_most: a number is expected, not '1'"),
        ({"metric": {"query": QUERY, "at_most": float("inf")}}, "metric.at_most"),
        ({"metric": {"query": [{"Id": "m"}], "at_most": 1}}, "m: give either Expression or MetricStat"),
        ({"metric": {"query": QUERY, "at_most": 1, "direction": "decrease"}}, "direction belong to a comparison"),
        ({"metric": {"query": OF_BASELINE, "at_most": 1}}, "set `baseline: true` as well"),
        ({"logs": {"filter": "ERROR", "tolerance": "5%"}}, "tolerance belong to a comparison"),
        ({"http": {"path": "/", "p95": "0s"}}, "p95: more than 0s is expected"),
        ({"http": {"path": "/", "rate": "5/s"}}, "rate belong to a comparison"),
        ({"http": {"path": "/", "confidence": "99%"}}, "confidence belongs to a comparison or a percentile"),
        ({"http": {"path": "/", "compare": "stable", "rate": "50/s"}}, "rate: between 1/min and 10/s"),
        ({"http": {"path": "/", "compare": "stable", "rate": "5"}}, "'5' is not a rate; write 5/s, 1/min or 10/h"),
        (
            {"http": {"path": "/", "compare": "stable", "p95": "1s"}},
            "compare excludes p95: a limit is a check of its own",
        ),
        (
            {"http": {"compare": "stable", "via": "load-balancer", "url": "http://h"}},
            "compare asks the tasks themselves; leave out `via: load-balancer`",
        ),
        ({"http": {"compare": "stable", "rate": "1/s"}, "interval": "1s"}, "rate and interval exclude each other"),
        ({"http": {"path": "/", "compare": "baseline"}}, "set `baseline: true` as well"),
        (
            {"logs": {"filter": "E", "compare": "stable", "confidence": "5%"}},
            "confidence 5%: it is between 50% and 99.99%",
        ),
        ({"logs": {"filter": "E", "compare": "stable", "confidence": "100%"}}, "write 95%"),
        ({"logs": {"filter": "E", "compare": "stable", "detect": "0%"}}, "detect"),
        ({"logs": {"filter": "E", "ignore_below": "1/min"}}, "ignore_below belong to a comparison"),
        (
            {"metric": {"query": COMPARED, "compare": "stable", "direction": "decrease", "tolerance": "100%"}},
            "tolerance: nothing decreases by more than 100%",
        ),
        ({"logs": {"at_most": 0}}, "filter"),
        ({"logs": {"filter": "ERROR", "at_most": -1}}, "at_most"),
        ({"logs": {"filter": "ERROR", "compare": "stable", "at_most": 1}}, "compare excludes at_most and per"),
        ({"logs": {"filter": "ERROR", "per": "0s"}}, "per is `bake` or a duration of more than 0s"),
        ({"logs": {"filter": "ERROR", "compare": "baseline"}}, "set `baseline: true` as well"),
        ({"command": {"run": []}}, "no program; write `run: [./check.sh, ARGUMENT]`"),
        ({"command": {"run": "./check.sh"}}, "run"),
        ({"http": {"path": "/"}, "logs": {"filter": "E"}}, "http and logs exclude each other; a check has one kind"),
        ({"interval": "1s"}, "no kind of check; give one of http, alarm, metric, logs, command"),
        ({"http": {"path": "/"}, "failures": 6}, "6 failures among the last 5 samples cannot be; raise `of`"),
        ({"http": {"path": "/"}, "on_missing": "ignore"}, "on_missing"),
        ({"http": {"path": "/"}, "interval": "0s"}, "interval"),
        ({"http": {"path": "/"}, "min_samples": 0}, "min_samples"),
        ({"http": {"path": "/"}, "required": "no"}, "required"),
        ({"https": {"path": "/"}}, "https: unknown key (did you mean http?)"),
    ],
)
def test_a_wrong_check_is_told_with_its_place(
    check: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yml").write_text(json.dumps({"cluster": "c", "service": "s", "canary": {"checks": [check]}}))
    with pytest.raises(InvalidInput) as caught:
        load("c.yml", "", {})
    line = str(caught.value)
    assert line.startswith("c.yml:1: canary")
    assert words in line
    assert "\n" not in line


def test_two_checks_of_the_same_name_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checks = [{"http": {"path": "/health"}}, {"http": {"path": "/health", "via": "canary"}}]
    Path("c.yml").write_text(json.dumps({"cluster": "c", "service": "s", "canary": {"checks": checks}}))
    with pytest.raises(InvalidInput, match="two checks are called 'http /health'; give each a `name`"):
        load("c.yml", "", {})


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([{"tasks": 3}, {"tasks": 1}], "steps grow: step 2 has tasks: 1 after tasks: 3"),
        ([{"tasks": 1}, {"percent": 50}, {"percent": 20}], "steps grow: step 3 has percent: 20 after percent: 50"),
    ],
)
def test_steps_that_shrink_are_refused(
    steps: list[Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yml").write_text(json.dumps({"cluster": "c", "service": "s", "canary": {"steps": steps}}))
    with pytest.raises(InvalidInput) as caught:
        load("c.yml", "", {})
    assert str(caught.value) == f"c.yml:1: canary: {words}"
