"""One snapshot over ports that a test fills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecs_pipeline.model.load_balancing import (
    LoadBalancing,
    RecordedTarget,
    Registration,
    TargetGroup,
    TargetHealth,
)
from ecs_pipeline.model.release import Container, Marks, Revision, Service, Task, TaskDefinition
from ecs_pipeline.protocol.observe import Observer
from ecs_pipeline.protocol.snapshot import Snapshot
from tests.unit.facts import GROUP, NOW, OTHER_GROUP, group, service, task

APP_AND_ADMIN = (LoadBalancing(GROUP, "app", 8000), LoadBalancing(OTHER_GROUP, "app", 9000))


@dataclass
class Ports:
    """The reads of a look, from facts; `asked` are the calls made, in order."""

    found: Service
    ours: tuple[Task, ...] = ()
    others: tuple[Task, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=lambda: {GROUP: group(), OTHER_GROUP: group(OTHER_GROUP)})
    states: Mapping[tuple[str, str, int], str] = field(default_factory=dict)
    active: Mapping[str, Sequence[str]] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    wholes: Mapping[str, TaskDefinition] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, arn: str) -> TaskDefinition:
        return self.wholes[arn]

    def service(self) -> Service:
        self.asked.append("service")
        return self.found

    def tasks_started_by(self, started_by: str, desired_status: str = "RUNNING") -> tuple[Task, ...]:
        self.asked.append(f"tasks {started_by} {desired_status}")
        return self.ours

    def running_tasks(self) -> tuple[Task, ...]:
        self.asked.append("running tasks")
        return (*self.ours, *self.others)

    def tasks_of_family(self, family: str) -> tuple[Task, ...]:
        self.asked.append(f"tasks of {family}")
        return tuple(task for task in (*self.ours, *self.others) if Revision(task.revision).family == family)

    def instances_of(self, container_instances: Sequence[str]) -> dict[str, str]:
        self.asked.append(f"instances of {' '.join(container_instances)}")
        return {instance: instance.replace("ci", "i") for instance in container_instances}

    def target_group(self, arn: str) -> TargetGroup | None:
        return self.groups.get(arn)

    def health(self, arn: str) -> list[TargetHealth]:
        self.asked.append(f"health of {arn}")
        there = {(identity, port): state for (group, identity, port), state in self.states.items() if group == arn}
        return [TargetHealth(*key, state) for key, state in there.items() if state != "unused"]

    def revisions(self, family: str) -> list[str]:
        self.asked.append(f"revisions {family}")
        return list(self.active.get(family, ()))

    def revision(self, arn: str, active: Iterable[str] = ()) -> Revision:
        release, restores = self.releases.get(arn, ""), self.copies.get(arn, "")
        return Revision(arn, release, active=arn in active, restores=restores)


def observer(ports: Any) -> Observer:
    return Observer(ports, ports, ports, "web", now=lambda: 0.0)


def look(ports: Ports, *, scan: bool = False) -> Snapshot:
    return observer(ports).snapshot(scan=scan)


def recording(*addresses: tuple[str, int], **members: Any) -> Service:
    """The service with these addresses written down."""
    targets = tuple(RecordedTarget(identity, port, NOW) for identity, port in addresses)
    return service(marks=Marks(targets=targets), **members)


def on_instance(**members: Any) -> Task:
    containers = (
        Container("proxy", "RUNNING", host_ports={8000: 1}),
        Container("app", "RUNNING", host_ports={8000: 49153, 9000: 49154}),
    )
    return task("t1", address="", container_instance="ci-7", containers=containers, **members)


def registered(ports: Ports) -> list[tuple[str, str, bool, str]]:
    found: tuple[Registration, ...] = look(ports).registrations
    return [
        (
            registration.target.group,
            str(registration.target),
            registration.draining,
            registration.owner.rpartition("/")[2],
        )
        for registration in found
    ]
