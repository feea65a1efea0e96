import re
from pathlib import Path

import pytest
from lxml import etree, html

from ecs_pipeline.engine.record import CanaryTaskRecord, StageRecord
from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.html import HtmlReport
from tests.present import present
from tests.unit.reports import stage_records

HOSTILE = "<script>alert(1)</script> ]]> \x1b[31mred\x1b[0m \x00 {{ 7*7 }} \" ' & \U0001f680"
SHOWN = "<script>alert(1)</script> ]]> red  {{ 7*7 }} \" ' & \U0001f680"


def files(record: StageRecord) -> dict[str, bytes]:
    return dict(HtmlReport(ReportFolder(Path("unused")), record.stage).files(record))


def page(record: StageRecord) -> html.HtmlElement:
    return html.document_fromstring(files(record)[f"{record.stage}.html"].decode())


def headings(root: html.HtmlElement) -> list[str]:
    return [heading.text_content() for heading in root.iter("h2")]


def test_files_are_named_after_the_stage_so_that_stages_share_a_folder(tmp_path: Path) -> None:
    for record in (stage_records.passed_canary(), stage_records.promoted()):
        HtmlReport(ReportFolder(tmp_path), record.stage).finished(record)
    of_stages = {f"{stage}{end}" for stage in ("canary", "promote") for end in ("-narrow.svg", ".html", ".svg")}
    assert {path.name for path in tmp_path.iterdir()} == {*of_stages, "index.html", "report.css"}


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("canary passed", "Canary passed"),
        ("canary failed", "Canary failed"),
        ("canary refused", "Canary refused"),
        ("canary killed", "Canary interrupted"),
        ("canary inconclusive", "Canary inconclusive: a person decides"),
        ("promote in trouble", "Promote stopped by trouble"),
        ("rollback passed", "Rollback passed"),
    ],
)
def test_the_headline_says_the_outcome_in_words(name: str, headline: str) -> None:
    root = page(stage_records.ALL[name]())
    assert root.findtext(".//h1") == headline
    assert root.findtext(".//title") == f"{headline} - sample-app-prd/sample-app"


def test_a_failure_comes_first_with_its_step_evidence_and_cure() -> None:
    root = page(stage_records.failed_canary())
    assert headings(root)[0] == "What happened"
    reason = present(root.find(".//section"))
    assert present(reason.find("p")).text_content().startswith("healthy: task 0123456789abcdef")
    assert "container app: exit code 1" in present(reason.findtext("pre"))
    assert reason.findall("p")[-1].text_content() == "What to do: read the container's log, then start again"


def test_a_killed_stage_says_what_was_under_way() -> None:
    reason = present(page(stage_records.killed_canary()).find(".//section")).text_content()
    assert "interrupted during bake" in reason
    assert "the same command resumes" in reason


def test_sections_that_are_empty_are_left_out() -> None:
    everything = stage_records.failed_check()
    everything.notes = ["the service has no health check grace period"]
    all_sections = ["What happened", "Release", "Notes", "Timeline", "Steps", "Checks", "What changed"]
    assert headings(page(everything)) == [*all_sections, "Canary tasks", "End of the log", "Properties"]
    assert headings(page(stage_records.promoted())) == ["Release", "Timeline", "Steps", "Properties"]
    assert headings(page(stage_records.stage("canary", ()))) == ["What happened", "Release", "Properties"]


def test_the_release_is_told() -> None:
    told = present(page(stage_records.promoted()).find(".//dl")).text_content()
    assert "20261123-071500-ab12cd3" in told
    assert "sample-app:41 to sample-app:42" in told
    assert stage_records.DIGEST in told
    assert "2026-11-23 07:15:00 UTC" in told
    assert "6m 40s" in told
    assert "Aki Sato" in told
    assert "checkout errors are the provider's, see OPS-7" in told


def test_checks_show_their_numbers_and_limits() -> None:
    (table,) = page(stage_records.failed_check()).xpath("//table[contains(@class, 'checks')]")
    rows = [[" ".join(cell.text_content().split()) for cell in row] for row in table.iter("tr")]
    assert rows[1][:5] == ["answers http", "failed", "412 ms", "300 ms", "7, 3 failed"]
    assert rows[2][:2] == ["cpu metric, informative", "failed"]
    assert rows[3] == ["5xx alarm", "inconclusive", "", "OK", "1", "1 of at least 3 samples"]
    assert rows[5][1] == "not run"
    assert "no answer within 5s" in rows[1][5]


def test_tasks_show_their_state_and_targets() -> None:
    record = stage_records.passed_canary()
    record.canary.append(CanaryTaskRecord("arn:task/beef", "10.0.1.9", (), "RUNNING", "baseline"))
    (table,) = page(record).xpath("//table[contains(@class, 'tasks')]")
    rows = [[" ".join(cell.text_content().split()) for cell in row] for row in table.iter("tr")]
    assert rows[1] == ["0123456789abcdef0123456789abcdef", "RUNNING, healthy", "10.0.1.17", "sample-app"]
    assert rows[2][0] == "beef baseline"


def test_a_dry_run_says_so() -> None:
    record = stage_records.passed_canary()
    assert "Dry run" not in page(record).text_content()
    record.dry_run = True
    assert "Dry run: nothing was built, pushed or written." in page(record).text_content()


def test_hostile_text_is_shown_as_text() -> None:
    root = page(stage_records.filled_with(HOSTILE))
    assert not list(root.iter("script"))
    assert "49" not in present(root.find(".//pre")).text_content()
    for place in (".//pre", ".//p[@class='message']", ".//dd", ".//td[@class='message']", ".//li"):
        assert SHOWN in present(root.find(place)).text_content(), place


def test_a_line_of_a_megabyte_is_cut() -> None:
    content = files(stage_records.filled_with("x" * 1_000_000))["canary.html"]
    assert len(content) < 300_000
    assert b"998000 more characters" in content


@pytest.mark.parametrize("name", stage_records.ALL)
def test_the_page_is_accessible(name: str) -> None:
    root = page(stage_records.ALL[name]())
    assert root.get("lang") == "en"
    levels = [int(str(heading.tag)[1]) for heading in root.iter("h1", "h2", "h3")]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert all(cell.get("scope") in ("col", "row") for cell in root.iter("th"))
    assert [present(image.get("alt"))[:11] for image in root.iter("img")] == ["Timeline of"]
    assert all(block.get("tabindex") == "0" and block.get("aria-label") for block in root.iter("pre"))


@pytest.mark.parametrize("name", stage_records.ALL)
def test_pictures_are_well_formed_and_readable_without_their_style(name: str) -> None:
    record = stage_records.ALL[name]()
    for picture in ("svg", "-narrow.svg"):
        content = files(record)[f"{record.stage}{'.' if picture == 'svg' else ''}{picture}"]
        root = etree.fromstring(content)
        assert root.get("fill") == "#1c2128"
        space = "{http://www.w3.org/2000/svg}"
        assert present(root.findtext(f"{space}title")).startswith(f"Timeline of {record.stage}")
        assert all(shape.get("fill") for shape in root.iter(f"{space}rect", f"{space}path"))


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_texts_stand_out_from_their_ground(scheme: int) -> None:
    sheet = files(stage_records.passed_canary())["report.css"].decode()
    blocks = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6});", blocks[scheme]))
    assert len(colours) == 9
    for text in ("text", "quiet", "passed", "failed", "warned", "halted"):
        for ground in ("ground", "panel"):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def test_texts_of_a_picture_stand_out_in_both_schemes() -> None:
    picture = files(stage_records.grown_canary())["canary.svg"].decode()
    dark = dict(re.findall(r"^  (\S+) \{ fill: (#\w{6})", picture, re.MULTILINE))
    assert _contrast("#1c2128", "#ffffff") >= 4.5
    assert _contrast("#59616e", "#ffffff") >= 4.5
    assert _contrast(dark["svg"], "#14171c") >= 4.5
    assert _contrast(dark[".quiet"], "#14171c") >= 4.5
