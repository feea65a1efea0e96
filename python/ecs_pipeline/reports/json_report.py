"""STAGE.json: the result of a stage for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import ecs_pipeline
from ecs_pipeline.engine.check_series import Point, Values
from ecs_pipeline.engine.record import CheckRecord, ReleaseRecord, StageRecord
from ecs_pipeline.errors import Holder
from ecs_pipeline.reports.cases import canary_tasks, cure, evidence, failed_step, reason, step_cases
from ecs_pipeline.reports.files import FileReport
from ecs_pipeline.reports.plain import one_line


class JsonReport(FileReport):
    """Keeps STAGE.json up to date, and beside it what `rollback --to FILE` may need one day."""

    def files(self, record: StageRecord) -> Mapping[str, bytes]:
        """STAGE.json in UTF-8; STAGE.previous-task-definition.json when the revision to return to is known."""
        found = {f"{self.stage}.json": _file(_text(to_dict(record)))}
        if record.release.previous_document:
            found[f"{self.stage}.previous-task-definition.json"] = _file(
                json.dumps(record.release.previous_document, indent=2, ensure_ascii=False, default=str)
            )
        return found


def _file(document: str) -> bytes:
    """A JSON document in UTF-8; half a surrogate pair becomes the escape that JSON has for it."""
    return f"{document}\n".encode(errors="backslashreplace")


def to_dict(record: StageRecord) -> dict[str, Any]:
    """The record as STAGE.json has it: times in seconds, shares in percent, `started` in ISO 8601, UTC.

    Until the stage is over, its outcome is "interrupted", and the step under way an error "interrupted".
    Every text is one line without control characters.
    """
    result: dict[str, Any] = {
        "stage": record.stage,
        "outcome": record.outcome,
        "exit_code": record.exit_code,
        "changed": record.changed,
        "failed_step": failed_step(record),
        "message": reason(record),
        "cure": cure(record),
        "evidence": list(evidence(record)),
        "holder": _holder(record.holder) if record.holder else None,
        "cluster": record.cluster,
        "service": record.service,
        "region": record.region,
        "release": _release(record.release),
        "commit": record.release.commit,
        "epoch": record.release.epoch,
        "canary": {"tasks": _tasks(record), "share": round(record.share, 1), "since": _since(record)},
        "checks": [_check(check) for check in record.checks],
        "steps": _steps(record),
        "changes": record.changes,
        "notes": record.notes,
        "aws_calls": record.aws_calls,
        "waited_seconds": round(record.waited_seconds, 3),
        "started": _utc(record.started),
        "seconds": round(record.seconds, 3),
        "dry_run": record.dry_run,
        "version": ecs_pipeline.__version__,
    }
    if record.dry_run:
        result["plan"] = record.plan
    if record.stage == "promote":
        result["approval"] = {"by": record.approved_by, "comment": record.comment}
    if record.approved_by:
        result["approved_by"] = record.approved_by
    return {key: in_one_line(value) for key, value in result.items()}


def without_series(record: StageRecord) -> dict[str, Any]:
    """The same without what each check saw: thousands of numbers are for a file."""
    report = to_dict(record)
    for check in report["checks"]:
        del check["series"], check["every"], check["rules"]
    return report


def _text(report: dict[str, Any]) -> str:
    """The report with a line for each thing; of a series that is a sample."""
    series = [check.pop("series") for check in report["checks"]]
    for number, check in enumerate(report["checks"]):
        check["series"] = str(number)
    text = json.dumps(report, indent=2, ensure_ascii=False)
    for number, samples in enumerate(series):
        lines = ",\n".join(f"        {json.dumps(sample, ensure_ascii=False)}" for sample in samples)
        shown = f"[\n{lines}\n      ]" if samples else "[]"
        text = text.replace(f'"series": "{number}"', f'"series": {shown}', 1)
    return text


def in_one_line(value: Any) -> Any:
    """The value with every text in it on one line: programs print them into logs and build descriptions."""
    if isinstance(value, str):
        return one_line(value).replace("\t", " ")
    if isinstance(value, Mapping):
        return {key: in_one_line(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [in_one_line(inner) for inner in value]
    return value


def _holder(holder: Holder) -> dict[str, str]:
    return {"release": holder.release, "task": holder.task, "build": holder.build, "since": _utc(holder.since)}


def _release(release: ReleaseRecord) -> dict[str, str]:
    return {
        "id": release.id,
        "image": release.image,
        "digest": release.digest,
        "task_definition": release.task_definition,
        "previous_task_definition": release.previous_task_definition,
    }


def _tasks(record: StageRecord) -> list[dict[str, Any]]:
    tasks = canary_tasks(record)
    return [{"arn": task.arn, "ip": task.ip, "target_groups": list(task.target_groups)} for task in tasks]


def _since(record: StageRecord) -> str:
    """When the first of the canary's tasks was made; '' without one."""
    moments = [task.created for task in canary_tasks(record) if task.created]
    return _utc(min(moments)) if moments else ""


def _check(check: CheckRecord) -> dict[str, Any]:
    return {
        "name": check.name,
        "kind": check.kind,
        "verdict": check.verdict,
        "samples": check.samples,
        "failures": check.failures,
        "value": _finite(check.value),
        "limit": _finite(check.limit),
        "unit": check.unit,
        "message": check.message,
        "required": check.required,
        "evidence": _finite(_short(check.evidence)),
        "line": check.line,
        "rules": dict(check.rules),
        "every": check.series.every,
        "series": [_sample(point) for point in check.series.until_now()],
    }


def _sample(point: Point) -> dict[str, Any]:
    """One sample: `t` in seconds of the check; `judge --from` judges these again."""
    sample: dict[str, Any] = {"t": round(point.at, 3), "outcome": point.outcome, "canary": _numbers(point.canary)}
    if point.others:
        sample["others"] = {one_line(task): _numbers(values) for task, values in point.others.items()}
    if point.evidence is not None:
        sample["evidence"] = _short(point.evidence)
    return sample


def _numbers(values: Values) -> Values:
    """JSON has no NaN and no infinity: such a value is none."""
    if isinstance(values, Sequence):
        return [value if value is not None and math.isfinite(value) else None for value in values]
    return values if values is not None and math.isfinite(values) else None


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _steps(record: StageRecord) -> list[dict[str, Any]]:
    return [
        {
            "name": case.name,
            "outcome": case.outcome,
            "seconds": round(case.seconds, 3),
            "message": case.message,
        }
        for case in step_cases(record)
    ]


def _finite(value: str | float | None) -> str | float | None:
    """JSON has no NaN and no infinity: they are written as text."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _utc(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
