"""The HTML report against Jenkins' policy: sandbox, default-src none, img-src and style-src self."""

import re
from pathlib import Path

import pytest
from lxml import etree, html

from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.html import HtmlReport
from tests.unit.reports import stage_records

HOSTILE = '"><img src=//x onerror=y><style>'
VARIANTS = {**stage_records.ALL, "hostile": lambda: stage_records.filled_with(HOSTILE)}
REFUSED = {"script", "style", "iframe", "frame", "object", "embed", "base", "form", "audio", "video", "a"}


@pytest.fixture(params=VARIANTS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    record = VARIANTS[request.param]()
    HtmlReport(ReportFolder(tmp_path), record.stage).finished(record)
    return tmp_path


def page(folder: Path) -> html.HtmlElement:
    (path,) = folder.glob("*.html")
    return html.document_fromstring(path.read_text(encoding="utf-8"))


def test_the_page_has_no_element_that_the_policy_refuses(folder: Path) -> None:
    assert {one.tag for one in page(folder).iter(etree.Element)} & REFUSED == set()


def test_the_page_has_no_attribute_that_the_policy_refuses(folder: Path) -> None:
    names = {name for one in page(folder).iter(etree.Element) for name in one.attrib}
    assert not names & {"style", "target", "srcdoc", "background", "action"}
    assert not [name for name in names if name.startswith("on")]


def test_the_page_loads_only_files_beside_it(folder: Path) -> None:
    root = page(folder)
    loaded = root.xpath("//@href | //@src | //@srcset")
    assert len(loaded) in (1, 3)
    for name in loaded:
        assert re.fullmatch(r"[a-z]+(-narrow)?\.(css|svg)", name)
        assert (folder / name).is_file()
    assert root.xpath("//meta[@http-equiv]") == []


def test_the_style_sheet_loads_nothing(folder: Path) -> None:
    (path,) = folder.glob("*.css")
    assert not re.search(r"url\(|@import|@font-face|image-set|expression", path.read_text(encoding="utf-8"))


def test_pictures_load_and_run_nothing(folder: Path) -> None:
    pictures = list(folder.glob("*.svg"))
    assert len(pictures) == 2
    for path in pictures:
        root = etree.parse(str(path)).getroot()
        tags = {etree.QName(one).localname for one in root.iter(etree.Element)}
        assert tags <= {"svg", "title", "style", "path", "text", "rect"}
        names = {etree.QName(name).localname for one in root.iter() for name in one.attrib}
        assert not names & {"href", "style", "src"}
        assert not [name for name in names if name.startswith("on")]
        assert "url(" not in path.read_text(encoding="utf-8")
