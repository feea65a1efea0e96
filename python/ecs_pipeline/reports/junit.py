"""TEST-ecs-pipeline-STAGE.xml: the stage as JUnit, one case a step and one a check.

Valid against junit-10, the schema of Jenkins' JUnit and xUnit plugins. Jenkins shows the `message` of a
failure as "Error Message" and its text as "Stacktrace"; it shows a suite's output under every case, so each
case has its own.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import timezone

from junit_xml import TestCase, TestSuite

from ecs_pipeline.engine.record import ERROR, FAILED, SKIPPED, StageRecord, StepRecord
from ecs_pipeline.reports.cases import Case, canary_tasks, cases
from ecs_pipeline.reports.files import FileReport, ReportFolder
from ecs_pipeline.reports.plain import one_line, plain_lines, shortened

MOST_OUTPUT = 200
"""Lines of progress that a case shows: the last ones."""


class JunitReport(FileReport):
    """Keeps the JUnit file up to date, and remembers what was said during each step."""

    def __init__(self, folder: ReportFolder, stage: str) -> None:
        super().__init__(folder, stage)
        self._output: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=MOST_OUTPUT))

    def progressed(self, record: StageRecord, step: StepRecord | None, text: str) -> None:
        """Something changed: it belongs to the output of the step."""
        if step is not None:
            self._output[step.name].extend(shortened(line) for line in plain_lines(text))
        super().progressed(record, step, text)

    def files(self, record: StageRecord) -> Mapping[str, bytes]:
        """The one file."""
        return {f"TEST-ecs-pipeline-{self.stage}.xml": document(record, self._output)}


def document(record: StageRecord, output: Mapping[str, Sequence[str]]) -> bytes:
    """The JUnit document in UTF-8; `output` are the lines that were said during a step, by its name."""
    name = _text(f"{record.cluster}.{record.service}.{record.stage}")
    suite = TestSuite(
        name,
        [_test_case(case, name, output.get(case.name, ())) for case in cases(record)],
        timestamp=record.started.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
        properties=_properties(record),
    )
    element: ET.Element = suite.build_xml_doc()
    # The schema knows no `disabled`; and as checks run within the bake, the cases' times do not add up.
    del element.attrib["disabled"]
    element.set("time", f"{record.seconds:.3f}")
    ET.indent(element)
    text: bytes = ET.tostring(element, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _test_case(case: Case, classname: str, output: Sequence[str]) -> TestCase:
    lines = [_text(line) for line in (*case.output, *output)]
    result = TestCase(_text(case.name), classname, case.seconds, stdout="\n".join(lines))
    headline = shortened(next(iter(plain_lines(case.message)), ""))
    if case.outcome == FAILED:
        result.add_failure_info(headline, _story(case))
    elif case.outcome == ERROR:
        result.add_error_info(headline, _story(case))
    elif case.outcome == SKIPPED:
        result.add_skipped_info(headline)
    elif case.message:
        result.stdout = "\n".join([headline, *lines])
    return result


def _story(case: Case) -> str:
    """The reason, then the evidence, line by line."""
    lines = [line for text in (case.message, *case.evidence) for line in plain_lines(text)]
    return "\n".join(shortened(line) for line in lines)


def _properties(record: StageRecord) -> dict[str, str]:
    release = record.release
    known = {
        "release": release.id,
        "image": release.image,
        "digest": release.digest,
        "task_definition": release.task_definition,
        "previous_task_definition": release.previous_task_definition,
        "canary_tasks": " ".join(task.arn for task in canary_tasks(record)),
        "cluster": record.cluster,
        "service": record.service,
        "region": record.region,
        "commit": release.commit,
        "build_url": release.build,
        "approved_by": record.approved_by,
        "approval_comment": record.comment,
        "outcome": record.outcome,
        "exit_code": str(record.exit_code),
    }
    return {name: _text(value) for name, value in known.items() if value}


def _text(text: str) -> str:
    return shortened(one_line(text))
