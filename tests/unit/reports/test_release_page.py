"""index.html: the newest stage of the release, and below it the earlier ones, read back from their STAGE.json."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import html

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.earlier import LARGEST, earlier_stages
from tests.present import present
from tests.unit.reports import stage_records
from tests.unit.reports.release_pages import written


def index(folder: Path) -> html.HtmlElement:
    return html.document_fromstring((folder / "index.html").read_text(encoding="utf-8"))


def test_the_first_stage_is_the_whole_page(tmp_path: Path) -> None:
    written(tmp_path, stage_records.passed_canary())
    assert (tmp_path / "index.html").read_bytes() == (tmp_path / "canary.html").read_bytes()


def test_the_page_begins_with_the_newest_stage_and_goes_back_in_time(tmp_path: Path) -> None:
    written(tmp_path, stage_records.passed_canary())
    written(tmp_path, stage_records.troubled_promote(), after=900)
    written(tmp_path, stage_records.rolled_back(), after=1800)
    root = index(tmp_path)
    assert root.findtext(".//h1") == "Rollback passed"
    assert root.xpath("//article/h2/text()") == ["Promote stopped by trouble", "Canary passed"]
    own = html.document_fromstring((tmp_path / "rollback.html").read_text(encoding="utf-8"))
    assert own.xpath("//article") == []


def test_an_earlier_stage_shows_what_happened_its_timeline_checks_and_steps(tmp_path: Path) -> None:
    written(tmp_path, stage_records.failed_check())
    written(tmp_path, stage_records.rolled_back(), after=900)
    (article,) = index(tmp_path).iter("article")
    headings = [heading.text_content() for heading in article.iter("h3")]
    assert headings == ["What happened", "Timeline", "Checks", "Steps"]
    assert "check answers failed: 3 of 5 samples" in present(article.find(".//p[@class='message']")).text_content()
    assert "service event: steady state" in present(article.findtext(".//pre"))
    assert article.xpath(".//img/@src") == ["canary.svg"]
    rows = [[" ".join(cell.text_content().split()) for cell in row] for row in article.iter("tr")]
    assert rows[1][:5] == ["answers http", "failed", "412 ms", "300 ms", "7, 3 failed"]
    assert rows[2][0] == "cpu metric, informative"


def test_a_stage_without_its_picture_is_shown_without(tmp_path: Path) -> None:
    written(tmp_path, stage_records.passed_canary())
    (tmp_path / "canary-narrow.svg").unlink()
    written(tmp_path, stage_records.promoted(), after=900)
    assert index(tmp_path).xpath("//article//img") == []


def _other_release(record: StageRecord) -> None:
    record.release.id = "20261122-180000-9f00aa1"


def _other_service(record: StageRecord) -> None:
    record.service = "other"


def _other_cluster(record: StageRecord) -> None:
    record.cluster = "other"


def _no_release(record: StageRecord) -> None:
    record.release.id = ""


@pytest.mark.parametrize("change", [_other_release, _other_service, _other_cluster, _no_release])
def test_only_stages_of_the_same_release_of_the_same_service_are_shown(
    tmp_path: Path, change: Callable[[StageRecord], None]
) -> None:
    record = stage_records.passed_canary()
    change(record)
    written(tmp_path, record)
    written(tmp_path, stage_records.promoted(), after=900)
    assert list(index(tmp_path).iter("article")) == []


def test_a_stage_that_knows_no_release_shows_itself_alone(tmp_path: Path) -> None:
    written(tmp_path, stage_records.passed_canary())
    record = stage_records.promoted()
    record.release.id = ""
    written(tmp_path, record, after=900)
    assert list(index(tmp_path).iter("article")) == []


# ---- the folder is the workspace's: what lies in it need not be ours


def _is_link(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


def _is_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _changed(**members: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **members}))

    return change


@pytest.mark.parametrize(
    "harm",
    [
        _is_link,
        _is_pipe,
        lambda path: path.write_text("no JSON"),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text(path.read_text() + " " * LARGEST),
        lambda path: path.rename(path.with_name("Other-1.json")),
        lambda path: path.rename(path.with_name("judge.json")),
        _changed(started="yesterday"),
        _changed(steps=[{"name": 7}]),
        _changed(release=None),
    ],
)
def test_a_file_that_is_no_report_is_passed_over(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    written(tmp_path, stage_records.passed_canary())
    assert len(earlier_stages(tmp_path, stage_records.promoted())) == 1
    harm(tmp_path / "canary.json")
    assert earlier_stages(tmp_path, stage_records.promoted()) == []


def test_times_without_a_zone_are_put_in_order_with_others(tmp_path: Path) -> None:
    written(tmp_path, stage_records.passed_canary())
    _changed(started="2026-11-23T07:15:00")(tmp_path / "canary.json")
    written(tmp_path, stage_records.rolled_back(), after=900)
    stages = earlier_stages(tmp_path, stage_records.promoted())
    assert [stage.stage for stage in stages] == ["rollback", "canary"]
