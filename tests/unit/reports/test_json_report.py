import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ecs_pipeline
from ecs_pipeline.checks.recorded_bakes import read_stage
from ecs_pipeline.checks.replay import replay
from ecs_pipeline.engine.check_series import Point
from ecs_pipeline.engine.record import CanaryTaskRecord
from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.json_report import JsonReport, to_dict
from tests.unit.reports import judged_checks, stage_records

CONTRACT = {
    "stage": None,
    "outcome": None,
    "exit_code": None,
    "release": {"id", "image", "digest", "task_definition", "previous_task_definition"},
    "canary": {"tasks", "share", "since"},
    "checks": {"name", "kind", "verdict", "samples", "failures", "value", "limit", "unit", "message", "required"}
    | {"evidence", "line", "rules", "every", "series"},
    "steps": {"name", "outcome", "seconds", "message"},
    "aws_calls": None,
    "waited_seconds": None,
    "started": None,
    "seconds": None,
}
ADDED = {
    "cluster",
    "service",
    "region",
    "changed",
    "failed_step",
    "holder",
    "evidence",
    "message",
    "cure",
    "dry_run",
    "version",
    "changes",
    "notes",
    "commit",
    "epoch",
}


@pytest.mark.parametrize("name", stage_records.ALL)
def test_the_members_are_those_of_the_contract(name: str) -> None:
    result = to_dict(stage_records.ALL[name]())
    assert set(result) - {"approved_by", "approval"} == set(CONTRACT) | ADDED
    for member, inner in CONTRACT.items():
        values = result[member] if isinstance(result[member], list) else [result[member]]
        assert all(set(value) == inner for value in values if inner)
    assert all(set(task) == {"arn", "ip", "target_groups"} for task in result["canary"]["tasks"])


def test_a_passed_canary_in_numbers() -> None:
    result = to_dict(stage_records.passed_canary())
    assert (result["outcome"], result["exit_code"]) == ("passed", 0)
    assert (result["message"], result["cure"]) == ("", "")
    assert (result["started"], result["seconds"], result["aws_calls"]) == ("2026-11-23T07:15:00Z", 381.4, 57)
    assert [result["checks"][0][key] for key in ("value", "limit", "unit")] == [182.5, 300, "ms"]
    assert list(result["steps"][1].values()) == ["image", "passed", 38.2, "built and pushed"]
    assert (result["commit"], result["version"]) == ("ab12cd3", ecs_pipeline.__version__)


def test_the_share_is_rounded_to_a_tenth_of_a_percent() -> None:
    record = stage_records.passed_canary()
    record.share = 100 / 3
    assert to_dict(record)["canary"]["share"] == 33.3


def test_it_tells_since_when_the_canary_is_there() -> None:
    record = stage_records.passed_canary()
    assert to_dict(record)["canary"]["since"] == ""
    later = CanaryTaskRecord("arn:2", created=stage_records.moment(90))
    record.canary += [later, CanaryTaskRecord("arn:1", created=stage_records.moment(60))]
    record.canary.append(CanaryTaskRecord("arn:baseline", role="baseline", created=stage_records.moment(30)))
    assert to_dict(record)["canary"]["since"] == "2026-11-23T07:16:00Z"


def test_the_baseline_is_not_among_the_canarys_tasks() -> None:
    record = stage_records.passed_canary()
    record.canary.append(CanaryTaskRecord("arn:baseline", role="baseline"))
    assert [task["ip"] for task in to_dict(record)["canary"]["tasks"]] == ["10.0.1.17"]


def test_a_stage_under_way_is_interrupted_and_so_is_its_step() -> None:
    result = to_dict(stage_records.killed_canary())
    assert (result["outcome"], result["exit_code"]) == ("interrupted", 143)
    assert (result["message"], result["cure"]) == ("interrupted during bake", "the same command resumes")
    bake = next(step for step in result["steps"] if step["name"] == "bake")
    assert (bake["outcome"], bake["message"]) == ("error", "interrupted")


def test_who_approved_is_told_when_known() -> None:
    promoted, canary = to_dict(stage_records.promoted()), to_dict(stage_records.passed_canary())
    assert promoted["approved_by"] == "Aki Sato"
    assert promoted["approval"] == {"by": "Aki Sato", "comment": "checkout errors are the provider's, see OPS-7"}
    assert to_dict(stage_records.troubled_promote())["approval"] == {"by": "", "comment": ""}
    assert not {"approved_by", "approval"} & set(canary)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\U0001f680 日本", "\U0001f680 日本"),
        ("<b>{{ 7*7 }}", "<b>{{ 7*7 }}"),
        ("one\r\ntwo\u2028three\tfour", "one two three four"),
        ("\x1b[2K\x1b[1Aforged\x00\x07\x9b31m", "forged"),
        ("half \ud83d", "half "),
    ],
)
def test_every_text_is_one_line_without_control_characters(tmp_path: Path, text: str, line: str) -> None:
    JsonReport(ReportFolder(tmp_path), "canary").finished(stage_records.filled_with(text))

    result = json.loads((tmp_path / "canary.json").read_text(encoding="utf-8"))
    own = {"canary", "failed", "passed", "skipped", "error", ecs_pipeline.__version__}
    own |= {"2026-11-23T07:15:00Z", "ap-northeast-1", *stage_records.CANARY_STEPS, *("http", "metric", "alarm")}
    own |= {"logs", "command", "pass", "fail", "inconclusive", "traffic", ""}
    assert set(texts(result)) - own == {line}


def texts(value: Any) -> Iterator[str]:
    """All texts in a document, however deep."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("canary passed", ""),
        ("canary failed", "healthy"),
        ("canary failed by a check", ""),
        ("canary inconclusive", ""),
        ("canary killed", "bake"),
        ("canary interrupted", "bake"),
        ("canary refused", "preflight"),
        ("promote in trouble", "service-update"),
    ],
)
def test_the_step_that_ended_the_stage_is_named(name: str, step: str) -> None:
    assert to_dict(stage_records.ALL[name]())["failed_step"] == step


def test_numbers_that_json_does_not_know_are_text(tmp_path: Path) -> None:
    record = stage_records.passed_canary()
    record.checks[0].value, record.checks[0].limit = float("nan"), float("inf")
    JsonReport(ReportFolder(tmp_path), "canary").finished(record)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    result = json.loads((tmp_path / "canary.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert (result["checks"][0]["value"], result["checks"][0]["limit"]) == ("nan", "inf")


def test_a_comparison_can_be_judged_again_from_the_report(tmp_path: Path) -> None:
    """The very verdict, from the very file."""
    record = stage_records.passed_canary()
    record.checks = [judged_checks.slow_metric(), judged_checks.lines(), judged_checks.answers()]
    JsonReport(ReportFolder(tmp_path), "canary").finished(record)
    again = [replay(bake) for bake in read_stage(tmp_path / "canary.json", {})]
    assert [bake.verdict for bake in again] == [check.verdict for check in record.checks]
    assert [bake.message for bake in again] == [check.message for check in record.checks]


def test_a_sample_is_a_line_of_its_own(tmp_path: Path) -> None:
    record = stage_records.passed_canary()
    check = judged_checks.like_metric()
    check.message = check.name = '"series": "0"'
    record.checks = [check]
    JsonReport(ReportFolder(tmp_path), "canary").finished(record)
    text = (tmp_path / "canary.json").read_text(encoding="utf-8")
    assert len(re.findall(r"^ {8}\{\"t\": .*\},?$", text, re.MULTILINE)) == 40
    (found,) = json.loads(text)["checks"]
    assert found["name"] == '"series": "0"'
    assert set(found["series"][0]) == {"t", "outcome", "canary", "others", "evidence"}
    assert found["rules"] == {"metric": {"compare": "stable", "unit": "ms"}}
    assert (found["line"], found["every"]) == (20, 1)


def test_what_is_no_number_is_null() -> None:
    record = stage_records.passed_canary()
    record.checks[0].series.add(Point(1.0, "good", [math.nan, 2.0], {"a": math.inf}))
    assert to_dict(record)["checks"][0]["series"] == [
        {"t": 1.0, "outcome": "good", "canary": [None, 2.0], "others": {"a": None}}
    ]
