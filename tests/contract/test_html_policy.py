"""The HTML report against Jenkins' policy: sandbox, default-src none, img-src and style-src self."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree, html

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.html import HtmlReport
from ecs_pipeline.reports.json_report import JsonReport
from tests.unit.reports import judged_checks, stage_records

HOSTILE = '"><img src=//x onerror=y><style>'
VARIANTS: dict[str, Callable[[], StageRecord]] = {
    **stage_records.ALL,
    "every kind of check": judged_checks.whole_canary,
    "hostile": lambda: stage_records.filled_with(HOSTILE),
}
REFUSED = {"script", "style", "iframe", "frame", "object", "embed", "base", "form", "audio", "video", "a"}


@pytest.fixture(params=VARIANTS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The reports of a stage, in a folder that has those of another stage of the same release."""
    record = VARIANTS[request.param]()
    before = stage_records.filled_with(HOSTILE)
    before.stage, before.cluster, before.service = "judge", record.cluster, record.service
    before.release.id = record.release.id
    for stage in (before, record):
        JsonReport(ReportFolder(tmp_path), stage.stage).finished(stage)
        HtmlReport(ReportFolder(tmp_path), stage.stage).finished(stage)
    return tmp_path


@pytest.fixture(params=["STAGE.html", "index.html"])
def root(request: pytest.FixtureRequest, folder: Path) -> html.HtmlElement:
    """A page of the reports."""
    (own,) = (path for path in folder.glob("*.html") if path.stem not in ("index", "judge"))
    path = own if request.param == "STAGE.html" else folder / "index.html"
    return html.document_fromstring(path.read_text(encoding="utf-8"))


def test_the_index_has_the_earlier_stage_too(folder: Path) -> None:
    whole = html.document_fromstring((folder / "index.html").read_text(encoding="utf-8"))
    assert whole.xpath("//article/h2/text()") == ["Judge failed"]


def test_the_page_has_no_element_that_the_policy_refuses(root: html.HtmlElement) -> None:
    assert {element.tag for element in root.iter(etree.Element)} & REFUSED == set()


def test_the_page_has_no_attribute_that_the_policy_refuses(root: html.HtmlElement) -> None:
    names = {name for element in root.iter(etree.Element) for name in element.attrib}
    assert not names & {"style", "target", "srcdoc", "background", "action"}
    assert not [name for name in names if name.startswith("on")]


def test_the_page_loads_only_files_beside_it(folder: Path, root: html.HtmlElement) -> None:
    loaded = root.xpath("//@href | //@src | //@srcset")
    assert len(loaded) >= 1
    for name in loaded:
        assert re.fullmatch(r"[a-z]+(-check-\d+)?(-narrow)?\.(css|svg)", name)
        assert (folder / name).is_file()
    assert root.xpath("//meta[@http-equiv]") == []


def test_the_style_sheet_loads_nothing(folder: Path) -> None:
    (path,) = folder.glob("*.css")
    assert not re.search(r"url\(|@import|@font-face|image-set|expression", path.read_text(encoding="utf-8"))


def test_pictures_load_and_run_nothing(folder: Path) -> None:
    pictures = list(folder.glob("*.svg"))
    assert len(pictures) >= 4
    for path in pictures:
        root = etree.parse(str(path)).getroot()
        tags = {etree.QName(element).localname for element in root.iter(etree.Element)}
        assert tags <= {"svg", "title", "style", "path", "text", "rect"}
        names = {etree.QName(name).localname for element in root.iter() for name in element.attrib}
        assert not names & {"href", "style", "src"}
        assert not [name for name in names if name.startswith("on")]
        assert "url(" not in path.read_text(encoding="utf-8")
