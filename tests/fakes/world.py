"""AWS in memory: the calls that read and write what it holds, and how that changes with time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Revision
from tests.fakes import refusals
from tests.fakes.names import CLUSTER, PREFIX, REGISTRY, SERVICE_ARN, definition_with, digest_of
from tests.fakes.resources import FakeDeployment, FakeRevision, FakeTask
from tests.fakes.state import State

T = TypeVar("T")


@dataclass
class World(State):
    """AWS with one cluster, one service, one target group or more."""

    def __post_init__(self) -> None:
        first = self.register(definition_with(f"{REGISTRY}/web@{digest_of('v1')}"), {"team": "lab"})
        self.images = {digest_of("v1"): digest_of("v1"), **self.images}
        self.deployments = [FakeDeployment("ecs-svc/0", first, self.now - 1000, rollout="COMPLETED")]
        self.service_tasks = [(0, f"10.1.0.{number}") for number in range(1, self.desired + 1)]

    # ---- the calls

    def call(self, name: str, act: Callable[[], T], *, write: bool, detail: Any = "") -> T:
        """One call: others may go first; a test's hook may kill before it or lose its answer after it."""
        self.schedule.pause()
        self.hook("before", name, write)
        agent = self.schedule.current
        self.log.append((agent.name if agent else "", name, detail))
        self._pass_time()
        result = act()
        if write:
            self.wrote()
        self.hook("after", name, write)
        return result

    def register(self, definition: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """RegisterTaskDefinition. Raises InvalidInput."""
        refusals.check_definition(definition, tags)
        family = str(definition["family"])
        number = 1 + sum(1 for revision in self.revisions if f"/{family}:" in revision)
        arn = f"{PREFIX}:task-definition/{family}:{number}"
        self.revisions[arn] = FakeRevision(arn, dict(definition), dict(tags))
        return arn

    def _next_number(self) -> int:
        self.numbers_given += 1
        return self.numbers_given

    def run_task(self, parameters: Mapping[str, Any]) -> str:
        """RunTask: the task that the token stands for, started now if it is new. Raises Trouble."""
        refusals.check_request(parameters)
        token = str(parameters["clientToken"])
        for task in self.tasks.values():
            if task.token == token and token not in self.expired_tokens:
                return task.arn
        revision = self.usable("RunTask", str(parameters["taskDefinition"]))
        self.expired_tokens.discard(token)
        number = self._next_number()
        arn = f"{PREFIX}:task/{CLUSTER}/{number:032x}"
        self.tasks[arn] = FakeTask(
            arn=arn,
            revision=revision,
            tags={tag["key"]: tag["value"] for tag in parameters["tags"]},
            token=token,
            parameters=dict(parameters),
            created=self.now,
            address=f"10.0.{number // 250}.{number % 250 + 1}",
            started_by=str(parameters["startedBy"]),
            group=f"family:{Revision(revision).family}",
        )
        return arn

    def stop_task(self, arn: str, reason: str, code: str = "UserInitiated") -> None:
        """StopTask: the tags go at once, the containers a little later; what is no task counts as stopped."""
        task = self.tasks.get(arn)
        if task is not None and task.stop_asked is None:
            task.stop_asked, task.reason, task.code = self.now, reason, code
            task.stopped, task.tags = self.now + self.delays.stop, {}

    def update_service(self, revision: str) -> None:
        """UpdateService: a new deployment, unless it is the one that runs. Raises Trouble."""
        self.usable("UpdateService", revision)
        if self.deployments[0].revision == revision:
            return
        for deployment in self.deployments:
            deployment.status = "ACTIVE"
        self.deployments.insert(0, FakeDeployment(f"ecs-svc/{self._next_number()}", revision, self.now))

    def usable(self, operation: str, revision: str) -> str:
        """The revision, if new tasks may be started with it. Raises Trouble."""
        known = self.revisions.get(revision)
        if known is None or not known.active:
            raise Trouble(f"ecs:{operation}: {refusals.INACTIVE if known else refusals.NO_DEFINITION}")
        return revision

    def tags_of(self, arn: str) -> dict[str, str]:
        """The tags of the service or of a revision. Raises Trouble."""
        if arn in self.revisions:
            return self.revisions[arn].tags
        if arn == SERVICE_ARN:
            return self.service_tags
        raise Trouble(f"ecs:TagResource: {refusals.NO_RESOURCE}")

    # ---- time

    def _pass_time(self) -> None:
        for task in self.tasks.values():
            if task.started_by.startswith("run/") and self.now >= task.created + self.delays.start + 1:
                self.stop_task(task.arn, "Essential container in task exited", "EssentialContainerExited")
            crashes = self.fate(task.revision) == "crash" and self.now >= task.created + self.delays.start
            if crashes and task.stop_asked is None:
                self.stop_task(task.arn, "Essential container in task exited", "EssentialContainerExited")
        for key, (_, leaving) in list(self.targets.items()):
            if leaving is not None and self.now >= leaving + self.delays.drain:
                del self.targets[key]
        self._roll()

    def _roll(self) -> None:
        primary = self.deployments[0]
        fate = self.fate(primary.revision)
        ends = self.delays.rollout + (self.delays.leaving if fate in ("", "late") else 0)
        if primary.rollout != "IN_PROGRESS" or self.now < primary.created + ends:
            return
        if fate:
            primary.failed = max(3, (self.desired + 1) // 2)
            if self.breaker:
                primary.rollout, primary.status = "FAILED", "ACTIVE"
                back = next(deployment for deployment in self.deployments[1:] if deployment.rollout == "COMPLETED")
                self.deployments.remove(back)
                self.deployments.insert(0, replace(back, id=f"ecs-svc/{self._next_number()}", status="PRIMARY"))
            return
        primary.rollout = "COMPLETED"
        self.deployments = [primary]
