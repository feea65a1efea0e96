"""The table of `status`: what it tells of one service, as people read it."""

from __future__ import annotations

from typing import Any

from ecs_pipeline.model import scaling
from ecs_pipeline.model.release import Revision
from ecs_pipeline.timing.wait import duration


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
    found += [(f"task {task['index']}", _task(task)) for task in canary["tasks"]]
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


def _rows_below(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The baseline, what is not believed, and a canary that waits too long."""
    baseline = [("baseline", f"{_task(task)}, {Revision(task['task_definition']).name}") for task in facts["baseline"]]
    late = [("too old", facts["cure"])] if "cure" in facts else []
    return [*baseline, *(("doubt", line) for line in facts["doubts"]), *late]


def _task(task: dict[str, Any]) -> str:
    health = ", ".join(f"{name} {state}" for name, state in task["targets"].items()) or "no targets"
    return f"{task['id']} {task['status']}, {health}"
