"""What a stage leaves behind: the console's lines and the files in the reports folder."""

from __future__ import annotations

from pathlib import Path

from ecs_pipeline.engine.recorder import Listener


def reports(folder: str | Path, stage: str) -> list[Listener]:
    """All listeners of one stage: JUnit, JSON, HTML and the release's page in `folder`, then the console on stderr.

    The files come first, so that what the console says of a failure is the last thing that is said.
    Nothing is written before the first event. The libraries are imported here: `--help` needs none of them.
    """
    from ecs_pipeline.reports.files import ReportFolder
    from ecs_pipeline.reports.html import HtmlReport
    from ecs_pipeline.reports.json_report import JsonReport
    from ecs_pipeline.reports.junit import JunitReport
    from ecs_pipeline.reports.whole_release import ReleasePage

    files = ReportFolder(Path(folder))
    written = [JunitReport(files, stage), JsonReport(files, stage), HtmlReport(files, stage)]
    return [*written, ReleasePage(files.path), brief_console()]


def brief_console() -> Listener:
    """The console on stderr, which begins with the first call of AWS."""
    from ecs_pipeline.reports.brief import BriefConsole
    from ecs_pipeline.reports.console import ConsoleLog

    return BriefConsole(ConsoleLog())
