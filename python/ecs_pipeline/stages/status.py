"""Status: what the service runs, whether a canary lives, what part of the traffic it has, how old and well it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timezone
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model import scaling
from ecs_pipeline.model.release import Revision, Task, share
from ecs_pipeline.protocol import decide, doubts, release_tags
from ecs_pipeline.protocol.snapshot import Look
from ecs_pipeline.steps.traffic import Seen, healthy_others, targets_seen
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.timing.wait import duration

WATCHED_EVERY = 2.0
"""Seconds between two looks of `status --watch`."""


def status(run: Run) -> dict[str, Any]:
    """The facts, for `--output json`; `rows` makes a table of them."""
    seen = run.observer.look()
    service = seen.service
    primary = service.primary
    return {
        "cluster": service.cluster,
        "service": service.name,
        "region": run.recorder.record.region,
        "state": service.status,
        "task_definition": service.revision,
        "image": _image(run, seen, service.revision),
        "tasks": {"desired": service.desired, "running": service.running, "pending": service.pending},
        "rollout": primary.rollout if primary else "",
        "release": seen.marks.release,
        "approved_by": seen.marks.approval,
        "promotion": _promotion(seen),
        "rolls_back": decide.to_cancel(seen, ""),
        "previous_task_definition": seen.marks.previous or "",
        "autoscaling_before": seen.marks.scaling,
        "previous_release": _release_of(seen, seen.marks.previous),
        "under_way": seen.marks.under_way if seen.marks.under_way != seen.marks.release else "",
        **_tasks(run, seen),
        "foreign_tasks": [_foreign(seen, task) for task in (*seen.foreign, *seen.seconds)],
        "doubts": doubts.lines(seen),
    }


def watch(run: Run) -> Iterator[dict[str, Any]]:
    """The facts again and again, until the canary has its verdict or is gone, or no release is under way."""
    lived = False
    while True:
        facts = status(run)
        yield facts
        canary = facts["canary"]
        if canary["verdict"] if canary else lived or not facts["under_way"]:
            return
        lived = lived or canary is not None
        run.clock.sleep(WATCHED_EVERY)


def rows(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each line of the table."""
    tasks, canary = facts["tasks"], facts["canary"]
    found = [
        ("service", f"{facts['cluster']}/{facts['service']} ({facts['state']})"),
        ("runs", Revision(facts["task_definition"]).name),
        ("image", facts["image"] or "-"),
        ("release", facts["release"] or "none recorded"),
        ("tasks", f"{tasks['running']} of {tasks['desired']} running, {tasks['pending']} pending"),
        ("rollout", facts["rollout"] or "unknown"),
        ("returns to", _return(facts)),
    ]
    if facts["autoscaling_before"]:
        found.append(("autoscaling", scaling.told(facts["autoscaling_before"])))
    if facts["approved_by"]:
        found.append(("approved by", facts["approved_by"]))
    if facts["promotion"]:
        found.append(("promotion", f"of release {facts['release']} {facts['promotion']}: `promote` finishes it"))
    if facts["under_way"] and not canary:
        found.append(("under way", f"release {facts['under_way']}, no canary task lives"))
    if not canary:
        return [*found, ("canary", "none"), *_rows_below(facts)]
    found += [
        ("canary", f"release {canary['release']}, {Revision(canary['task_definition']).name}{_origin(canary)}"),
        ("verdict", canary["verdict"] or "none yet"),
        ("share", f"{canary['share']:g} %"),
        ("age", duration(canary["age_seconds"])),
    ]
    found += [(f"task {task['index']}", _told(task)) for task in canary["tasks"]]
    return [*found, *_rows_below(facts)]


def _return(facts: dict[str, Any]) -> str:
    """What a plain rollback would leave the service on, in words."""
    if not facts["rolls_back"]:
        return "nothing: there is no release that a plain rollback would undo"
    if facts["rolls_back"] != facts["release"]:
        name = Revision(facts["task_definition"]).name
        return f"{name}, which it runs: a rollback undoes release {facts['rolls_back']} alone"
    release = facts["previous_release"]
    name = Revision(facts["previous_task_definition"]).name
    return f"{name}, {f'release {release}' if release else 'which no release made'}, by a rollback"


def _origin(canary: dict[str, Any]) -> str:
    commit = f", commit {canary['commit'][:7]}" if canary["commit"] else ""
    return commit + (f", build {canary['build']}" if canary["build"] else "")


def _promotion(seen: Look) -> str:
    """`under way` when the service does not run the promoted release alone yet; '' otherwise."""
    release, service = seen.marks.release, seen.service
    if not decide.promoted(seen, release):
        return ""
    left = any(task.release == release for task in seen.canaries)
    done = decide.runs_promoted(seen, release) and decide.rolled_out(service) and not left
    return "" if done else "under way"


def _release_of(seen: Look, revision: str | None) -> str:
    known = seen.revisions.get(revision or "")
    return known.release if known else ""


def _rows_below(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The baseline, what is not believed, and a canary that waits too long."""
    baseline = [("baseline", f"{_told(task)}, {Revision(task['task_definition']).name}") for task in facts["baseline"]]
    late = [("too old", facts["cure"])] if "cure" in facts else []
    return [*baseline, *(("doubt", line) for line in facts["doubts"]), *late]


def _told(task: dict[str, Any]) -> str:
    health = ", ".join(f"{name} {state}" for name, state in task["targets"].items()) or "no targets"
    return f"{task['id']} {task['status']}, {health}"


def _tasks(run: Run, seen: Look) -> dict[str, Any]:
    """The canary (None without one), and the tasks of the stable revision beside it, which are one at most."""
    ours = [*seen.canaries, *seen.baselines]
    health = targets_seen(run, ours, seen.service) if ours else Seen((), (), {})
    return {
        "canary": _canary(run, seen, health),
        "baseline": [{**_task(run, task, seen, health), "task_definition": task.revision} for task in seen.baselines],
    }


def _canary(run: Run, seen: Look, health: Seen) -> dict[str, Any] | None:
    live = decide.holder(seen)
    if live is None:
        return None
    canaries = {task.arn for task in seen.canaries}
    now, since = run.aws_time(), min(task.created for task in seen.canaries)
    tags = run.definitions.get(live.revision).tags
    healthy = {target.task for target in health.targets if (found := health.of(target)) and found.state == "healthy"}
    return {
        "release": live.release,
        "task_definition": live.revision,
        "image": (image := _image(run, seen, live.revision)),
        "digest": image.partition("@")[2],
        "epoch": live.turn.digest,
        "commit": tags.get(release_tags.COMMIT, ""),
        "build": tags.get(release_tags.BUILD, ""),
        "verdict": seen.verdict,
        "share": round(share(len(healthy & canaries), healthy_others(run, health, seen.service.running)), 1),
        "since": since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "age_seconds": round((now - since).total_seconds()),
        "tasks": [_task(run, task, seen, health) for task in seen.canaries],
    }


def _foreign(seen: Look, task: Task) -> dict[str, Any]:
    """A task with our tags that no release made, and why it is none of ours."""
    return {
        "arn": task.arn,
        "id": task.id,
        "task_definition": task.revision,
        "release": task.release,
        "role": task.role,
        "why": seen.refusal(task),
    }


def _task(run: Run, task: Task, seen: Look, health: Seen) -> dict[str, Any]:
    targets = {}
    for target in run.observer.targets_of(task, seen.service):
        found = health.any(target)
        targets[str(target)] = found.state if found and found.registered else "not registered"
    return {
        "arn": task.arn,
        "id": task.id,
        "index": task.index,
        "ip": task.any_address,
        "status": task.status,
        "health": task.health,
        "targets": targets,
    }


def _image(run: Run, seen: Look, revision: str) -> str:
    return definition.deployed_image(run.definitions.get(revision), seen.service, run.settings.container)
