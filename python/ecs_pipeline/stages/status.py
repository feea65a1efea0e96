"""Status: what the service runs, whether a canary lives, what part of the traffic it has, how old and well it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Task, share
from ecs_pipeline.plans.standing import Standing, age, standing
from ecs_pipeline.protocol import doubts, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.traffic import Seen, healthy_others, targets_seen
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.timing import wait

WATCHED_EVERY, WATCHED_FOR = 2.0, 24 * 3600.0
"""Seconds between two looks of `status --watch`, and of all of them: what is not over by then is abandoned."""


def status(run: Run) -> dict[str, Any]:
    """The facts, for `--output json`; reports/status_table.py makes a table of them."""
    seen = run.observer.snapshot()
    stands, service = standing(seen), seen.service
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
        "promotion": stands.promotion,
        "rolls_back": stands.rolls_back,
        "previous_task_definition": seen.marks.previous or "",
        "autoscaling_before": seen.marks.scaling,
        "previous_release": stands.previous_release,
        "under_way": stands.begun,
        **_tasks(run, seen, stands),
        "foreign_tasks": [_foreign(seen, task) for task in (*seen.foreign, *seen.seconds)],
        "doubts": doubts.lines(seen),
    }


def watch(run: Run) -> Iterator[dict[str, Any]]:
    """Yield the facts until the canary has its verdict or is gone, or no release is under way; for a day at most."""
    lived = False
    for _ in wait.looks(run.clock, WATCHED_EVERY, wait.Deadline.after(run.clock, WATCHED_FOR)):
        yield (facts := status(run))
        canary = facts["canary"]
        if canary["verdict"] if canary else lived or not facts["under_way"]:
            return
        lived = lived or canary is not None
    raise Trouble("the release is still under way after a day", cure="see who works on it; `rollback` takes it back")


def _tasks(run: Run, seen: Snapshot, stands: Standing) -> dict[str, Any]:
    """The canary (None without one), and the tasks of the stable revision beside it, which are one at most."""
    ours = [*seen.canaries, *seen.baselines]
    health = targets_seen(run, ours, seen.service) if ours else Seen((), (), {})
    return {
        "canary": _canary(run, seen, stands.live, health) if stands.live else None,
        "baseline": [{**_task(run, task, seen, health), "task_definition": task.revision} for task in seen.baselines],
    }


def _canary(run: Run, seen: Snapshot, live: Task, health: Seen) -> dict[str, Any]:
    canaries = {task.arn for task in seen.canaries}
    tags = run.definitions.get(live.revision).tags
    healthy = {target.task for target in health.targets if (found := health.of(target)) and found.state == "healthy"}
    return {
        "release": live.release,
        "task_definition": live.revision,
        "image": (image := _image(run, seen, live.revision)),
        "digest": image.partition("@")[2],
        "epoch": live.epoch.digest,
        "commit": tags.get(release_tags.COMMIT, ""),
        "build": tags.get(release_tags.BUILD, ""),
        "verdict": seen.verdict,
        "share": round(share(len(healthy & canaries), healthy_others(run, health, seen.service.running)), 1),
        **age(min(task.created for task in seen.canaries), run.aws_time()),
        "tasks": [_task(run, task, seen, health) for task in seen.canaries],
    }


def _foreign(seen: Snapshot, task: Task) -> dict[str, Any]:
    """A task with our tags that no release made, and why it is none of ours."""
    return {
        "arn": task.arn,
        "id": task.id,
        "task_definition": task.revision,
        "release": task.release,
        "role": task.role,
        "why": seen.refusal(task),
    }


def _task(run: Run, task: Task, seen: Snapshot, health: Seen) -> dict[str, Any]:
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


def _image(run: Run, seen: Snapshot, revision: str) -> str:
    return definition.deployed_image(run.definitions.get(revision), seen.service, run.settings.container)
