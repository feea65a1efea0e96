"""(1) Looking: our tasks first, then the service with its marks, then the revisions and targets that matter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ecs_pipeline.model.load_balancing import Address, LoadBalancing, Registration, Target, TargetHealth
from ecs_pipeline.model.release import Container, Revision, Service, Task, living
from ecs_pipeline.ports import EcsPort, ElbPort, TaskDefinitionsPort
from ecs_pipeline.protocol import doubts, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot, mismatch

SCANNED = 20
"""So many of the newest ACTIVE revisions of a family are looked at for leftovers of a release."""

TASKS_LAG = 10.0
"""Seconds after which ListTasks names a task that was started ("eventual consistency", Amazon ECS API reference)."""
SERVICE_LAG = 3.0
"""Seconds that a read of the service may be behind."""

INSTANCE = "instance"
UDP = "UDP"
"""The protocol of a target group whose targets are UDP ports; those of TCP_UDP have one number for both."""


class Observer:
    """Reads what a decision needs, with as few calls as it takes."""

    def __init__(
        self,
        ecs: EcsPort,
        definitions: TaskDefinitionsPort,
        elb: ElbPort,
        service: str,
        *,
        now: Callable[[], float],
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._ecs = ecs
        self._definitions = definitions
        self._elb = elb
        self._service = service
        self._now = now
        self._tell = tell
        self._told: set[str] = set()
        self._instances: dict[str, str] = {}
        self._families: set[str] = set()
        self.started_by = release_tags.started_by(service)

    def follow(self, family: str) -> None:
        """Take this family for the service's too: a config, or a person, may name another than the service runs."""
        self._families |= {family} - {""}

    @property
    def families(self) -> frozenset[str]:
        """The families that are taken for the service's: followed, or seen in what it ran."""
        return frozenset(self._families)

    def snapshot(self, *, scan: bool = False, also: Collection[str] = ()) -> Snapshot:
        """One look. `scan`: also the newest revisions of the families in use, to find what a dead process left: those
        that are newer than all that are in use, and `also`.

        What cannot be believed is told once.
        """
        at = self._now()
        tasks, elsewhere = self._living()
        service = self._ecs.service()
        self._families |= {arn.rpartition("/")[2] for arn in service.families()}
        found = self._revisions(service, tasks, scan=scan, also=also)
        released = (task for task in elsewhere if self._released(task, service))
        owners = self._owners((*released, *tasks), service)
        health = self._health(service, owners)
        registrations = self._registrations(service, owners, health, elsewhere)
        seen = Snapshot(tasks, service, found, registrations, self.families, elsewhere, health, at)
        for line in doubts.lines(seen):
            if line not in self._told:
                self._told.add(line)
                self._tell(line)
        return seen

    def tasks(self) -> tuple[Task, ...]:
        """Living tasks with our tags: canaries and baselines of any epoch, and what somebody made look like one."""
        return self._living()[0]

    def tasks_and(self, arn: str) -> dict[str, Task]:
        """The same by ARN, and the task of that ARN, whatever it is, when AWS shows it (one DescribeTasks for all)."""
        arns = self._ecs.arns_started_by(self.started_by, "RUNNING")
        found = self._ecs.tasks(dict.fromkeys((*arns, arn)))
        return {task.arn: task for task in found if task.arn == arn or (task.alive and task.of == self._service)}

    def mismatch(self, task: Task, service: Service) -> str:
        """Why a task with our tags is none of ours; '' when it is."""
        known = task.revision.rpartition(":")[0] in service.families(self._families)
        return mismatch(task, self._definitions.revision(task.revision), known=known)

    def _living(self) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
        """Living tasks that were started as this service's: those with its name in their tag, and the others."""
        living = [task for task in self._ecs.tasks_started_by(self.started_by) if task.alive]
        ours = tuple(task for task in living if task.of == self._service)
        return ours, tuple(task for task in living if task not in ours)

    def left_behind(self) -> tuple[tuple[Task, ...], tuple[Registration, ...], Service | None]:
        """Of a service that was deleted: living tasks with our tags, their targets, and what ECS still shows of it."""
        tasks, service = self.tasks(), self._ecs.deleted_service()
        if service is None:
            return tasks, (), None
        owners = self._owners(tasks, service)
        return tasks, self._registrations(service, owners, self._health(service, owners)), service

    def stopping(self) -> tuple[Task, ...]:
        """Tasks of ours that were told to stop and have not stopped yet, and those that stopped lately."""
        return self._ecs.tasks_started_by(self.started_by, "STOPPED")

    def targets_of(self, task: Task, service: Service) -> tuple[Target, ...]:
        """What a task is registered as: one target for each target group of the service.

        By address with target type `ip`, by container instance and host port with `instance` (bridge and host mode).
        """
        return tuple(target for entry in service.load_balancing if (target := self._target(task, entry)))

    def _target(self, task: Task, entry: LoadBalancing) -> Target | None:
        group = self._elb.target_group(entry.target_group)
        if group is None:
            return None
        if group.kind != INSTANCE:
            address = task.address_in(group.ip_type)
            return Target(entry.target_group, address, entry.port, task.arn) if address else None
        container = next((container for container in task.containers if container.name == entry.container), None)
        instance = self._instance_of(task)
        port = self._host_port(task, container, entry.port, udp=group.protocol == UDP) if container else 0
        return Target(entry.target_group, instance, port, task.arn) if instance and port else None

    def _host_port(self, task: Task, container: Container, port: int, *, udp: bool) -> int:
        """Where a container's port is on its instance, 0 until that is known; host mode binds none: it is the same."""
        bound = container.udp_ports if udp else container.host_ports
        if container.host_ports or container.udp_ports or container.status != "RUNNING":
            return bound.get(port, 0)
        definition = self._definitions.get(task.revision)
        if definition.definition.get("networkMode") != "host":
            return 0
        mapped = (definition.container(container.name) or {}).get("portMappings") or []
        fitting = [mapping for mapping in mapped if (mapping.get("protocol") == "udp") is udp]
        return port if port in [mapping.get("containerPort") for mapping in fitting] else 0

    def _instance_of(self, task: Task) -> str:
        self._know_instances([task])
        return self._instances.get(task.container_instance, "")

    def _know_instances(self, tasks: Iterable[Task]) -> None:
        """Ask for the instances of all the tasks at once: by one at a time a big cluster would be throttled."""
        unknown = {task.container_instance for task in tasks} - set(self._instances) - {""}
        if unknown:
            self._instances.update(dict.fromkeys(unknown, "") | self._ecs.instances_of(sorted(unknown)))

    def holders(self, targets: Iterable[Target], service: Service, tasks: Sequence[Task]) -> dict[Target, str]:
        """Which of the tasks have the targets: their ARNs."""
        groups = [self._elb.target_group(entry.target_group) for entry in service.load_balancing]
        if any(group and group.kind == INSTANCE for group in groups):
            self._know_instances(tasks)
        wanted = {replace(target, task="") for target in targets}
        found = ((target, task.arn) for task in tasks for target in self._possible(task, service))
        return {target: arn for target, arn in found if target in wanted}

    def _revisions(
        self, service: Service, tasks: Iterable[Task], *, scan: bool, also: Collection[str]
    ) -> dict[str, Revision]:
        needed = {service.revision, service.marks.wanted, service.marks.previous} | {task.revision for task in tasks}
        arns = sorted(arn for arn in needed if arn)
        if not scan:
            return {arn: self._definitions.revision(arn) for arn in arns}
        newest = {family: self._definitions.revisions(family) for family in sorted(self._families)}
        active = {arn for listed in newest.values() for arn in listed}
        found = {arn: self._definitions.revision(arn, active) for arn in arns}
        for family, listed in newest.items():
            oldest = min((_made_at(revision) for revision in found.values() if revision.family == family), default=0)
            newer = [arn for arn in listed[:SCANNED] if Revision(arn).number > oldest or arn in also]
            found.update({arn: self._definitions.revision(arn, active) for arn in newer})
        return found

    def _health(self, service: Service, owners: Mapping[Address, str]) -> dict[Address, TargetHealth]:
        """Of all targets of the service's groups, when an address is recorded or a living task of ours has one.

        All are asked for, not those alone: so one call tells what is ours and who shares the traffic.
        """
        if not self._recorded(service, owners):
            return {}
        groups = dict.fromkeys(entry.target_group for entry in service.load_balancing)
        return {(group, *target.key): target for group in groups for target in self._elb.health(group)}

    def _recorded(self, service: Service, owners: Iterable[Address]) -> set[tuple[str, int]]:
        """Recorded addresses, and those of our living tasks: their record may have been taken away by somebody."""
        return {(target.identity, target.port) for target in service.marks.targets} | {
            (key[1], key[2]) for key in owners
        }

    def _registrations(
        self,
        service: Service,
        owners: Mapping[Address, str],
        health: Mapping[Address, TargetHealth],
        elsewhere: tuple[Task, ...] = (),
    ) -> tuple[Registration, ...]:
        """What is registered of them. Of a task that is tagged as another service's only what was recorded for this
        one, unless a release of this one registered what it runs.
        """
        recorded = self._recorded(service, owners)
        owners = {**(self._owners(elsewhere, service) if service.marks.targets else {}), **owners}
        found = [
            Registration(Target(*key), state.draining, owners.get(key, ""))
            for key, state in health.items()
            if state.registered and state.key in recorded
        ]
        if any(not registration.owner and not registration.draining for registration in found):
            return tuple(self._with_other_owners(found, service))
        return tuple(found)

    def _released(self, task: Task, service: Service) -> bool:
        """Whether a release registered its revision, in a family of the service.

        A tag of the task can be written over; its revision and by whom it was started cannot.
        """
        known = task.revision.rpartition(":")[0] in service.families(self._families)
        return known and bool(self._definitions.revision(task.revision).release)

    def _owners(self, tasks: Iterable[Task], service: Service) -> dict[Address, str]:
        return {target.address: task.arn for task in tasks for target in self.targets_of(task, service)}

    def _with_other_owners(self, found: Iterable[Registration], service: Service) -> Iterator[Registration]:
        """Addresses are used again at once: a running task of anybody's may have a recorded one by now (rule 5).

        It mostly is the service's own, so the whole cluster is listed only when none of its family has the address.
        """
        found = list(found)
        unowned = {registration.target for registration in found if not registration.owner}
        holders: dict[Target, str] = {}
        for list_tasks in (
            partial(self._ecs.tasks_of_family, Revision(service.revision).family),
            self._ecs.running_tasks,
        ):
            if unowned - set(holders):
                holders |= self.holders(unowned, service, living(list_tasks()))
        for registration in found:
            yield (
                registration
                if registration.owner
                else replace(registration, owner=holders.get(registration.target, ""))
            )

    def _possible(self, task: Task, service: Service) -> set[Target]:
        return {replace(target, task="") for target in self.targets_of(task, service)}


def _made_at(revision: Revision) -> int:
    """Its number; of a copy the number of the original, for what came between the two may be left over."""
    return Revision(revision.restores or revision.arn).number
