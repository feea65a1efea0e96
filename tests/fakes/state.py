"""What AWS holds, and what the adapters would tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_pipeline.model.image_scan import ImageScan
from ecs_pipeline.model.load_balancing import LoadBalancing, Target
from ecs_pipeline.model.release import Container, Deployment, Event, Service, Task
from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.protocol import release_tags
from tests.fakes.names import CLUSTER, GROUP, PREFIX, SERVICE, SERVICE_ARN, utc
from tests.fakes.resources import Delays, FakeDeployment, FakeRevision, FakeTask
from tests.fakes.schedule import Schedule

WRITES = frozenset(
    (
        "RunTask",
        "StopTask",
        "TagResource",
        "UntagResource",
        "UpdateService",
        "RegisterTaskDefinition",
        "DeregisterTaskDefinition",
        "BatchDeleteImage",
        "RegisterScalableTarget",
        "RegisterTargets",
        "DeregisterTargets",
    )
)


@dataclass
class State:
    """One cluster, one service, one target group or more, and what a test says of them.

    What is registered is the same in all of its target groups.
    """

    schedule: Schedule = field(default_factory=Schedule)
    delays: Delays = field(default_factory=Delays)
    desired: int = 3
    breaker: bool = True
    revisions: dict[str, FakeRevision] = field(default_factory=dict)
    tasks: dict[str, FakeTask] = field(default_factory=dict)
    service_tags: dict[str, str] = field(default_factory=dict)
    deployments: list[FakeDeployment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    targets: dict[tuple[str, int], tuple[float, float | None]] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    platforms: dict[str, list[str]] = field(default_factory=dict)
    """Platforms of an image, by its digest."""
    log: list[tuple[str, str, Any]] = field(default_factory=list)
    bad_images: dict[str, str] = field(default_factory=dict)
    hook: Callable[[str, str, bool], None] = lambda _when, _call, _write: None
    wrote: Callable[[], None] = lambda: None
    missing: set[str] = field(default_factory=set)
    scans: int = 0
    other_tasks: list[Task] = field(default_factory=list)
    service_tasks: list[tuple[float, str]] = field(default_factory=list)
    other_targets: dict[str, str] = field(default_factory=dict)
    more_groups: tuple[str, ...] = ()
    expired_tokens: set[str] = field(default_factory=set)
    with_load_balancer: bool = True
    deleted: bool = False
    engine_problem: str = ""
    has_buildx: bool = True
    image_scans: list[ImageScan | None] = field(default_factory=lambda: [None])
    scaling: Suspended | None = None
    command_code: int | None = 0
    principal: str = ""
    denied: set[str] | None = None
    health_path: str = ""
    health_codes: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    service_revision: dict[str, Any] = field(default_factory=dict)
    numbers_given: int = 0

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.schedule.now

    def has_group(self, arn: str) -> bool:
        """Whether there is such a target group."""
        return arn in (GROUP, *self.more_groups)

    def fate(self, revision: str) -> str:
        """What becomes of a revision: '' (well), its tasks crash, their targets are unhealthy or their containers sick,
        or only the rollout fails, at once or late: when all its tasks are healthy.
        """
        return self.bad_images.get(self.revisions[revision].image, "")

    # ---- the facts

    def task_facts(self, task: FakeTask) -> Task:
        """A task as the adapter would tell it."""
        running = self.now >= task.created + self.delays.start
        status = "RUNNING" if running else "PENDING"
        if task.stop_asked is not None:
            status = "STOPPED" if self.now >= (task.stopped or 0) else "STOPPING"
        crashed = task.code == "EssentialContainerExited"
        code = self.command_code if task.started_by.startswith("run/") else 3
        return Task(
            arn=task.arn,
            revision=task.revision,
            status=status,
            desired_status="STOPPED" if task.stop_asked is not None else "RUNNING",
            created=utc(task.created),
            started_by=task.started_by,
            group=task.group,
            **release_tags.parse_task(task.tags, task.arn.rpartition("/")[2]),
            address=task.address if running or task.stop_asked else "",
            health=self._health_of(task),
            containers=(Container("app", status, self._health_of(task), exit_code=code if crashed else None),),
            stop_code=task.code,
            stopped_reason=task.reason,
            overridden=bool(task.parameters.get("overrides")),
            commands=_commands(task.parameters.get("overrides") or {}),
            exec_enabled=bool(task.parameters.get("enableExecuteCommand")),
        )

    def _health_of(self, task: FakeTask) -> str:
        """Of its one container: UNKNOWN until it is checked, or where nothing is."""
        checked = "healthCheck" in self.revisions[task.revision].definition["containerDefinitions"][0]
        if not checked or self.now < task.created + self.delays.start + self.delays.healthy:
            return "UNKNOWN"
        return "UNHEALTHY" if self.fate(task.revision) == "sick" else "HEALTHY"

    def listed_of_service(self) -> list[Task]:
        """The service's own tasks, each from when on ListTasks names it, with its address."""
        revision, group = self.deployments[0].revision, f"service:{SERVICE}"
        return [
            Task(
                f"{PREFIX}:task/{CLUSTER}/{address}",
                revision,
                "RUNNING",
                "RUNNING",
                utc(0),
                group=group,
                address=address,
            )
            for listed_from, address in self.service_tasks
            if self.now >= listed_from
        ]

    def service_facts(self) -> Service:
        """The service as the adapter would tell it."""
        primary = self.deployments[0]
        groups = (GROUP, *self.more_groups) if self.with_load_balancer else ()
        breaker = {"deploymentCircuitBreaker": {"enable": self.breaker, "rollback": self.breaker}}
        return Service(
            arn=SERVICE_ARN,
            name=SERVICE,
            cluster=CLUSTER,
            status="ACTIVE",
            revision=primary.revision,
            desired=self.desired,
            running=self.desired,
            pending=0,
            marks=release_tags.parse_service(self.service_tags, SERVICE),
            deployments=tuple(self._deployment(deployment) for deployment in self.deployments),
            events=tuple(self.events),
            load_balancing=tuple(LoadBalancing(group, "app", 8000) for group in groups),
            raw={
                "tags": dict(self.service_tags),
                "deployments": [{"status": "PRIMARY"}],
                "deploymentConfiguration": breaker,
                **self.raw,
            },
        )

    def targets_of_group(self, group: str) -> list[Target]:
        """All that is registered in the target group: canaries, the service's own tasks, those of other services."""
        ours = [Target(group, *key) for key in self.targets]
        theirs = [address for listed_from, address in self.service_tasks if self.now >= listed_from]
        return [*ours, *(Target(group, address, 8000) for address in (*theirs, *self.other_targets))]

    def health(self, target: Target) -> str:
        """The state of a target."""
        if target.key not in self.targets and target.identity in self._of_services:
            return self.other_targets.get(target.identity, "healthy")
        registered = self.targets.get(target.key)
        if registered is None:
            return ""
        since, leaving = registered
        if leaving is not None:
            return "draining"
        owner = next((task for task in self.alive() if task.address == target.identity), None)
        if owner is None or self.fate(owner.revision) == "unhealthy":
            return "unhealthy" if self.now >= since + self.delays.healthy else "initial"
        return "healthy" if self.now >= since + self.delays.healthy else "initial"

    @property
    def _of_services(self) -> set[str]:
        return {address for _, address in self.service_tasks} | set(self.other_targets)

    def _deployment(self, deployment: FakeDeployment) -> Deployment:
        return Deployment(
            deployment.id,
            deployment.status,
            deployment.revision,
            self.desired,
            self._running(deployment),
            0,
            deployment.failed,
            deployment.rollout,
            "",
            utc(deployment.created),
        )

    def _running(self, deployment: FakeDeployment) -> int:
        """Tasks of a deployment that are not told to stop: the old ones are, once the new ones are healthy."""
        primary = self.deployments[0]
        well = self.fate(primary.revision) in ("", "late")
        leaving = primary.rollout == "IN_PROGRESS" and well and self.now >= primary.created + self.delays.rollout
        runs = deployment.rollout == "COMPLETED" and not leaving
        return self.desired if runs or (leaving and deployment is primary) else 0

    # ---- for tests

    def alive(self) -> list[FakeTask]:
        """Canary tasks that were not told to stop."""
        return [task for task in self.tasks.values() if task.stop_asked is None]

    def registered(self) -> list[tuple[str, int]]:
        """Addresses in the target group that are not draining."""
        return [key for key, (_, leaving) in self.targets.items() if leaving is None]

    def writes(self) -> list[str]:
        """Names of the writing calls so far."""
        return [name for _, name, _ in self.log if name in WRITES]

    def marks(self) -> Mapping[str, str]:
        """The service's tags of ours, without the records of targets and empty ones."""
        return {
            key.removeprefix(release_tags.PREFIX): value
            for key, value in self.service_tags.items()
            if value and not key.startswith(release_tags.TARGETS)
        }


def _commands(overrides: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """Of each container that was given one; None when anything else is overridden."""
    given = overrides.get("containerOverrides", [])
    if set(overrides) - {"containerOverrides"} or any(set(override) - {"name", "command"} for override in given):
        return None
    return tuple((override["name"], tuple(override["command"])) for override in given)
