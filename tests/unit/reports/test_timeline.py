from datetime import timedelta

import pytest

from ecs_pipeline.engine.record import StageRecord, TrafficPoint
from ecs_pipeline.reports.timeline import (
    LABEL_ROOM,
    LEAST_BAR,
    NARROW,
    TRAFFIC,
    WIDE,
    Layout,
    drawing,
    in_words,
)
from tests.unit.reports import stage_records


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("name", stage_records.ALL)
def test_everything_is_within_the_picture(name: str, layout: Layout) -> None:
    picture = drawing(stage_records.ALL[name](), layout)
    end = layout.left + layout.room
    assert all(layout.left <= bar.x and bar.x + bar.width <= end + 0.1 for bar in picture.bars)
    assert all(layout.left <= label.x <= end for label in (*picture.ticks, *picture.shares))
    assert all(0 < label.y <= picture.height for label in (*picture.ticks, *picture.shares))
    assert 1 <= len(picture.ticks) <= layout.ticks + 1


def test_bars_follow_one_another_and_are_as_long_as_their_steps() -> None:
    picture = drawing(stage_records.passed_canary(), WIDE)
    by_name = {bar.name: bar for bar in picture.bars}
    assert list(by_name) == list(stage_records.CANARY_STEPS[:7])
    assert by_name["image"].width == pytest.approx(38.2 / 381.4 * WIDE.room)
    assert by_name["image"].x == pytest.approx(WIDE.left + 1.3 / 381.4 * WIDE.room)
    assert by_name["task-definition"].width == LEAST_BAR
    assert by_name["bake"].detail == "5m"


def test_a_bar_that_did_not_pass_says_so_in_words() -> None:
    details = {bar.name: bar.detail for bar in drawing(stage_records.failed_canary(), WIDE).bars}
    assert details["healthy"] == "13s failed"
    assert drawing(stage_records.killed_canary(), WIDE).bars[-1].detail == "interrupted"


def test_a_step_under_way_lasts_until_now() -> None:
    bar = drawing(stage_records.killed_canary(), WIDE).bars[-1]
    assert bar.x + bar.width == pytest.approx(WIDE.left + WIDE.room)


def test_the_share_is_a_stepped_area_over_the_same_time() -> None:
    record = stage_records.grown_canary()
    picture = drawing(record, WIDE)
    assert [label.text for label in picture.shares] == ["25 %", "40 %", "50 %"]
    assert picture.area.endswith(f"H{WIDE.left + WIDE.room:.1f}V{picture.axis:.1f}Z")
    highest = picture.axis - 50 * TRAFFIC / 60
    assert f"V{highest:.1f}" in picture.area


def test_a_share_beyond_the_hundred_or_before_the_start_does_not_break_the_picture() -> None:
    record = stage_records.passed_canary()
    record.traffic = [TrafficPoint(record.started - timedelta(seconds=5), 2, 0)]
    picture = drawing(record, NARROW)
    assert [label.text for label in picture.shares] == ["100 %"]
    assert picture.area.startswith("M0.0 ")


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_a_share_that_ends_the_picture_needs_no_label_of_its_own(layout: Layout) -> None:
    record = stage_records.promoted()
    record.traffic[-1] = TrafficPoint(stage_records.moment(record.seconds), 0, 3)
    assert [label.text for label in drawing(record, layout).shares] == ["25 %"]


@pytest.mark.parametrize("layout", [WIDE, NARROW])
def test_the_first_share_is_labelled_wherever_it_begins(layout: Layout) -> None:
    record = stage_records.promoted()
    record.traffic = [TrafficPoint(stage_records.moment(record.seconds), 1, 3)]
    (label,) = drawing(record, layout).shares
    assert (label.text, label.x) == ("25 %", layout.left + layout.room - LABEL_ROOM)


@pytest.mark.parametrize("layout", [WIDE, NARROW])
@pytest.mark.parametrize("name", stage_records.ALL)
def test_no_line_of_the_grid_crosses_the_label_of_a_share(name: str, layout: Layout) -> None:
    picture = drawing(stage_records.ALL[name](), layout)
    assert all(label.y - 12 > picture.grid and label.y < picture.axis - 4 for label in picture.shares)


def test_without_traffic_there_is_no_area() -> None:
    record = stage_records.refused_canary()
    record.traffic = [TrafficPoint(record.started, 0, 3)]
    picture = drawing(record, WIDE)
    assert (picture.area, picture.shares) == ("", ())
    assert "traffic" not in in_words(record)


@pytest.mark.parametrize("seconds", [0.0, 0.4, 59.0, 3600.0, 40 * 86400.0])
def test_any_length_of_stage_has_readable_ticks(seconds: float) -> None:
    record = stage_records.stage("canary", ("preflight",))
    stage_records.passed(record, ("preflight", seconds, ""))
    assert len(drawing(record, NARROW).ticks) <= 5
    assert drawing(record, NARROW).ticks[0].text == "0s"


def test_a_stage_that_has_not_begun_is_an_empty_picture() -> None:
    record: StageRecord = stage_records.stage("canary", stage_records.CANARY_STEPS)
    assert drawing(record, WIDE).bars == ()


def test_the_same_in_words() -> None:
    assert in_words(stage_records.rolled_back()) == (
        "Timeline of rollback, 1m 5s in all: preflight 1.2s, drain 1m, cleanup 3.1s, deregister 0.4s. "
        "The canary's share of the traffic: 25 % after 0.5s, 0 % after 1.9s."
    )
