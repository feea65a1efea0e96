"""`judge --replay`, `--from`, `--simulate`: nobody is asked, nothing is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecs_pipeline.cli.commands.main import main

LINE = {
    "check": {"metric": {"compare": "stable"}},
    "samples": [{"t": 60 * n, "canary": [3 + n % 3 / 10], "others": {"a": [1 + n % 4 / 10]}} for n in range(12)],
}


def judge(*words: str) -> int:
    return main(["judge", *words])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_line_of_a_file_gets_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bakes.jsonl").write_text(f"{json.dumps(LINE)}\n" * 3)
    assert judge("--replay", "bakes.jsonl") == 0
    out, err = capsys.readouterr()
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 3
    assert list(found[0]) == ["verdict", "at", "samples", "message"]
    assert found[0]["verdict"] == "fail"
    assert err == ""
    assert [path.name for path in Path().iterdir()] == ["bakes.jsonl"]


def test_other_rules_may_be_tried(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bakes.jsonl").write_text(json.dumps(LINE))
    assert judge("--replay", "bakes.jsonl", "--tolerance", "300%", "--detect", "100%", "--confidence", "99%") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "pass"
    assert "evidence against it 0.5 of 100" in found["message"]


def test_a_report_can_be_judged_again(capsys: pytest.CaptureFixture[str]) -> None:
    check = {"name": "latency", "rules": LINE["check"], "series": LINE["samples"]}
    Path("canary.json").write_text(json.dumps({"checks": [check]}))
    assert judge("--from", "canary.json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["check"], found["verdict"]) == ("latency", "fail")


def test_a_wrong_line_is_one_line_and_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bakes.jsonl").write_text(f"{json.dumps(LINE)}\n{{\n")
    assert judge("--replay", "bakes.jsonl") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ecs-pipeline: bakes.jsonl:2: ")
    assert err.count("\n") == 1


def test_a_simulation_tells_how_long_a_bake_has_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--simulate", "--rate", "5/s", "--regression", "200%", "--others", "2", "--noise", "20%")
    assert judge(*words) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert head == "5/s of each task, 2 others; tolerance 25 %, detect 50 %, confidence 95 %"
    assert columns.split("  ")[-1].strip() == "in nine of ten"
    assert [row[:46].strip() for row in rows] == [
        "values (noise 20 %): 200 % worse fails",
        "values (noise 20 %): like the others passes",
        "lines of a log: 200 % worse fails",
        "lines of a log: like the others passes",
    ]
    assert judge(*words, "--output", "json") == 0
    values, lines = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert values["kind"] == "values"
    assert 0 < values["fails"]["half"] <= values["fails"]["most"] < lines["fails"]["most"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--replay", "a", "--from", "b"], "--replay and --from exclude each other"),
        (["--rate", "5/s"], "--rate: given with --simulate only"),
        (["--tolerance", "5%"], "--tolerance: given with --replay or --from or --simulate only"),
        (["--simulate", "--rate", "often"], "--rate: 'often' is not a rate; write 5/s, 1/min or 10/h"),
        (["--simulate", "--rate", "0/s"], "--rate: more than 0 is expected"),
        (["--simulate", "--confidence", "5%"], "--confidence: between 50% and 99.99%"),
        (["--simulate", "--regression", "much"], "--regression: 'much' is not a percentage"),
        (["--replay", "none.jsonl"], "none.jsonl: No such file or directory"),
        (["--replay", "  "], "it is empty"),
    ],
)
def test_bad_usage_is_one_line(capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert judge(*words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
