"""What the assertions stand on: the ports of one AWS, and how to wait there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

from ecs_pipeline.model.load_balancing import Target, TargetHealth
from ecs_pipeline.model.release import Task, TaskDefinition
from ecs_pipeline.ports import AccountPort, CloudWatchPort, EcsPort, ElbPort, ScalingPort, TaskDefinitionsPort

T = TypeVar("T")
PORT = 8000
LASTS_AT_MOST = 120.0
"""Seconds, of the ports' own clock, until something that is to come about counts as missing."""


class Clock(Protocol):
    """The clock by which things happen there."""

    def now(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


@dataclass
class Ports:
    """One AWS with a cluster and a service that is stable behind the target group `group`.

    `new_definitions` makes the port anew, as another process would: the port reads a revision once. `image` gives an
    image whose tasks are well ('') or `crash`. `task_parameters` are what RunTask needs there. `check_slowly` makes the
    health checks of targets seconds apart until the end of the test.
    """

    clock: Clock
    family: str
    group: str
    drain: int
    ecs: EcsPort
    elb: ElbPort
    account: AccountPort
    scaling: ScalingPort
    cloudwatch: CloudWatchPort
    new_definitions: Callable[[], TaskDefinitionsPort]
    image: Callable[[str], str]
    task_parameters: Mapping[str, Any]
    set_alarm: Callable[[str, str, str], None]
    set_scalable: Callable[[], None]
    check_slowly: Callable[[], None]
    _names: itertools.count[int] = field(default_factory=itertools.count)

    @cached_property
    def definitions(self) -> TaskDefinitionsPort:
        """The port of this process."""
        return self.new_definitions()

    def name(self, kind: str) -> str:
        """A name that nothing else has there."""
        return f"{self.family}-{kind}-{next(self._names)}"

    def definition(self, family: str = "", fate: str = "", **members: Any) -> dict[str, Any]:
        """A task definition that can be registered."""
        container = {"name": "app", "image": self.image(fate), "portMappings": [{"containerPort": PORT}]}
        return {
            "family": family or self.family,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [container],
            **members,
        }

    def registered(self, family: str = "", fate: str = "", tags: Mapping[str, str] | None = None) -> TaskDefinition:
        """A new revision."""
        return self.definitions.register(self.definition(family, fate), tags or {})

    @cached_property
    def revision(self) -> str:
        """A revision whose tasks are well."""
        return self.registered(self.name("well")).revision.arn

    def request(self, token: str = "", revision: str = "", **parameters: Any) -> dict[str, Any]:
        """Parameters of RunTask."""
        return {
            "taskDefinition": revision or self.revision,
            "clientToken": token or self.name("token"),
            "startedBy": "canary/contract",
            "tags": [],
            "count": 1,
            **self.task_parameters,
            **parameters,
        }

    def run(self, token: str = "", revision: str = "", **parameters: Any) -> str:
        """Start a task."""
        return self.ecs.run_task(self.request(token, revision, **parameters))

    def task(self, arn: str) -> Task:
        """A task that is there."""
        (task,) = self.ecs.tasks([arn])
        return task

    def running(self) -> Task:
        """A new task, once it runs and has an address."""
        arn = self.run()
        return self.eventually(lambda: self.task(arn), lambda task: task.status == "RUNNING" and bool(task.address))

    def stopped(self, arn: str) -> Task:
        """A task, once it has stopped."""
        return self.eventually(lambda: self.task(arn), lambda task: task.status == "STOPPED")

    def target(self, address: str) -> Target:
        """A target of the service's group."""
        return Target(self.group, address, PORT)

    def health(self, target: Target) -> TargetHealth:
        """The health of a target, asked for by its name."""
        (health,) = self.elb.health(self.group, [target])
        return health

    def in_state(self, target: Target, state: str) -> TargetHealth:
        """The health of a target, once its state is so."""
        return self.eventually(lambda: self.health(target), lambda health: health.state == state)

    def eventually(self, look: Callable[[], T], is_so: Callable[[T], bool]) -> T:
        """What is seen once it is so; fails when it does not come about."""
        deadline = self.clock.now() + LASTS_AT_MOST
        while not is_so(seen := look()):
            assert self.clock.now() < deadline, f"still not so after {LASTS_AT_MOST:.0f} s; last seen: {seen!r}"
            self.clock.sleep(0.2)
        return seen
