"""Recorded bakes through the code that judges, and what is told of a file that is wrong."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.checks import recorded_bakes
from ecs_pipeline.checks.recorded_bakes import read_lines, read_stage
from ecs_pipeline.checks.replay import Replayed, replay
from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput

COMPARED = {"metric": {"compare": "stable"}}


def samples(canary: Sequence[Any], others: Mapping[str, Sequence[Any]] | None = None, every: float = 60) -> list[Any]:
    rest = others or {}
    return [
        {"t": every * n, "canary": value, "others": {task: series[n] for task, series in rest.items()}}
        for n, value in enumerate(canary)
    ]


def judged(check: Mapping[str, Any], recorded: list[Any], changes: Mapping[str, Any] | None = None) -> Replayed:
    line = json.dumps({"check": check, "samples": recorded})
    (bake,) = read_lines(io.StringIO(f"\n{line}\n"), "f", changes or {})
    return replay(bake)


def near(value: float, count: int = 12) -> list[list[float]]:
    return [[value + n % 3 / 100] for n in range(count)]


# ---- comparisons


@pytest.mark.parametrize(
    ("canary", "count", "verdict"),
    [(1.0, 12, "pass"), (3.0, 12, "fail"), (1.9, 3, "inconclusive")],
    ids=["like", "slower", "too few"],
)
def test_values_are_compared(canary: float, count: int, verdict: str) -> None:
    found = judged(COMPARED, samples(near(canary, count), {"a": near(1)}))
    assert found.verdict == verdict
    assert (found.at is None) == (verdict != "fail")
    assert "of the stable task" in found.message


def test_a_failure_ends_the_bake_when_it_is_shown() -> None:
    found = judged(COMPARED, samples(near(3, 60), {"a": near(1, 60), "b": near(1, 60), "c": near(1, 60)}))
    assert found.verdict == "fail"
    assert found.at == 60.0 * (found.samples - 1)
    assert found.samples < 10


def test_changes_go_over_what_the_check_says() -> None:
    seen = samples(near(3), {"a": near(1)})
    assert judged(COMPARED, seen).verdict == "fail"
    assert judged(COMPARED, seen, {"tolerance": "300%"}).verdict == "pass"


def test_a_single_value_is_as_good_as_a_list() -> None:
    listed, single = (
        samples(near(3), {"a": near(1)}),
        samples([v[0] for v in near(3)], {"a": [v[0] for v in near(1)]}),
    )
    assert judged(COMPARED, listed) == judged(COMPARED, single)


def test_what_is_missing_is_passed_over() -> None:
    seen = samples(near(1, 20), {"a": near(1, 20)})
    for number in (2, 5):
        seen[number]["canary"] = None
        seen[number + 1]["others"] = {"a": []}
        seen[number + 2]["canary"] = [None]
    found = judged(COMPARED, seen)
    assert (found.verdict, found.samples) == ("pass", 14)
    nobody = judged(COMPARED, [{**sample, "others": {}} for sample in seen])
    assert nobody.verdict == "inconclusive"
    assert nobody.message == ("0 samples, at least 3 are needed, 20 without data: nothing of the stable to compare")


@pytest.mark.parametrize(("canary", "verdict"), [(9, "fail"), (3, "pass"), (5, "inconclusive")])
def test_counts_are_numbers(canary: int, verdict: str) -> None:
    check = {"logs": {"filter": "ERROR", "compare": "stable"}}
    seen = samples([canary + n % 2 for n in range(10)], {"a": [3, 4] * 5, "b": [4, 3] * 5}, every=10)
    assert judged(check, seen).verdict == verdict


@pytest.mark.parametrize(
    ("answer", "verdict"), [([10.0], "pass"), ([30.0], "fail"), ([None], "fail")], ids=["like", "slower", "none"]
)
def test_answers_are_compared_and_null_is_none(answer: list[float | None], verdict: str) -> None:
    seen = samples([answer if n % 2 else [10.1 if answer == [10.0] else answer[0]] for n in range(160)])
    for number, sample in enumerate(seen):
        sample["others"] = {"a": [10.0 + number % 3 / 10]}
    assert judged({"http": {"compare": "stable"}}, seen).verdict == verdict


# ---- limits


@pytest.mark.parametrize(
    ("check", "canary", "expected"),
    [
        ({"metric": {"at_most": 3}}, range(10), ("fail", 360.0, 7)),
        ({"metric": {"at_least": 3}}, [[5], [4], [3]], ("pass", None, 3)),
        ({"metric": {"at_most": 3}}, [[1], [2]], ("inconclusive", None, 2)),
        ({"metric": {"at_most": 3}, "on_missing": "fail"}, [[], None, []], ("fail", 120.0, 3)),
        ({"logs": {"at_most": 4}}, [1] * 10, ("fail", 360.0, 7)),
        ({"logs": {"at_most": 4, "per": "2m"}}, [1] * 10, ("pass", None, 10)),
        ({"http": {"p95": "300ms"}}, [[20.0]] * 10, ("pass", None, 10)),
        ({"http": {"p95": "300ms"}}, [[290.0], [250.0], [280.0]], ("inconclusive", None, 3)),
        ({"http": {"p95": "300ms"}}, [[400.0]] * 10, ("fail", 120.0, 3)),
        ({"http": {}}, [[5.0], [None], [None], [5.0], [None]], ("fail", 240.0, 5)),
    ],
)
def test_limits_are_judged_as_in_a_bake(
    check: dict[str, Any], canary: Sequence[Any], expected: tuple[str, float | None, int]
) -> None:
    found = judged(check, samples(canary))
    assert (found.verdict, found.at, found.samples) == expected


# ---- mistakes


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "f:1: this: invalid JSON"),
        ("[]", "f:1: this: a map of keys is expected, not []"),
        ('{"check": {}}', "f:1: samples: is missing"),
        ('{"check": {}, "samples": [], "more": 1}', "f:1: more: unknown key"),
        ('{"check": {}, "samples": []}', "f:1: check: this: no kind of check"),
        ('{"check": {"metric": {"compare": "stabel"}}, "samples": []}', "metric.compare: "),
        ('{"check": {"metric": {"compare": "stable", "tolerence": "3%"}}, "samples": []}', "did you mean tolerance?"),
        ('{"check": {"alarm": {"names": ["x"]}}, "samples": []}', "a check of the kind alarm cannot be judged again"),
        (
            '{"check": {"metric": {"at_most": 1}}, "samples": [{"t": "1"}]}',
            "samples.0.t: a number is expected, not '1'",
        ),
        ('{"check": {"metric": {"at_most": 1}}, "samples": [{"t": 2}, {"t": 1}]}', "not in the order of their `t`"),
        ('{"check": {"metric": {"at_most": 1}}, "samples": [{"t": 1, "canary": [NaN]}]}', "f:1: "),
        ('{"check": {"metric": {"at_most": 1}}, "samples": [{"t": 1, "canary": true}]}', "samples.0.canary"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(line: str, words: str) -> None:
    with pytest.raises(InvalidInput) as told:
        list(read_lines(io.StringIO(line), "f", {}))
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_report_has_the_samples_of_its_checks(tmp_path: Path) -> None:
    seen = [{**sample, "evidence": 0.5} for sample in samples(near(3), {"a": near(1)})]
    checks = [{"name": "latency", "rules": COMPARED, "series": seen}, {"name": "alarms", "series": []}]
    report = tmp_path / "canary.json"
    report.write_text(json.dumps({"checks": checks}))
    (bake,) = read_stage(report, {})
    assert bake.name == "latency"
    assert replay(bake).verdict == "fail"


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "no report of a stage"), ("[1]", "no report"), ('{"checks": []}', "none of its checks has samples")],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str, words: str) -> None:
    report = tmp_path / "canary.json"
    report.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        read_stage(report, {})
    with pytest.raises(InvalidInput, match="No such file"):
        read_stage(tmp_path / "none.json", {})


def test_a_report_that_is_too_large_or_a_pipe_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "PIPE_WITHIN", 0.1)
    monkeypatch.setattr(recorded_bakes, "MOST_OF_A_REPORT", 10)
    report, pipe = tmp_path / "canary.json", tmp_path / "judge.json"
    report.write_text('{"checks": []}')
    os.mkfifo(pipe)
    for path, why in ((report, "larger than"), (pipe, "nothing came of it|no report")):
        with pytest.raises(InvalidInput, match=why):
            read_stage(path, {})
