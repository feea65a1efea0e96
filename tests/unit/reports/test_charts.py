"""Checks as drawings: everything within the picture, the evidence, limits, words for those who cannot see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from ecs_pipeline.engine.check_series import Point
from ecs_pipeline.engine.record import CheckRecord
from ecs_pipeline.reports.charts import LAYOUTS, Chart, chart, chart_in_words
from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.html import HtmlReport
from tests.present import present
from tests.unit.reports import judged_checks, stage_records

CHECKS = {check.name: check for check in judged_checks.all_kinds()}
SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str, end: str = "") -> Chart:
    found = chart(CHECKS[name], LAYOUTS[end])
    assert found
    return found


def kinds(found: Chart) -> set[str]:
    return {mark.kind for mark in found.marks}


def places(found: Chart, kind: str) -> list[tuple[float, float]]:
    numbers = [re.findall(r"(-?[\d.]+) (-?[\d.]+)", mark.path) for mark in found.marks if mark.kind == kind]
    return [(float(x), float(y)) for part in numbers for x, y in part]


@pytest.mark.parametrize("end", LAYOUTS)
@pytest.mark.parametrize("name", CHECKS)
def test_everything_is_within_the_picture(name: str, end: str) -> None:
    found = drawn(name, end)
    right = found.layout.left + found.layout.room
    for mark in found.marks:
        assert all(found.layout.left - 0.1 <= x <= right + 0.1 for x, _ in places(found, mark.kind))
        assert all(found.layout.row - 0.1 <= y <= found.axis + 0.1 for _, y in places(found, mark.kind)), mark.kind
    assert all(0 < label.y <= found.height for label in (*found.ticks, *found.scales, *found.labels))


def test_a_comparison_shows_both_sides_what_is_tolerated_and_the_evidence() -> None:
    found = drawn("latency")
    assert {"canary", "others", "band", "limit", "evidence", "verdict"} <= kinds(found)
    assert found.compared
    assert [label.text for label in found.labels] == ["evidence against it", "20 fails", "failed after 5m"]
    assert "verdict" not in kinds(drawn("like the others"))


def test_evidence_that_fails_crosses_its_line() -> None:
    for name, crosses in (("latency", True), ("like the others", False)):
        found = drawn(name)
        lines = [float(mark.path.split()[1].partition("H")[0]) for mark in found.marks if mark.path.count("H") == 1]
        (end,) = places(found, "end")
        assert (end[1] < lines[0]) is crosses


def test_a_limit_is_a_line_and_failed_samples_are_marked() -> None:
    found = drawn("answers")
    assert len({y for _, y in places(found, "limit")}) == 1
    assert len(places(found, "bad")) == sum(point.outcome == "bad" for point in CHECKS["answers"].series.until_now())
    assert not found.compared


def test_a_check_without_numbers_is_a_strip_of_its_samples() -> None:
    found = drawn("alarm sample-app-5xx")
    assert kinds(found) == {"good", "bad"}
    assert found.height < drawn("answers").height / 2


def test_counts_are_drawn_as_they_add_up() -> None:
    heights = [y for _, y in places(drawn("errors"), "canary")]
    assert heights == sorted(heights, reverse=True)


def test_what_was_not_sampled_is_not_drawn() -> None:
    assert chart(CheckRecord("c", "http"), LAYOUTS[""]) is None


def test_it_is_told_in_words() -> None:
    assert chart_in_words(CHECKS["latency"]) == (
        "Check latency, 6 samples, canary from 173.8 ms to 1037 ms, others from 73.69 ms to 139.3 ms, "
        "evidence against it 37.9 of 20: failed after 5m."
    )


def test_a_long_bake_is_drawn_whole(tmp_path: Path) -> None:
    """A path of thousands of letters is no text that reports shorten."""
    check = CheckRecord("long", "metric", limit=3.0)
    for number in range(2000):
        check.series.add(Point(float(number), "good", [1.0 + number % 7]))
    record = stage_records.passed_canary()
    record.checks = [check]
    pictures = HtmlReport(ReportFolder(tmp_path), "canary").files(record)
    root = etree.fromstring(pictures["canary-check-1.svg"])
    (path,) = [present(path.get("d")) for path in root.iter(f"{SVG}path") if path.get("class") == "canary"]
    assert re.fullmatch(r"M[\d.]+ [\d.]+(L[\d.]+ [\d.]+)+", path)
    assert path.count("L") > 100


@pytest.mark.parametrize("name", CHECKS)
def test_pictures_are_readable_without_their_style(name: str, tmp_path: Path) -> None:
    record = stage_records.passed_canary()
    record.checks = [CHECKS[name]]
    files = HtmlReport(ReportFolder(tmp_path), "canary").files(record)
    for picture in ("canary-check-1.svg", "canary-check-1-narrow.svg"):
        root = etree.fromstring(files[picture])
        assert root.findtext(f"{SVG}title") == chart_in_words(CHECKS[name])
        assert all(shape.get("fill") for shape in root.iter(f"{SVG}path", f"{SVG}text"))
        assert all(path.get("stroke") for path in root.iter(f"{SVG}path") if path.get("class") != "band")
    assert files["canary.html"].count(b"canary-check-1.svg") == 1


def test_a_failure_within_a_second_is_at_the_end_of_the_picture() -> None:
    check = CheckRecord("c", "http", "fail", limit=3.0)
    for number in range(5):
        check.series.add(Point(number / 10, "bad", [9.0]))
    found = chart(check, LAYOUTS[""])
    assert found
    (verdict,) = places(found, "verdict")
    assert max(x for x, _ in places(found, "bad")) == pytest.approx(verdict[0], abs=0.1)
    assert found.labels[-1].text == "failed after 0.4s"
