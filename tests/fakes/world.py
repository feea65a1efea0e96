"""What AWS holds, how it changes with time, and the calls that read and write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.image_scan import ImageScan
from ecs_pipeline.model.load_balancing import LoadBalancing, Target
from ecs_pipeline.model.release import Container, Deployment, Event, Revision, Service, Task
from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.protocol import release_tags
from tests.fakes import refusals
from tests.fakes.schedule import Schedule

T = TypeVar("T")
CLUSTER, SERVICE, FAMILY = "prd", "web", "web"
PREFIX = "arn:aws:ecs:ap-northeast-1:123456789012"
SERVICE_ARN = f"{PREFIX}:service/{CLUSTER}/{SERVICE}"
GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/1"
REGISTRY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"


@dataclass
class FakeTask:
    """A task: its state follows from the times at which things happened to it."""

    arn: str
    revision: str
    tags: dict[str, str]
    token: str
    parameters: dict[str, Any]
    created: float
    address: str
    started_by: str = ""
    group: str = ""
    stop_asked: float | None = None
    stopped: float | None = None
    reason: str = ""
    code: str = ""
    deployment: str = ""


@dataclass
class FakeRevision:
    """A revision; `image` decides how its tasks fare; a `forgotten` one is described no more."""

    arn: str
    definition: dict[str, Any]
    tags: dict[str, str]
    active: bool = True
    deregistered: float = 0.0
    forgotten: bool = False

    @property
    def image(self) -> str:
        """The image of the first container."""
        return str(self.definition["containerDefinitions"][0]["image"])


@dataclass
class FakeDeployment:
    """A rollout of the service."""

    id: str
    revision: str
    created: float
    status: str = "PRIMARY"
    rollout: str = "IN_PROGRESS"
    failed: int = 0


@dataclass
class Delays:
    """Seconds that things take; `leaving`: how long a rollout's old tasks take to go once all new ones are healthy."""

    start: float = 1.0
    healthy: float = 2.0
    drain: float = 3.0
    stop: float = 1.0
    rollout: float = 4.0
    leaving: float = 0.0


@dataclass
class World:
    """AWS with one cluster, one service, one target group."""

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

    def __post_init__(self) -> None:
        first = self.register(definition_with(f"{REGISTRY}/web@{digest_of('v1')}"), {"team": "lab"})
        self.images = {digest_of("v1"): digest_of("v1"), **self.images}
        self.deployments = [FakeDeployment("ecs-svc/0", first, self.now - 1000, rollout="COMPLETED")]
        self.service_tasks = [(0, f"10.1.0.{number}") for number in range(1, self.desired + 1)]

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.schedule.now

    def _next_number(self) -> int:
        self.numbers_given += 1
        return self.numbers_given

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
        number = 1 + sum(1 for one in self.revisions if f"/{family}:" in one)
        arn = f"{PREFIX}:task-definition/{family}:{number}"
        self.revisions[arn] = FakeRevision(arn, dict(definition), dict(tags))
        return arn

    def run_task(self, parameters: Mapping[str, Any]) -> str:
        """RunTask: the task that the token stands for, started now if it is new. Raises Trouble."""
        refusals.check_request(parameters)
        token = str(parameters["clientToken"])
        for one in self.tasks.values():
            if one.token == token and token not in self.expired_tokens:
                return one.arn
        revision = self.usable("RunTask", str(parameters["taskDefinition"]))
        self.expired_tokens.discard(token)
        number = self._next_number()
        arn = f"{PREFIX}:task/{CLUSTER}/{number:032x}"
        self.tasks[arn] = FakeTask(
            arn=arn,
            revision=revision,
            tags={one["key"]: one["value"] for one in parameters["tags"]},
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
        for one in self.deployments:
            one.status = "ACTIVE"
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

    def has_group(self, arn: str) -> bool:
        """Whether there is such a target group."""
        return arn in (GROUP, *self.more_groups)

    def fate(self, revision: str) -> str:
        """What becomes of a revision: '' (well), its tasks crash, their targets are unhealthy or their containers sick,
        or only the rollout fails, at once or late: when all its tasks are healthy.
        """
        return self.bad_images.get(self.revisions[revision].image, "")

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
                back = next(one for one in self.deployments[1:] if one.rollout == "COMPLETED")
                self.deployments.remove(back)
                self.deployments.insert(0, replace(back, id=f"ecs-svc/{self._next_number()}", status="PRIMARY"))
            return
        primary.rollout = "COMPLETED"
        self.deployments = [primary]

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
        balancing = (LoadBalancing(GROUP, "app", 8000),) if self.with_load_balancer else ()
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
            deployments=tuple(self._deployment(one) for one in self.deployments),
            events=tuple(self.events),
            load_balancing=balancing,
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
        owner = next((one for one in self.alive() if one.address == target.identity), None)
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
        return [one for one in self.tasks.values() if one.stop_asked is None]

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


def digest_of(version: str) -> str:
    """A digest that tells versions apart."""
    return "sha256:" + version.encode().hex().ljust(64, "0")


def definition_with(image: str, family: str = FAMILY) -> dict[str, Any]:
    """A small task definition."""
    return {
        "family": family,
        "containerDefinitions": [{"name": "app", "image": image, "portMappings": [{"containerPort": 8000}]}],
        "networkMode": "awsvpc",
    }


def utc(seconds: float) -> datetime:
    """A time as the model has it."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def names(items: Sequence[str]) -> list[str]:
    """FAMILY:NUMBER of ARNs."""
    return [one.rpartition("/")[2] for one in items]


def _commands(overrides: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """Of each container that was given one; None when anything else is overridden."""
    given = overrides.get("containerOverrides", [])
    if set(overrides) - {"containerOverrides"} or any(set(one) - {"name", "command"} for one in given):
        return None
    return tuple((one["name"], tuple(one["command"])) for one in given)
