"""Status of a cluster: every service, and the canary that lives beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model import scaling
from ecs_pipeline.model.release import CANARY, Revision, Service, Task, share
from ecs_pipeline.plans.standing import age
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.timing.wait import duration

HEADER = ("service", "runs", "release", "canary", "verdict", "age", "share")


def cluster_status(run: Run, older_than: float | None = None) -> dict[str, Any]:
    """The facts, for `--output json`; `lines` makes a table of them. `older_than`: seconds that a canary may live.

    ListServices, ListTasks and their Describe…, however many services there are. Targets are not asked: a share is that
    of the tasks. A task is counted by what it was started as; `status` of its service tells whether it is believed.
    """
    services = sorted(run.ecs.services(), key=lambda service: service.name)
    tasks = [
        task for task in run.ecs.running_tasks() if task.alive and task.started_by.startswith(release_tags.STARTED_BY)
    ]
    known = {release_tags.started_by(service.name) for service in services}
    found = [_service(run, service, tasks, older_than) for service in services]
    lost = [task for task in tasks if task.started_by not in known]
    return {
        "cluster": run.settings.cluster,
        "region": run.recorder.record.region,
        "services": found,
        "without_service": [{"arn": task.arn, "id": task.id, "started_by": task.started_by} for task in lost],
        "older": [facts["service"] for facts in found if facts["canary"] and facts["canary"]["older"]],
    }


def lines(facts: dict[str, Any]) -> list[str]:
    """The table, and below it what somebody has to do."""
    rows = [HEADER, *(_row(service) for service in facts["services"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    live = sum(1 for service in facts["services"] if service["canary"])
    below = [f"{len(facts['services'])} services, {live} with a canary"]
    below += [
        f"task {task['id']} ({task['started_by']}): its service is gone: `rollback --service NAME` removes it"
        for task in facts["without_service"]
    ]
    below += [
        f"the autoscaling of {service['service']} is {scaling.told(service['autoscaling_before'])}"
        for service in facts["services"]
        if service["autoscaling_before"]
    ]
    below += [
        f"the canary of {name} is too old: promote it, or "
        f"`rollback --cluster {facts['cluster']} --service {name} --canary`"
        for name in facts["older"]
    ]
    return [*table, *below]


def _service(run: Run, service: Service, tasks: Sequence[Task], older_than: float | None) -> dict[str, Any]:
    of = service.marks
    canaries = [
        task for task in tasks if task.started_by == release_tags.started_by(service.name) and task.role == CANARY
    ]
    return {
        "service": service.name,
        "state": service.status,
        "task_definition": service.revision,
        "tasks": {"desired": service.desired, "running": service.running, "pending": service.pending},
        "release": of.release,
        "under_way": of.begun,
        "autoscaling_before": of.scaling,
        "canary": _canary(run, service, canaries, older_than) if canaries else None,
    }


def _canary(run: Run, service: Service, canaries: Sequence[Task], older_than: float | None) -> dict[str, Any]:
    oldest = min(canaries, key=lambda task: task.created)
    now = run.aws_time()
    return {
        "release": oldest.release,
        "task_definition": oldest.revision,
        "verdict": next((task.verdict for task in canaries if task.verdict), ""),
        "share": round(share(len(canaries), service.running), 1),
        **age(oldest.created, now),
        "older": older_than is not None and (now - oldest.created).total_seconds() > older_than,
        "tasks": [task.arn for task in canaries],
    }


def _row(facts: dict[str, Any]) -> tuple[str, ...]:
    canary = facts["canary"]
    named = (facts["service"], Revision(facts["task_definition"]).name or "-", facts["release"] or "-")
    if not canary:
        return (*named, f"none yet: {facts['under_way']}" if facts["under_way"] else "-", "", "", "")
    verdict, age = canary["verdict"] or "none yet", duration(canary["age_seconds"])
    return (*named, canary["release"] or "?", verdict, age, f"{canary['share']:g} %")
