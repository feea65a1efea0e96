"""What the checks are about: the canary's tasks, those it is compared with, and the facts that a program is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ecs_pipeline.config.comparisons import BASELINE, STABLE
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import CANARY, Revision, Service, Task, TaskDefinition

MOST_COMPARED = 20
"""So many other tasks are enough to compare with: each costs calls of AWS."""
KNOWN_FOR = 30.0
"""Seconds that the service's own tasks are remembered: they come and go with its scaling."""


@dataclass
class Subject:
    """A canary under watch; `since` is when the watching began, `judged_alone` in `judge`."""

    run: Run
    service: Service
    canary: Sequence[Task]
    revision: TaskDefinition
    container: str
    since: datetime
    baseline: Sequence[Task] = ()
    judged_alone: bool = False
    _stable: tuple[Task, ...] = ()
    _looked: float | None = None

    @property
    def stable(self) -> tuple[Task, ...]:
        """The service's own running tasks (ListTasks, DescribeTasks), at most half a minute old."""
        now = self.run.clock.now()
        if self._looked is None or now - self._looked > KNOWN_FOR:
            found = self.run.ecs.tasks(self.run.ecs.arns_of_service())
            self._stable = tuple(task for task in found if task.alive and task.revision == self.service.revision)
            self._looked = now
        return self._stable

    def tasks(self, group: str) -> Sequence[Task]:
        """The tasks of CANARY, BASELINE or STABLE."""
        if group == STABLE:
            return self.stable
        return {CANARY: self.canary, BASELINE: self.baseline}[group]

    def family(self, group: str) -> str:
        """The family of the revision that they run: a release's task definition may be of another one."""
        return self.revision.revision.family if group == CANARY else Revision(self.service.revision).family

    def compared_with(self, group: str) -> Sequence[Task]:
        """The tasks of BASELINE or STABLE that a comparison looks at, in an order that stays: that of their ids."""
        return sorted(self.tasks(group), key=lambda task: task.id)[:MOST_COMPARED]

    def facts(self) -> str:
        """The facts for a program, as JSON."""
        record = self.run.recorder.record
        document: dict[str, Any] = {
            "cluster": record.cluster,
            "service": record.service,
            "release": record.release.id,
            "image": record.release.image,
            "digest": record.release.digest,
            "task_definition": record.release.task_definition,
            "previous_task_definition": record.release.previous_task_definition,
            "share": round(record.share, 1),
            "started": self.since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for group in (CANARY, BASELINE, STABLE):
            document[group] = {"tasks": [{"arn": task.arn, "ip": task.any_address} for task in self.tasks(group)]}
        return json.dumps(document)
