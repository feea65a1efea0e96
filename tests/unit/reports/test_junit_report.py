from pathlib import Path

from lxml import etree

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.files import ReportFolder
from ecs_pipeline.reports.junit import MOST_OUTPUT, JunitReport, document
from tests.present import present
from tests.unit.reports import stage_records


def suite(record: StageRecord) -> etree._Element:
    return etree.fromstring(document(record, {}))


def case(root: etree._Element, name: str) -> etree._Element:
    (found,) = (element for element in root.iterfind("testcase") if element.get("name") == name)
    return found


def test_the_suite_is_named_after_the_service_and_counts_its_cases() -> None:
    root = suite(stage_records.failed_check())
    assert root.get("name") == "sample-app-prd.sample-app.canary"
    assert {case.get("classname") for case in root.iter("testcase")} == {"sample-app-prd.sample-app.canary"}
    counts = {name: int(present(root.get(name))) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 13, "failures": 1, "errors": 0, "skipped": 2}


def test_times_are_real_and_the_checks_are_not_added_to_the_bake() -> None:
    root = suite(stage_records.passed_canary())
    assert (root.get("timestamp"), root.get("time")) == ("2026-11-23T07:15:00", "381.400")
    assert float(present(case(root, "image").get("time"))) == 38.2


def test_properties_name_what_is_known() -> None:
    root = suite(stage_records.passed_canary())
    properties = {member.get("name"): member.get("value") for member in root.iter("property")}
    assert properties["release"] == "20261123-071500-ab12cd3"
    assert present(properties["task_definition"]).endswith("task-definition/sample-app:42")
    assert present(properties["previous_task_definition"]).endswith("task-definition/sample-app:41")
    assert present(properties["canary_tasks"]).endswith("task/sample-app-prd/0123456789abcdef0123456789abcdef")
    assert properties["digest"] == stage_records.DIGEST
    assert present(properties["image"]).endswith(stage_records.DIGEST)
    assert (properties["commit"], properties["region"]) == ("ab12cd3", "ap-northeast-1")
    assert (properties["cluster"], properties["service"]) == ("sample-app-prd", "sample-app")
    assert properties["build_url"] == "https://jenkins.example.com/job/sample-app/42/"
    assert (properties["outcome"], properties["exit_code"]) == ("passed", "0")


def test_properties_leave_out_what_is_not_known() -> None:
    names = {member.get("name") for member in suite(stage_records.refused_canary()).iter("property")}
    assert not names & {"image", "digest", "task_definition", "canary_tasks"}


def test_a_failure_has_the_reason_first_and_then_the_evidence() -> None:
    record = stage_records.failed_canary()
    record.step("healthy").message = "not healthy\nand more of it"
    (failure,) = case(suite(record), "healthy").iter("failure")
    assert failure.get("message") == "not healthy"
    lines = present(failure.text).splitlines()
    assert lines[:2] == ["not healthy", "and more of it"]
    assert lines[2] == "stopped reason: Essential container in task exited"
    assert lines[-1] == "log: KeyError: 'SAMPLE_APP_QUEUE'"


def test_trouble_is_an_error_and_no_failure() -> None:
    update = case(suite(stage_records.troubled_promote()), "service-update")
    assert [child.tag for child in update] == ["error"]


def test_an_interrupted_step_is_an_error_that_says_so() -> None:
    for record in (stage_records.killed_canary(), stage_records.interrupted_canary()):
        (error,) = case(suite(record), "bake").iter("error")
        assert present(error.get("message")).startswith("interrupted")


def test_checks_map_to_passed_failed_and_skipped() -> None:
    root = suite(stage_records.failed_check())
    assert [child.tag for child in case(root, "check: answers")] == ["failure"]
    assert present(case(root, "check: 5xx").find("skipped")).get("message") == "inconclusive: 1 of at least 3 samples"
    assert present(case(root, "check: smoke").find("skipped")).get("message") == "not run"
    informative = case(root, "check: cpu")
    assert [child.tag for child in informative] == ["system-out"]
    output = present(informative.findtext("system-out")).splitlines()
    assert output == [
        "failed, but informative: 91.2 % at 07:41:00, more than 80 %",
        "5 samples, 3 failed, value 91.2 %, limit 80 %",
    ]
    assert case(root, "check: errors").findtext("system-out") == "6 samples, 0 failed, value 0 lines, limit 0 lines"


def test_progress_belongs_to_its_step_and_only_the_last_lines_of_it(tmp_path: Path) -> None:
    record = stage_records.killed_canary()
    report = JunitReport(ReportFolder(tmp_path), "canary")
    for number in range(MOST_OUTPUT + 5):
        report.progressed(record, record.step("bake"), f"look {number}")
    report.progressed(record, record.step("image"), "layer 1\nlayer 2")
    report.progressed(record, None, "between the steps")
    report.step_ended(record, record.step("image"))

    text = (tmp_path / "TEST-ecs-pipeline-canary.xml").read_text(encoding="utf-8")
    root = etree.fromstring(text.encode())
    output = present(case(root, "bake").findtext("system-out")).splitlines()
    assert (output[0], output[-1], len(output)) == ("look 5", f"look {MOST_OUTPUT + 4}", MOST_OUTPUT)
    assert case(root, "image").findtext("system-out") == "built and pushed\nlayer 1\nlayer 2"
    assert "between the steps" not in text


def test_hostile_text_is_text() -> None:
    root = suite(stage_records.filled_with("<script>]]>&amp;\x1b[31m{{ 7*7 }}\x00\U0001f680"))
    (failure,) = case(root, "traffic").iter("failure")
    assert failure.get("message") == "<script>]]>&amp;{{ 7*7 }}\U0001f680"
    assert present(failure.text).splitlines() == [failure.get("message")] * 2


def test_a_line_of_a_megabyte_does_not_make_a_file_of_megabytes() -> None:
    assert len(document(stage_records.filled_with("x" * 1_000_000), {})) < 200_000
