"""The JUnit file against the schema that Jenkins reads."""

from pathlib import Path

import pytest
from lxml import etree

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.junit import document
from tests.present import present
from tests.unit.reports import stage_records

SCHEMA = etree.RelaxNG(etree.parse(str(Path(__file__).with_name("junit.rng"))))
HOSTILE = [
    "<script>]]></failure>&#0;&amp;",
    "\x00\x01\x08\x0b\x0c\x1b[31m\x7f\x9f\ufffe\uffff\ud800",
    "line\r\nline\rline\x85line\u2028line",
    "\U0001f680 日本語 {{ 7*7 }}",
    "",
]


def valid(record: StageRecord) -> etree._Element:
    root = etree.fromstring(document(record, {step.name: [step.message] for step in record.steps}))
    SCHEMA.assertValid(root)
    return root


@pytest.mark.parametrize("name", stage_records.ALL)
def test_every_variant_is_valid(name: str) -> None:
    root = valid(stage_records.ALL[name]())
    counted = {tag: len(root.findall(f"testcase/{tag}")) for tag in ("failure", "error", "skipped")}
    assert counted == {
        "failure": int(present(root.get("failures"))),
        "error": int(present(root.get("errors"))),
        "skipped": int(present(root.get("skipped"))),
    }
    assert len(root.findall("testcase")) == int(present(root.get("tests")))


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_valid(text: str) -> None:
    valid(stage_records.filled_with(text))


@pytest.mark.parametrize("seconds", [0.0, 1e-7, 0.1 + 0.2, 1234567.891])
def test_any_time_is_valid(seconds: float) -> None:
    record = stage_records.passed_canary()
    record.seconds = record.step("image").seconds = record.checks[0].seconds = seconds
    assert float(present(valid(record).get("time"))) == pytest.approx(seconds, abs=0.001)


@pytest.mark.parametrize("name", stage_records.ALL)
def test_case_names_are_the_steps_and_checks_whatever_the_outcome(name: str) -> None:
    record = stage_records.ALL[name]()
    names = [present(case.get("name")) for case in valid(record).findall("testcase")]
    expected = [step.name for step in record.steps] + [f"check: {check.name}" for check in record.checks]
    assert sorted(names) == sorted(expected)


@pytest.mark.parametrize(
    "invalid",
    [
        "<testsuite name='a' tests='1' failures='0'/>",
        "<testsuite name='a' tests='1' failures='0' errors='0' disabled='0'/>",
        "<testsuite name='a' tests='1' failures='0' errors='0' time='1e-05'/>",
        "<testsuite name='a' tests='1' failures='0' errors='0'><testcase/></testsuite>",
        "<testsuite name='' tests='0' failures='0' errors='0'><testcase name=''><b/></testcase></testsuite>",
    ],
)
def test_the_schema_refuses_what_jenkins_does_not_know(invalid: str) -> None:
    assert not SCHEMA.validate(etree.fromstring(invalid))
