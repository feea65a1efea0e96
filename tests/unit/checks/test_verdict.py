"""Samples make a verdict: failures in a window, a least number of samples, samples without data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, UNCLEAR, Conclusion, Sample
from ecs_pipeline.checks.verdict import Tally, overall
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.engine.record import CheckRecord

SHORT = {"g": GOOD, "b": BAD, "m": MISSING, "u": UNCLEAR}


def settings(**keys: Any) -> CheckSettings:
    return CheckSettings.model_validate({"http": {"path": "/"}, **keys})


def tally(samples: str, **keys: Any) -> Tally:
    """A tally of samples: g, b, m, u."""
    made = Tally(settings(**keys))
    for number, letter in enumerate(samples, start=1):
        made.add(Sample(SHORT[letter], f"number {number}"))
    return made


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        ("ggg", "pass"),
        ("gg", "inconclusive"),
        ("", "inconclusive"),
        ("gbgbg", "pass"),
        ("gbgbb", "fail"),
        ("bbb", "fail"),
        ("bb", "inconclusive"),
        ("bggbgggb", "pass"),
        ("bbggg", "pass"),
        ("gggmmmmm", "pass"),
        ("ggmmmmm", "inconclusive"),
        ("uuuuu", "inconclusive"),
        ("guguguu", "pass"),
        ("bumbum", "inconclusive"),
        ("bumbumb", "fail"),
    ],
)
def test_with_the_defaults_three_failures_of_five_fail_and_three_samples_pass(samples: str, verdict: str) -> None:
    assert tally(samples).verdict(None)[0] == verdict


@pytest.mark.parametrize(
    ("on_missing", "verdict"), [("inconclusive", "inconclusive"), ("pass", "pass"), ("fail", "fail")]
)
def test_a_sample_without_data_counts_as_it_is_told_to(on_missing: str, verdict: str) -> None:
    assert tally("mmm", on_missing=on_missing).verdict(None)[0] == verdict
    assert tally("uuu", on_missing=on_missing).verdict(None)[0] == "inconclusive"


def test_the_least_number_of_samples_guards_a_pass_only() -> None:
    made = tally("b", failures=1, of=1, min_samples=100)
    assert made.failed
    assert made.verdict(None)[0] == "fail"


def test_only_the_last_samples_count() -> None:
    made = tally("bb" + "g" * 5 + "b", failures=2, of=5)
    assert not made.failed
    made.add(Sample(BAD))
    assert made.failed
    assert (made.samples, made.failures) == (9, 4)


@pytest.mark.parametrize(
    ("samples", "conclusion", "verdict"),
    [
        ("ggg", Conclusion("fail", "too slow"), ("fail", "too slow")),
        ("g", Conclusion("fail", "too slow"), ("fail", "too slow")),
        ("ggg", Conclusion("inconclusive", "no baseline"), ("inconclusive", "no baseline")),
        ("bbb", Conclusion("inconclusive", "no baseline"), ("fail", "3 of the last 3 samples failed: number 3")),
        ("ggg", None, ("pass", "3 samples, p95 15 ms, limit 300 ms")),
    ],
)
def test_the_last_word_of_a_check_goes_before_a_pass(
    samples: str, conclusion: Conclusion | None, verdict: tuple[str, str]
) -> None:
    assert tally(samples).verdict(conclusion, "p95 15 ms, limit 300 ms") == verdict


def test_a_verdict_says_why() -> None:
    assert tally("gbbb").verdict(None)[1] == "3 of the last 4 samples failed: number 4"
    assert tally("g").verdict(None)[1] == "1 sample, at least 3 are needed"
    assert tally("gmm").verdict(None)[1] == "1 sample, at least 3 are needed, 2 without data: number 3"


@given(st.lists(st.sampled_from("gbmu"), max_size=30))
def test_too_little_data_never_passes(samples: list[str]) -> None:
    verdict = tally("".join(samples)).verdict(None)[0]
    counted = sum(sample in "gb" for sample in samples)
    assert verdict != "pass" or counted >= 3


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ([], "pass"),
        ([("pass", True)], "pass"),
        ([("pass", True), ("inconclusive", True)], "inconclusive"),
        ([("fail", True), ("inconclusive", True)], "fail"),
        ([("pass", True), ("fail", False), ("inconclusive", False)], "pass"),
        ([("", True)], "pass"),
    ],
)
def test_required_checks_decide(checks: list[tuple[str, bool]], verdict: str) -> None:
    records = [CheckRecord("c", "http", verdict=verdict, required=required) for verdict, required in checks]
    assert overall(records) == verdict
