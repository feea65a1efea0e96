"""A rollout of revision 2 over revision 1, look by look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Deployment, Service, Task
from ecs_pipeline.steps.rollout import StableStep
from ecs_pipeline.timing.wait import Broken, Judgement, Waiting
from tests.fakes.names import definition_with
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.facts import NOW, deployment, revision, service


def rolling(**members: Any) -> Deployment:
    """The new revision's deployment, under way."""
    return deployment(2, **{"rollout": "IN_PROGRESS", "running": 1, "pending": 1, **members})


def old(**members: Any) -> Deployment:
    """The old revision's deployment beside it."""
    return deployment(1, **{"status": "ACTIVE", "running": 2, **members})


class Rollout:
    """A step that follows the new revision, and the part of EcsPort that it looks at."""

    def __init__(self, *, only_ecs_verdict: bool = False) -> None:
        world = World()
        world.schedule.now = NOW.timestamp()
        world.register(definition_with("new"), {})
        run = new_run(world, "promote", ["stable"])
        self.step = StableStep(replace(run, ecs=self), revision(2), only_ecs_verdict)  # type: ignore[arg-type]
        self.protected: list[datetime] = []
        self.denied = ""
        self.told: list[str] = []
        run.recorder.progress = self.told.append  # type: ignore[method-assign,assignment]
        self.described: list[list[str]] = []
        self._found = service()
        self._stopped: Sequence[Task] = ()

    def look(self, *deployments: Deployment, stopped: Sequence[Task] = (), **members: Any) -> Judgement[Service]:
        """What the step says of a service with these deployments, of which these tasks have stopped."""
        raw = members.pop("raw", None)
        self._found, self._stopped = service(raw, deployments=deployments, **members), stopped
        return self.step.judge(self.step.observe())

    def service(self) -> Service:
        return self._found

    def arns_of_service(self, desired_status: str = "RUNNING") -> list[str]:
        return [task.arn for task in self._stopped] if desired_status == "STOPPED" else ["arn:running"]

    def protected_until(self, arns: Sequence[str]) -> list[datetime]:
        assert arns == ["arn:running"]
        if self.denied:
            raise Trouble(self.denied)
        return self.protected

    def tasks(self, arns: Sequence[str]) -> tuple[Task, ...]:
        self.described.append(list(arns))
        return tuple(task for task in self._stopped if task.arn in arns)


def judged(*deployments: Deployment, **members: Any) -> Judgement[Service]:
    """What is said at the first look."""
    return Rollout().look(*deployments, **members)


def broken(judgement: Judgement[Service]) -> str:
    """Why it is broken."""
    assert isinstance(judgement, Broken), judgement
    return judgement.why


def waiting(judgement: Judgement[Service]) -> str:
    """What is waited for."""
    assert isinstance(judgement, Waiting), judgement
    return judgement.why
