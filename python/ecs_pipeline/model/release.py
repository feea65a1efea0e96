"""What the stages talk about, free of any SDK: frozen facts as they were seen, and what a release is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecs_pipeline.model.load_balancing import IPV6, LoadBalancing, RecordedTarget

CANARY, BASELINE = "canary", "baseline"
"""The roles of a task of ours: `ecs-pipeline:role`."""

PASS, FAIL, INCONCLUSIVE = "pass", "fail", "inconclusive"
"""Verdicts of a check and of a bake."""


@dataclass(frozen=True)
class Epoch:
    """Fence and name in one: which rollbacks have been, and which release the last one cancelled."""

    digest: str = "0"
    cancelled: str = ""


@dataclass(frozen=True)
class Marks:
    """The tags of the service that hold the state of a release; an absent tag is '' or None.

    `scaling`: a promotion holds the automatic scaling, and this was suspended before (scaling.py).
    `unreadable` has a line for each tag that is there and says nothing: it counts as absent.
    """

    epoch: Epoch = Epoch()
    under_way: str = ""
    source: str = ""
    wanted: str | None = None
    release: str = ""
    previous: str | None = None
    approval: str = ""
    targets: tuple[RecordedTarget, ...] = ()
    unreadable: tuple[str, ...] = ()
    scaling: str = ""

    @property
    def begun(self) -> str:
        """The release that is under way and not promoted; '' for none."""
        return "" if self.under_way == self.release else self.under_way


@dataclass(frozen=True)
class Revision:
    """A task-definition revision, as far as releases are concerned; `restores` is the one that it is a copy of.

    `promoted`: a promotion of it began.
    """

    arn: str
    release: str = ""
    epoch: Epoch | None = None
    active: bool = True
    restores: str = ""
    promoted: bool = False
    unreadable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """FAMILY:NUMBER."""
        return self.arn.rpartition("/")[2]

    @property
    def family(self) -> str:
        """The family it belongs to."""
        return self.name.rpartition(":")[0]

    @property
    def number(self) -> int:
        """Its number in the family; numbers are never used again."""
        return int(self.name.rpartition(":")[2])


@dataclass(frozen=True)
class TaskDefinition:
    """A revision whole: `definition` is what AWS sent, every member of it, also those no SDK here knows."""

    revision: Revision
    definition: Mapping[str, Any]
    tags: Mapping[str, str]

    def container(self, name: str) -> Mapping[str, Any] | None:
        """The container definition of that name."""
        return next(
            (container for container in self.definition["containerDefinitions"] if container["name"] == name), None
        )


@dataclass(frozen=True)
class Container:
    """One container of a task. `host_ports` and `udp_ports`: by container port, those of its instance that it has."""

    name: str
    status: str
    health: str = "UNKNOWN"
    exit_code: int | None = None
    reason: str = ""
    runtime_id: str = ""
    host_ports: Mapping[int, int] = field(default_factory=dict)
    udp_ports: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A task as DescribeTasks shows it, with our marks read from its tags; `of` is the service it is a canary of.

    `overridden`: RunTask was given something else than its revision says; `commands`: containers and the words that it
    was given for them, None when something else was overridden as well. `exec_enabled`: commands may be run in it (ECS
    Exec).
    """

    arn: str
    revision: str
    status: str
    desired_status: str
    created: datetime
    started_by: str = ""
    group: str = ""
    of: str = ""
    release: str = ""
    epoch: Epoch = Epoch()
    role: str = CANARY
    index: int = 0
    verdict: str = ""
    judged_steps: int = 0
    judged_tasks: int = 0
    bake_began: datetime | None = None
    unreadable: tuple[str, ...] = ()
    health: str = "UNKNOWN"
    started: datetime | None = None
    address: str = ""
    ipv6: str = ""
    container_instance: str = ""
    containers: tuple[Container, ...] = ()
    stop_code: str = ""
    stopped_reason: str = ""
    overridden: bool = False
    commands: tuple[tuple[str, tuple[str, ...]], ...] | None = ()
    exec_enabled: bool = False

    @property
    def id(self) -> str:
        """The last part of the ARN, as consoles show it."""
        return self.arn.rpartition("/")[2]

    def address_in(self, ip_type: str) -> str:
        """The address that a target group of that IP address type takes; '' without one."""
        return self.ipv6 if ip_type == IPV6 else self.address

    @property
    def any_address(self) -> str:
        """The IPv4 address, else the IPv6 one; '' before there is one."""
        return self.address or self.ipv6

    @property
    def alive(self) -> bool:
        """Neither stopped nor told to stop."""
        return self.desired_status != "STOPPED" and self.status != "STOPPED"

    @property
    def age_key(self) -> tuple[datetime, str]:
        """Of two tasks the one with the smaller key is the older (the same for everybody)."""
        return self.created, self.arn


@dataclass(frozen=True)
class Deployment:
    """One deployment of the service (a rollout), as DescribeServices shows it."""

    id: str
    status: str
    revision: str
    desired: int
    running: int
    pending: int
    failed: int
    rollout: str
    reason: str = ""
    created: datetime | None = None


@dataclass(frozen=True)
class Event:
    """One line of the service's events."""

    id: str
    at: datetime
    message: str


@dataclass(frozen=True)
class Service:
    """The service as DescribeServices shows it; `raw` is the whole answer."""

    arn: str
    name: str
    cluster: str
    status: str
    revision: str
    desired: int
    running: int
    pending: int
    marks: Marks
    deployments: tuple[Deployment, ...]
    events: tuple[Event, ...]
    load_balancing: tuple[LoadBalancing, ...]
    raw: Mapping[str, Any]

    @property
    def primary(self) -> Deployment | None:
        """The deployment that ECS is bringing about or keeps up."""
        return next((deployment for deployment in self.deployments if deployment.status == "PRIMARY"), None)

    def tasks_beside(self, deployment: Deployment) -> int:
        """How many tasks its other deployments have, running or about to be."""
        return sum(other.running + other.pending for other in self.deployments if other is not deployment)

    @property
    def label(self) -> str:
        """CLUSTER/SERVICE."""
        return f"{self.cluster}/{self.name}"

    def families(self, named: Iterable[str] = ()) -> frozenset[str]:
        """Families as ARNs without a number: of what it runs or rolls out, and those named of the same account."""
        run = {self.revision, *(deployment.revision for deployment in self.deployments)} - {""}
        account = self.revision.rpartition("/")[0]
        return frozenset({arn.rpartition(":")[0] for arn in run} | {f"{account}/{family}" for family in named})


@dataclass(frozen=True)
class Image:
    """An image as a revision refers to it: by digest."""

    reference: str
    digest: str


@dataclass(frozen=True)
class EcrRegistry:
    """Where a private registry of Amazon ECR is; '' is the account and the region that the job works in."""

    account: str = ""
    region: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.account, self.region)))


@dataclass(frozen=True)
class Repository:
    """An ECR repository, with the URI that images in it are referred to by."""

    name: str
    uri: str
    registry: EcrRegistry = EcrRegistry()


@dataclass(frozen=True)
class StoredImage:
    """An image in a repository; `is_index`: it refers to others, which have digests of their own."""

    digest: str
    tags: tuple[str, ...]
    pushed: datetime
    is_index: bool = False


@dataclass(frozen=True)
class RevisionUse:
    """That something needs a revision (an ARN, or a family's: its newest); `digests` are images that it runs."""

    revision: str
    user: str
    digests: frozenset[str] = frozenset()


def canaries_for(percent: float, desired: int) -> int:
    """The least n with n / (n + desired) of at least `percent`, and at least one."""
    return max(1, math.ceil(percent * desired / (100 - percent) - 1e-9))


def share(canaries: int, stable: int) -> float:
    """The canaries' part of the traffic in percent, when every target takes the same."""
    return 100 * canaries / (canaries + stable) if canaries else 0.0


def living(tasks: Sequence[Task]) -> list[Task]:
    """Those that are neither stopped nor told to."""
    return [task for task in tasks if task.alive]
