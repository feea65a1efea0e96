"""release.html: one page for all stages of a release, from several folders; it keeps to Jenkins' policy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lxml import etree, html

from ecs_pipeline.engine.record import StageRecord
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.reports import stage_records
from tests.unit.reports.release_pages import written

HOSTILE = '"><img src=//x onerror=y><style>'


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def page(folder: str = "whole") -> html.HtmlElement:
    return html.document_fromstring((Path(folder) / "release.html").read_text(encoding="utf-8"))


def headings() -> list[str]:
    return [heading.text_content() for heading in page().iter("h2")]


def approved() -> StageRecord:
    record = stage_records.promoted()
    record.approved_by, record.comment = "Jane Doe", "numbers look good"
    return record


def test_stages_of_several_folders_are_one_page_in_the_order_of_time(run: Commands) -> None:
    written(Path("a"), stage_records.passed_canary())
    written(Path("b"), approved(), after=900)
    end = run("report", "b", "a", "--reports", "whole")
    assert (end.code, end.err) == (0, "")
    release = stage_records.promoted().release.id
    assert end.out == f"whole/release.html: release {release}: canary passed, promote passed\n"
    assert headings() == ["Canary passed", "Approved", "Promote passed"]
    assert page().findtext(".//h1") == f"Release {release}: Promote passed"
    assert "Jane Doe" in page().text_content()
    assert "numbers look good" in page().text_content()


def test_the_last_run_of_a_stage_counts(run: Commands) -> None:
    written(Path("a"), stage_records.failed_check())
    written(Path("b"), stage_records.passed_canary(), after=900)
    run("report", "a", "b", "--reports", "whole")
    assert headings() == ["Canary passed"]


def test_another_release_is_left_out_and_told(run: Commands) -> None:
    other = stage_records.passed_canary()
    other.release.id = "an-older-one"
    written(Path("a"), other)
    written(Path("b"), stage_records.promoted(), after=900)
    end = run("report", "a", "b", "--reports", "whole")
    assert end.out.splitlines()[1].startswith("left out release an-older-one: ")
    assert headings() == ["Approved", "Promote passed"]


def test_the_page_may_be_written_where_the_stages_wrote(run: Commands) -> None:
    written(Path("ecs-pipeline-reports"), stage_records.passed_canary())
    assert run("report", "ecs-pipeline-reports").code == 0
    assert page("ecs-pipeline-reports").xpath("//img/@src") == ["canary.svg"]


def test_json_names_the_page_and_the_stages(run: Commands) -> None:
    record = written(Path("a"), stage_records.passed_canary())
    end = run("report", "a", "--reports", "whole", "--output", "json")
    assert json.loads(end.out) == {
        "page": "whole/release.html",
        "release": record.release.id,
        "stages": [{"stage": "canary", "outcome": "passed", "exit_code": 0}],
        "notes": [],
    }


def test_a_folder_without_reports_is_bad_input(run: Commands) -> None:
    end = run("report", "nowhere", "--reports", "whole")
    assert (end.code, end.out) == (2, "")
    assert end.err.startswith("ecs-pipeline: no report of a release in nowhere; ")
    assert not Path("whole").exists()


def test_a_picture_that_is_a_link_is_not_followed(run: Commands) -> None:
    written(Path("a"), stage_records.passed_canary())
    Path("secret").write_text("very-secret")
    Path("a/canary.svg").unlink()
    Path("a/canary.svg").symlink_to(Path("secret").resolve())
    assert run("report", "a", "--reports", "whole").code == 0
    assert page().xpath("//img") == []
    assert {file.name for file in Path("whole").iterdir()} == {"release.html", "report.css"}


def test_the_page_keeps_to_the_policy_of_jenkins(run: Commands) -> None:
    written(Path("a"), stage_records.filled_with(HOSTILE))
    assert run("report", "a", "--reports", "whole").code == 0
    root = page()
    assert {element.tag for element in root.iter(etree.Element)} & {"script", "style", "iframe", "a", "form"} == set()
    names = {name for element in root.iter(etree.Element) for name in element.attrib}
    assert not [name for name in names if name.startswith("on") or name in ("style", "srcdoc")]
    for name in root.xpath("//@href | //@src | //@srcset"):
        assert re.fullmatch(r"[a-z]+(-narrow)?\.(css|svg)", name)
        assert (Path("whole") / name).is_file()


V2 = ("--image", f"{REGISTRY}/web:v2", "--release", "v2")


def test_each_stage_keeps_the_page_of_the_release_up_to_date(run: Commands) -> None:
    run.world = World(images={"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")})
    assert run("canary", *NAMED, *V2).code == 0
    assert [heading.text_content() for heading in page("ecs-pipeline-reports").iter("h2")] == ["Canary passed"]
    assert run("promote", *NAMED, "--approved-by", "jane").code == 0
    found = page("ecs-pipeline-reports")
    assert found.findtext(".//h1") == "Release v2: Promote passed"
    assert [heading.text_content() for heading in found.iter("h2")] == ["Canary passed", "Approved", "Promote passed"]


def test_a_stage_that_is_killed_is_never_told_as_the_one_before_it(run: Commands) -> None:
    run.world = World(images={"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")})
    run("canary", *NAMED, *V2)

    def look_at_the_page(when: str, call: str, _write: bool) -> None:  # noqa: FBT001
        if (when, call) == ("before", "UpdateService"):
            found.append(page("ecs-pipeline-reports").findtext(".//h1"))

    found: list[str | None] = []
    run.world.hook = look_at_the_page
    assert run("promote", *NAMED).code == 0
    assert found == ["Release v2: Promote interrupted"]


def test_a_page_that_cannot_be_written_fails_no_stage(run: Commands) -> None:
    run.world = World(images={"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")})
    (Path("ecs-pipeline-reports") / "release.html").mkdir(parents=True)
    assert run("canary", *NAMED, *V2).code == 0
    assert report("canary")["outcome"] == "passed"
