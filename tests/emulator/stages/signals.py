"""What a canary's tasks would publish: metrics in CloudWatch, put by a thread of the test while a stage runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulator.stages.scene import Scene

PAUSE = 0.25
"""Seconds between two data of a task: several in each period of a second."""


@dataclass
class Metrics:
    """Puts a value for each living task, by its role (canary, baseline, stable); a context manager.

    With `by_task` each task has a metric of its own (dimension TaskId), else there is one for all.
    """

    scene: Scene
    values: Mapping[str, Callable[[int], float]]
    by_task: bool = True
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def namespace(self) -> str:
        """A namespace that no other test has."""
        return f"Test/{self.scene.name}"

    def __enter__(self) -> Metrics:
        """Start the thread."""
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._over.set()
        self._thread.join()

    def _publish(self) -> None:
        cloudwatch, count = self.scene.client("cloudwatch"), 0
        while not self._over.is_set():
            data = [
                {
                    "MetricName": "Latency",
                    "Dimensions": [{"Name": "TaskId", "Value": task}] if self.by_task else [],
                    "Timestamp": time.time(),
                    "Value": self.values[role](count),
                }
                for role, task in self._tasks()
                if role in self.values
            ]
            if data:
                cloudwatch.put_metric_data(Namespace=self.namespace, MetricData=data)
            count += 1
            self._over.wait(PAUSE)

    def _tasks(self) -> list[tuple[str, str]]:
        """Role and id of each running task."""
        ours = [(_role(task), str(task["taskArn"])) for task in self.scene.canaries()]
        services = [("stable", str(task["taskArn"])) for task in self.scene.tasks()]
        return [(role, arn.rpartition("/")[2]) for role, arn in ours + services]


def _role(task: Any) -> str:
    tags = {tag["key"]: tag["value"] for tag in task["tags"]}
    return str(tags.get("ecs-pipeline:role", "canary"))
