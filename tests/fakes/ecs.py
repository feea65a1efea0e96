"""EcsPort and TaskDefinitionsPort on a World."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ecs_pipeline.aws.ecs_facts import parse_revision
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.model.release import Revision, Service, Task, TaskDefinition
from tests.fakes import refusals
from tests.fakes.world import World

T = TypeVar("T")
READ_ONLY = frozenset(("taskDefinitionArn", "revision", "status", "registeredAt"))


class FakeEcs:
    """EcsPort."""

    def __init__(self, world: World) -> None:
        self.world = world

    def service(self) -> Service:
        if self.world.deleted:
            raise InvalidInput("no service web in cluster prd")
        return self._read("DescribeServices", self.world.service_facts)

    def services(self) -> tuple[Service, ...]:
        return (self.service(),)

    def deleted_service(self) -> Service | None:
        return self.world.service_facts() if self.world.deleted else None

    def service_revision(self, service: Service) -> Mapping[str, Any]:
        return self._read("DescribeServiceRevisions", lambda: self.world.service_revision)

    def update_service(self, revision: str) -> None:
        self._write("UpdateService", lambda: self.world.update_service(revision), revision)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        assert arn not in self.world.tasks

        def tagged() -> None:
            refusals.add_tags(self.world.tags_of(arn), tags)

        self._write("TagResource", tagged, dict(tags))

    def tag_task(self, arn: str, tags: Mapping[str, str]) -> bool:
        def tagged() -> bool:
            task = self.world.tasks.get(arn)
            if task is None or task.stop_asked is not None:
                return False
            refusals.add_tags(task.tags, tags)
            return True

        return bool(self._write("TagResource", tagged, dict(tags)))

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        self._write("UntagResource", lambda: [self.world.service_tags.pop(key, None) for key in keys], list(keys))

    def tasks_started_by(self, started_by: str, desired_status: str = "RUNNING") -> tuple[Task, ...]:
        return self.tasks(self.arns_started_by(started_by, desired_status))

    def arns_started_by(self, started_by: str, desired_status: str) -> list[str]:
        def found() -> list[str]:
            return [
                task.arn
                for task in self.world.tasks.values()
                if task.started_by == started_by
                and task.arn not in self.world.missing
                and (task.stop_asked is not None) == (desired_status == "STOPPED")
            ]

        return self._read("ListTasks", found)

    def arns_of_service(self, desired_status: str = "RUNNING") -> list[str]:
        def found() -> list[str]:
            return [task.arn for task in self.world.listed_of_service()] if desired_status == "RUNNING" else []

        return self._read("ListTasks", found)

    def tasks_of_family(self, family: str) -> tuple[Task, ...]:
        return tuple(task for task in self._running() if Revision(task.revision).family == family)

    def running_tasks(self) -> tuple[Task, ...]:
        self.world.scans += 1
        return (*self._running(), *self.world.other_tasks)

    def _running(self) -> tuple[Task, ...]:
        ours = self._read(
            "ListTasks", lambda: [task.arn for task in self.world.alive() if task.arn not in self.world.missing]
        )
        return self._read(
            "DescribeTasks",
            lambda: (
                *(self.world.task_facts(self.world.tasks[arn]) for arn in ours),
                *self.world.listed_of_service(),
            ),
        )

    def tasks(self, arns: Iterable[str]) -> tuple[Task, ...]:
        wanted = list(arns)
        if not wanted:
            return ()

        def found() -> tuple[Task, ...]:
            ours = [arn for arn in wanted if arn in self.world.tasks and arn not in self.world.missing]
            of_service = [task for task in self.world.listed_of_service() if task.arn in wanted]
            return (*(self.world.task_facts(self.world.tasks[arn]) for arn in ours), *of_service)

        return self._read("DescribeTasks", found)

    def protected_until(self, arns: Sequence[str]) -> list[datetime]:
        return self._read("GetTaskProtection", list[datetime])

    def run_task(self, parameters: Mapping[str, Any]) -> str:
        return self._write("RunTask", lambda: self.world.run_task(parameters), parameters["clientToken"])

    def stop_task(self, arn: str, reason: str) -> None:
        self._write("StopTask", lambda: self.world.stop_task(arn, reason), arn)

    def instances_of(self, container_instances: Sequence[str]) -> dict[str, str]:
        return {}

    def _read(self, name: str, act: Callable[[], T]) -> T:
        return self.world.call(name, act, write=False)

    def _write(self, name: str, act: Callable[[], T], detail: Any = "") -> T:
        return self.world.call(name, act, write=True, detail=detail)


class FakeDefinitions:
    """TaskDefinitionsPort."""

    read_only_members = READ_ONLY
    registered_members = frozenset(("family", "containerDefinitions", "networkMode", "tags", "cpu", "memory"))

    def members(self, place: Sequence[str]) -> frozenset[str]:
        return frozenset() if place else self.registered_members | self.read_only_members

    def type_of(self, place: Sequence[str]) -> str:
        """`cpu` and `memory` of a task are text."""
        return "integer" if place[-1] in ("cpu", "memory") and len(place) > 1 else "string"

    def __init__(self, world: World) -> None:
        self.world = world
        self._known: dict[str, TaskDefinition] = {}

    def get(self, arn: str) -> TaskDefinition:
        """Read once, as the adapter does: a revision never changes."""
        if arn not in self._known:
            self._known[arn] = self._describe(arn)
        return self._known[arn]

    def exists(self, arn: str) -> bool:
        return arn in self._known or self._is_there(arn)

    def revision(self, arn: str, active: Iterable[str] | None = None) -> Revision:
        """Only its status changes: ACTIVE is asked for anew, unless a list just showed it."""
        known = self._known.get(arn)
        if known and (not known.revision.active or arn in (active or ())):
            return known.revision
        if not self._is_there(arn):
            return Revision(arn, active=False)
        self._known[arn] = self._describe(arn)
        return self._known[arn].revision

    def _is_there(self, arn: str) -> bool:
        return arn in self.world.revisions and not self.world.revisions[arn].forgotten

    def _describe(self, arn: str) -> TaskDefinition:
        if not self._is_there(arn):
            raise InvalidInput(f"no task definition {arn}")
        found: TaskDefinition = self.world.call("DescribeTaskDefinition", lambda: self._whole(arn), write=False)
        return found

    def problem(self, definition: Mapping[str, Any]) -> str:
        return "Invalid type for parameter cpu" if isinstance(definition.get("cpu"), int) else ""

    def revisions(self, family: str, status: str = "ACTIVE", most: int = 100) -> list[str]:
        def found() -> list[str]:
            same = [
                revision
                for revision in self.world.revisions.values()
                if Revision(revision.arn).family == family
                and revision.active == (status == "ACTIVE")
                and not revision.forgotten
            ]
            return [
                revision.arn
                for revision in sorted(same, key=lambda revision: Revision(revision.arn).number, reverse=True)
            ][:most]

        return self.world.call("ListTaskDefinitions", found, write=False)

    def register(self, definition: Mapping[str, Any], tags: Mapping[str, str]) -> TaskDefinition:
        arn = self.world.call(
            "RegisterTaskDefinition", lambda: self.world.register(definition, tags), write=True, detail=dict(tags)
        )
        self._known[arn] = self._whole(arn)
        return self._known[arn]

    def deregister(self, arn: str) -> None:
        def act() -> None:
            if not self._is_there(arn):
                raise Trouble(f"ecs:DeregisterTaskDefinition: {refusals.NO_DEFINITION}")
            self.world.revisions[arn].active = False

        self.world.call("DeregisterTaskDefinition", act, write=True, detail=arn)
        self._known.pop(arn, None)

    def _whole(self, arn: str) -> TaskDefinition:
        revision = self.world.revisions[arn]
        status = "ACTIVE" if revision.active else "INACTIVE"
        definition = {**revision.definition, **revision.added, "taskDefinitionArn": arn, "status": status}
        return TaskDefinition(parse_revision(definition, revision.tags), definition, dict(revision.tags))
