import json
import os
import subprocess
import sys
from pathlib import Path

from lxml import etree, html

from ecs_pipeline.reports import reports

IMPORT = """
import sys
import ecs_pipeline.reports
print(sorted({"rich", "jinja2", "junit_xml", "tenacity", "botocore"} & set(sys.modules)))
"""

KILLED = """
import os, signal, sys
from ecs_pipeline.timing.clock import SystemClock
from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.reports import reports
clock = SystemClock()
steps = [StepRecord(name) for name in ("preflight", "healthy", "bake")]
record = StageRecord("canary", "c", "s", "ap-northeast-1", clock.wall(), steps)
recorder = Recorder(record, clock, reports(sys.argv[1], "canary"))
with recorder.step("preflight"):
    pass
with recorder.step("healthy"):
    recorder.progress("0 of 1 targets healthy")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_importing_the_reports_imports_no_library() -> None:
    command = [sys.executable, "-c", IMPORT]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert ended.stdout.strip() == "[]"


def test_files_are_written_before_the_console_speaks(tmp_path: Path) -> None:
    names = [type(report).__name__ for report in reports(tmp_path, "canary")]
    assert names == ["JunitReport", "JsonReport", "HtmlReport", "ReleasePage", "BriefConsole"]
    assert not list(tmp_path.iterdir())


def test_a_killed_stage_leaves_reports_that_say_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert ended.returncode == -9

    junit = etree.parse(os.fspath(tmp_path / "TEST-ecs-pipeline-canary.xml"))
    (error,) = junit.xpath("//testcase[@name='healthy']/error")
    assert error.get("message") == "interrupted"
    assert junit.xpath("//testcase[@name='healthy']/system-out/text()") == ["0 of 1 targets healthy"]
    assert junit.xpath("//testcase[@name='bake']/skipped/@message") == ["not reached"]

    result = json.loads((tmp_path / "canary.json").read_text(encoding="utf-8"))
    assert (result["outcome"], result["exit_code"]) == ("interrupted", 143)
    assert result["steps"][1] | {"seconds": 0} == {
        "name": "healthy", "outcome": "error", "seconds": 0, "message": "interrupted"
    }  # fmt: skip

    page = html.document_fromstring((tmp_path / "canary.html").read_text(encoding="utf-8"))
    assert page.findtext(".//h1") == "Canary interrupted"
    assert not [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"]
