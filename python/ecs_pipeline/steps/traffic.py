"""The canary's traffic: written down, then registered in every target group of the service, then healthy there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.record import CanaryTaskRecord
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.load_balancing import Address, Target, TargetHealth, group_name
from ecs_pipeline.model.release import BASELINE, CANARY, Service, Task, TaskDefinition, share
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.ended import ended
from ecs_pipeline.timing.wait import Broken, Judgement, Settled, Waiting

HOPELESS = {
    "Target.NotInUse": "no load balancer sends it traffic, or the target's zone is not enabled on it",
    "Target.IpUnusable": "the address cannot be a target",
    "Target.HealthCheckDisabled": "the group's health check is switched off",
    "Target.InvalidState": "the instance does not run",
}
"""Reasons of DescribeTargetHealth that no waiting changes."""

ROOM = 46
"""Tags that a service may have before records that are no longer needed make room (ECS allows 50)."""


@dataclass(frozen=True)
class Seen:
    """The tasks as they are, their targets, and the health of those that are registered.

    `at`: when they were asked for, on the run's clock.
    """

    tasks: tuple[Task, ...]
    targets: tuple[Target, ...]
    health: dict[Address, TargetHealth]
    at: float = 0.0

    def any(self, target: Target) -> TargetHealth | None:
        """What the group says of a target, be it draining or gone."""
        return self.health.get(target.address)

    def of(self, target: Target) -> TargetHealth | None:
        """The health of a target; None when it is not registered, or draining."""
        found = self.any(target)
        return found if found and found.registered and not found.draining else None

    def with_those_of(self, other: Seen) -> Seen:
        """Both, as old as the older."""
        tasks, targets = (*self.tasks, *other.tasks), (*self.targets, *other.targets)
        return Seen(tasks, targets, {**self.health, **other.health}, min(self.at, other.at))


def targets_seen(run: Run, tasks: Sequence[Task], service: Service, *, anomalies: bool = False) -> Seen:
    """Tasks as they are now, and their targets."""
    return targets_of_arns(run, [task.arn for task in tasks], service, anomalies=anomalies)


def targets_of_arns(run: Run, arns: Sequence[str], service: Service, *, anomalies: bool = False) -> Seen:
    """Tasks (DescribeTasks) and their targets (DescribeTargetHealth, once for each group)."""
    at, now = run.clock.now(), run.ecs.tasks(arns) if arns else ()
    targets = _targets_of(run, now, service)
    health = {}
    for group in dict.fromkeys(target.group for target in targets):
        inside = [target for target in targets if target.group == group]
        settings = run.elb.target_group(group)
        detect = anomalies and settings is not None and settings.anomaly_detection
        for state in run.elb.health(group, inside, anomalies=detect):
            health[group, state.identity, state.port] = state
    return Seen(now, targets, health, at)


def _targets_of(run: Run, tasks: Iterable[Task], service: Service) -> tuple[Target, ...]:
    return tuple(target for task in tasks if task.alive for target in run.observer.targets_of(task, service))


def healthy_others(run: Run, seen: Seen, default: int, groups: Sequence[str] = ()) -> int:
    """How many healthy targets beside ours share the traffic, another service's too (DescribeTargetHealth).

    Of several groups the one in which the canary's share is the largest counts; `default` when no group tells.
    Never fails: it is for the eye only.
    """
    listed = []
    for group in dict.fromkeys((*(target.group for target in seen.targets), *groups)):
        with suppress(Trouble):
            listed.append(run.elb.health(group))
    return _others(listed, seen.targets, default)


def _others(groups: Iterable[Sequence[TargetHealth]], ours: Iterable[Target], default: int) -> int:
    """How many healthy targets beside ours are in the group that has the fewest; `default` when no group tells."""
    keys = {target.key for target in ours}
    counts = [sum(each.state == "healthy" and each.key not in keys for each in listed) for listed in groups if listed]
    return min(counts, default=default)


def others_in(health: Mapping[Address, TargetHealth], ours: Sequence[Target], default: int) -> int:
    """The same of the groups that ours are in, when the health of all their targets is known already."""
    groups = dict.fromkeys(target.group for target in ours)
    return _others(([state for key, state in health.items() if key[0] == group] for group in groups), ours, default)


def seen_at(run: Run, seen: Snapshot, tasks: Sequence[Task]) -> Seen:
    """Tasks and their targets as one look saw them: nothing is asked again."""
    return Seen(tuple(tasks), _targets_of(run, tasks, seen.service), dict(seen.health))


@dataclass
class TrafficStep(Step[Seen, Seen]):
    """Targets of all canary tasks, healthy in every target group; nothing to do without a load balancer.

    `tasks` are as they were seen just now. `uncounted`: tasks of ours beside them that are no part of the share that is
    told. `new`: this process started the tasks, so none is registered, and to register one again does no harm.
    """

    run: Run
    fence: Fence
    service: Service
    tasks: list[Task]
    revision: TaskDefinition
    container: str
    role: str = CANARY
    uncounted: Sequence[Task] = ()
    new: bool = False
    name = "traffic"
    late = True
    _begun: bool = field(default=False, init=False)

    def observe(self) -> Seen:
        """The tasks, at first as they are given, and the health of all targets of the groups that they belong in."""
        at, first, now = self.run.clock.now(), not self._begun, tuple(self.tasks)
        self._begun = True
        if not first:
            now = self.run.ecs.tasks([task.arn for task in now])
        targets = _targets_of(self.run, now, self.service)
        groups = dict.fromkeys(target.group for target in targets) if not (first and self.new) else ()
        health = {(group, *health.key): health for group in groups for health in self.run.elb.health(group)}
        return Seen(now, targets, health, at)

    def decide(self, seen: Seen) -> str:
        """Register those that are not in."""
        missing = self._missing(seen)
        groups = ", ".join(dict.fromkeys(group_name(target.group) for target in missing))
        return f"register {', '.join(dict.fromkeys(str(target) for target in missing))} in {groups}" if missing else ""

    def act(self, seen: Seen) -> None:
        """(5) The record first, so that the address is found when this process dies between the two."""
        missing = self._missing(seen)
        record = release_tags.record_of(missing, self.run.clock.wall())
        make_room(self.run, self.fence, len(record))
        self.fence.write(lambda: self.run.ecs.tag(self.service.arn, record))
        for group in dict.fromkeys(target.group for target in missing):
            inside = [target for target in missing if target.group == group]
            self.fence.write(partial(self.run.elb.register, group, inside))

    def judge(self, seen: Seen) -> Judgement[Seen]:
        """Every target is healthy."""
        for task in evidence.stopped(seen.tasks):
            return ended(self.run, task, self.revision, self.container, self.role)
        waiting = []
        for target in seen.targets:
            health = seen.of(target)
            if health and health.reason in HOPELESS:
                return Broken(f"target {target}: {health.reason}: {HOPELESS[health.reason]}", (health.description,))
            if health is None or health.state != "healthy":
                waiting.append(f"{target} {_described(health)}")
        expected = len(self.tasks) * len(self.service.load_balancing)
        if waiting or len(seen.targets) < expected:
            return Waiting(f"targets: {', '.join(waiting) or 'the task has no address yet'}")
        return Settled(seen)

    def evidence(self) -> list[str]:
        """The tasks and their logs."""
        seen = self.observe()
        return evidence.of_tasks(self.run, seen.tasks, self.revision, self.container)

    def told(self, result: Seen) -> str:
        """The share."""
        if not result.targets:
            return f"the service has no load balancer: the {self.role} takes no traffic"
        if self.role == BASELINE:
            return f"as much for {', '.join(str(target) for target in result.targets)}"
        tasks, others = len(self.tasks), self.others(result)
        return f"{tasks} of {tasks + others} targets: {share(tasks, others):.0f} % of the traffic"

    def others(self, result: Seen) -> int:
        """How many healthy targets share the traffic, as the last look saw it."""
        ours = (*result.targets, *_targets_of(self.run, self.uncounted, self.service))
        return others_in(result.health, ours, self.service.running)

    def _missing(self, seen: Seen) -> list[Target]:
        return [target for target in seen.targets if seen.of(target) is None]


def record_tasks(run: Run, tasks: Sequence[Task], targets: Sequence[Target] = ()) -> None:
    """Write the canary's tasks into the record, with the groups that their targets are in."""
    run.recorder.record.canary = [
        CanaryTaskRecord(
            arn=task.arn,
            ip=task.any_address,
            target_groups=tuple(target.group for target in targets if target.task == task.arn),
            state=task.status,
            role=task.role,
            registered=tuple(str(target) for target in targets if target.task == task.arn),
            created=task.created,
        )
        for task in tasks
    ]


def record_share(run: Run, tasks: Sequence[Task], others: int, seen: Seen) -> None:
    """Write the tasks and the canary's share of the traffic into the record.

    `others`, the healthy ones of its target group, have the rest. A baseline is written down as well, and counts
    neither among the canaries nor in the share.
    """
    record_tasks(run, tasks, [target for target in seen.targets if seen.of(target)])
    record_traffic(run, others)


def record_seen(run: Run, seen: Snapshot) -> None:
    """Write the living canary into the record as one look saw it: tasks, their target groups, share."""
    tasks = [*seen.canaries, *seen.baselines]
    registered = [
        registration for registration in seen.registrations if registration.owner and not registration.draining
    ]
    targets = [replace(target.target, task=target.owner) for target in registered]
    record_tasks(run, tasks, targets)
    record_traffic(run, others_in(seen.health, targets, seen.service.running))


def record_departure(run: Run, targets: Sequence[Target]) -> None:
    """Write down that these targets get no new requests."""
    record = run.recorder.record
    for task in record.canary:
        left = {target.group for target in targets if str(target) in task.registered}
        task.target_groups = tuple(group for group in task.target_groups if group not in left)
    if record.traffic and in_traffic(run) < record.traffic[-1].canaries:
        record_traffic(run, record.traffic[-1].stable)


def record_traffic(run: Run, stable: int) -> None:
    """Write down what part of the traffic the canary has from now on; `stable` other tasks have the rest."""
    run.recorder.record.share = share(in_traffic(run), stable)
    run.recorder.traffic(in_traffic(run), stable)


def in_traffic(run: Run) -> int:
    """How many of the canary's tasks take traffic, as far as it is written down."""
    return sum(1 for task in run.recorder.record.canary if task.role == CANARY and task.target_groups)


def make_room(run: Run, fence: Fence, needed: int) -> None:
    """Drop records older than a day; when tags get scarce, also those whose addresses are not registered."""
    service = fence.require()
    tags = service.raw.get("tags") or {}
    outdated = release_tags.outdated_records(tags, run.clock.wall())
    if len(tags) - len(outdated) + needed > ROOM:
        registered = {registration.target.key for registration in run.observer.snapshot().registrations}
        outdated += [key for key in release_tags.unregistered_records(tags, registered) if key not in outdated]
    if outdated:
        fence.write(lambda: run.ecs.untag(service.arn, outdated))


def _described(health: TargetHealth | None) -> str:
    if health is None:
        return "not registered yet"
    reason = f" ({health.reason}{': ' + health.description if health.description else ''})" if health.reason else ""
    return f"{health.state}{reason}"
