"""STAGE.html and index.html with their style sheet and pictures: pages for people.

index.html is the page of the release: the newest stage as its own page has it, and the earlier stages below.

Jenkins serves it under `sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'`:
no script, no inline style, no data: image. So the style sheet and the timeline are files beside the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

import ecs_pipeline
from ecs_pipeline.engine.record import (
    ERROR,
    FAILED,
    INTERRUPTED,
    PASSED,
    CheckRecord,
    ReleaseRecord,
    StageRecord,
    measured,
)
from ecs_pipeline.model.release import FAIL, INCONCLUSIVE, PASS
from ecs_pipeline.reports.cases import culprit, cure, evidence, reason, step_cases, unjudged
from ecs_pipeline.reports.charts import LAYOUTS, chart, chart_in_words
from ecs_pipeline.reports.earlier import EarlierCheck, EarlierStage, Picture, earlier_stages, picture_of
from ecs_pipeline.reports.files import FileReport, ReportFolder
from ecs_pipeline.reports.plain import one_line, plain_lines, shortened
from ecs_pipeline.reports.timeline import NARROW, WIDE, drawing, in_words
from ecs_pipeline.timing.wait import duration

TEMPLATES, STYLE, INDEX = "templates", "report.css", "index.html"
REFUSED = "refused"
HEADLINES = {ERROR: "stopped by trouble", INCONCLUSIVE: "inconclusive: a person decides"}
"""Outcomes that need more words than their own."""

TONES = (PASSED, FAILED, ERROR, REFUSED, INCONCLUSIVE, INTERRUPTED)
"""Outcomes that the style sheet has a colour for."""


class HtmlReport(FileReport):
    """Keeps STAGE.html, index.html, report.css and the pictures, each with a narrow one for phones, up to date."""

    def __init__(self, folder: ReportFolder, stage: str) -> None:
        super().__init__(folder, stage)
        self._earlier: dict[str, list[EarlierStage]] = {}

    def files(self, record: StageRecord) -> Mapping[str, bytes]:
        """The pages last, so that what they link to is there."""
        alternative = in_words(record)
        files = {
            STYLE: style_sheet(),
            f"{self.stage}.svg": render("timeline.svg", drawing=drawing(record, WIDE), alternative=alternative),
            f"{self.stage}-narrow.svg": render(
                "timeline.svg", drawing=drawing(record, NARROW), alternative=alternative
            ),
        }
        for number, check in enumerate(record.checks, start=1):
            for end, layout in LAYOUTS.items():
                found = chart(check, layout)
                if found:
                    name = f"{picture_of(self.stage, number)}{end}.svg"
                    files[name] = render("check.svg", chart=found, alternative=chart_in_words(check))
        page, earlier = _page(record, alternative), self._stages_before(record)
        own = render("report.html", **page, earlier=())
        index = render("report.html", **page, earlier=earlier) if earlier else own
        return {**files, f"{self.stage}.html": own, INDEX: index}

    def _stages_before(self, record: StageRecord) -> list[EarlierStage]:
        """The earlier stages of the release; they are over, so they are read once."""
        release = record.release.id
        if release not in self._earlier:
            self._earlier = {release: earlier_stages(self._folder.path, record)}
        return self._earlier[release]


def _page(record: StageRecord, alternative: str) -> dict[str, Any]:
    """What the template shows; sections that are empty are left out there."""
    ended = culprit(record)
    return {
        "style": STYLE,
        "record": record,
        "release": record.release,
        "revisions": _revisions(record.release),
        "reason": reason(record),
        "cure": cure(record),
        "where": ended.name if ended else "",
        "evidence": _lines(evidence(record)),
        "steps": step_cases(record),
        "pictures": _pictures(record),
        "begun": any(step.started for step in record.steps),
        "alternative": alternative,
        "changes": _lines(record.changes),
        "log_tail": _lines(record.log_tail),
        "properties": _properties(record),
    }


def _pictures(record: StageRecord) -> dict[int, Picture]:
    """Of the checks that have samples, by the check's number in the table."""
    return {
        number: Picture(picture_of(record.stage, number + 1), chart_in_words(check))
        for number, check in enumerate(record.checks)
        if check.series.until_now()
    }


def _tone(stage: StageRecord | EarlierStage) -> str:
    """The class that the style sheet has a colour for."""
    return stage.outcome if stage.outcome in TONES else PASSED if stage.exit_code == 0 else ERROR


def _headline(stage: StageRecord | EarlierStage) -> str:
    return f"{stage.stage.capitalize()} {HEADLINES.get(stage.outcome, stage.outcome)}"


def _revisions(release: ReleaseRecord) -> list[str]:
    """From and to, those that are known."""
    arns = (release.previous_task_definition, release.task_definition)
    return [_last_part(arn) for arn in arns if arn]


def _properties(record: StageRecord) -> dict[str, str]:
    release = record.release
    known = {
        "Cluster": record.cluster,
        "Service": record.service,
        "Region": record.region,
        "Image": release.image,
        "Revision": release.task_definition,
        "Previous revision": release.previous_task_definition,
        "Commit": release.commit,
        "Build": release.build,
        "Outcome": f"{record.outcome}, exit code {record.exit_code}",
        "AWS calls": str(record.aws_calls),
        "Waited": duration(record.waited_seconds),
        "Version": f"ecs-pipeline {ecs_pipeline.__version__}",
    }
    return {name: value for name, value in known.items() if value}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ecs_pipeline.reports", TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": duration,
        "moment": _moment,
        "last_part": _last_part,
        "target_group": _target_group,
        "measured": measured,
        "verdict": _verdict,
        "tone": _tone,
        "headline": _headline,
    }
    return environment


def render(template: str, **values: Any) -> bytes:
    """A page or picture from its template, in UTF-8; every value is made harmless."""
    return _environment().get_template(template).render(values).encode()


@cache
def style_sheet() -> bytes:
    """The one style sheet of all pages."""
    return resources.files("ecs_pipeline.reports").joinpath(f"{TEMPLATES}/report.css").read_bytes()


def _clean(value: Any) -> Any:
    """Every value that a template prints passes here: harmless text, and not without end.

    Markup is what a macro of ours has printed: its values have passed here.
    """
    return shortened(one_line(value)) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(texts: list[str] | tuple[str, ...]) -> list[str]:
    return [line for text in texts for line in plain_lines(text)]


def _moment(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def _last_part(arn: str) -> str:
    return arn.rpartition("/")[2]


def _target_group(arn: str) -> str:
    """The name in arn:…:targetgroup/NAME/ID."""
    parts = arn.split("/")
    return parts[1] if len(parts) > 1 else arn


def _verdict(check: CheckRecord | EarlierCheck) -> str:
    words = {PASS: PASSED, FAIL: FAILED, "": unjudged(check.samples)}
    return words.get(check.verdict, check.verdict)
