"""The ports of the stages on a World, and a Run made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ecs_pipeline.aws.ecs_facts import parse_revision
from ecs_pipeline.config.lookups import EnvironmentSource, Lookups
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.engine.run import Origin, Run, note
from ecs_pipeline.errors import InvalidInput, NoService, ReleaseFailed, Trouble
from ecs_pipeline.images.build import Build
from ecs_pipeline.model.image_scan import ImageScan
from ecs_pipeline.model.load_balancing import Target, TargetGroup, TargetHealth
from ecs_pipeline.model.release import EcrRegistry, Repository, Revision, Service, Task, TaskDefinition
from ecs_pipeline.model.scaling import Suspended
from ecs_pipeline.model.telemetry import Alarm, LogLine, LogStream, Quota, Series
from ecs_pipeline.ports import OWN_REGISTRY
from ecs_pipeline.protocol.observe import Observer
from ecs_pipeline.task_definitions import definition_file
from tests.fakes import refusals
from tests.fakes.world import CLUSTER, REGISTRY, SERVICE, World, digest_of, utc

T = TypeVar("T")
REASONS = {
    "healthy": "",
    "initial": "Elb.InitialHealthChecking",
    "unhealthy": "Target.FailedHealthChecks",
    "draining": "Target.DeregistrationInProgress",
    "unused": "Target.NotRegistered",
}
"""Why a target is in its state (Elastic Load Balancing API reference, data type TargetHealth)."""
READ_ONLY = frozenset(("taskDefinitionArn", "revision", "status", "registeredAt"))


class FakeClock:
    """Time of the schedule."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.waited = 0.0

    def now(self) -> float:
        return self._world.now

    def wall(self) -> datetime:
        return utc(self._world.now)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self._world.schedule.sleep(seconds)

    def check(self) -> None:
        return


class FakeEcs:
    """EcsPort."""

    def __init__(self, world: World) -> None:
        self.world = world

    def service(self) -> Service:
        if self.world.deleted:
            raise NoService("no service web in cluster prd")
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
                one.arn
                for one in self.world.tasks.values()
                if one.started_by == started_by
                and one.arn not in self.world.missing
                and (one.stop_asked is not None) == (desired_status == "STOPPED")
            ]

        return self._read("ListTasks", found)

    def arns_of_service(self, desired_status: str = "RUNNING") -> list[str]:
        def found() -> list[str]:
            return [task.arn for task in self.world.listed_of_service()] if desired_status == "RUNNING" else []

        return self._read("ListTasks", found)

    def tasks_of_family(self, family: str) -> tuple[Task, ...]:
        return tuple(one for one in self._running() if Revision(one.revision).family == family)

    def running_tasks(self) -> tuple[Task, ...]:
        self.world.scans += 1
        return (*self._running(), *self.world.other_tasks)

    def _running(self) -> tuple[Task, ...]:
        ours = self._read(
            "ListTasks", lambda: [one.arn for one in self.world.alive() if one.arn not in self.world.missing]
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
                one
                for one in self.world.revisions.values()
                if Revision(one.arn).family == family and one.active == (status == "ACTIVE") and not one.forgotten
            ]
            return [one.arn for one in sorted(same, key=lambda one: Revision(one.arn).number, reverse=True)][:most]

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
        one = self.world.revisions[arn]
        definition = {**one.definition, "taskDefinitionArn": arn, "status": "ACTIVE" if one.active else "INACTIVE"}
        return TaskDefinition(parse_revision(definition, one.tags), definition, dict(one.tags))


class FakeElb:
    """ElbPort."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._known: set[str] = set()

    def target_group(self, arn: str) -> TargetGroup | None:
        """Read once, as the adapter does."""
        if arn not in self._known:
            for name in ("DescribeTargetGroups", "DescribeTargetGroupAttributes"):
                if not self.world.call(name, lambda: self.world.has_group(arn), write=False):
                    return None
            self._known.add(arn)
        drain, checked = int(self.world.delays.drain), (self.world.health_path, self.world.health_codes)
        return TargetGroup(
            arn, "ip", "HTTP", drain, 0, anomaly_detection=False, health_path=checked[0], health_codes=checked[1]
        )

    def health(self, group: str, targets: Sequence[Target] = (), *, anomalies: bool = False) -> list[TargetHealth]:
        def found() -> list[TargetHealth]:
            if not self.world.has_group(group):
                return []
            asked = targets or self.world.targets_of_group(group)
            states = [(target, self.world.health(target) or "unused") for target in asked]
            return [TargetHealth(target.identity, target.port, state, REASONS[state]) for target, state in states]

        return self.world.call("DescribeTargetHealth", found, write=False)

    def register(self, group: str, targets: Sequence[Target]) -> None:
        def act() -> None:
            if not self.world.has_group(group):
                raise ReleaseFailed(f"target group {group} of the service does not exist any more")
            for one in targets:
                state = self.world.targets.get(one.key)
                if state is None or state[1] is not None:
                    self.world.targets[one.key] = (self.world.now, None)

        self.world.call("RegisterTargets", act, write=True, detail=[one.key for one in targets])

    def deregister(self, group: str, targets: Sequence[Target]) -> None:
        def act() -> None:
            for one in targets:
                state = self.world.targets.get(one.key)
                if state is not None and state[1] is None and self.world.has_group(group):
                    self.world.targets[one.key] = (state[0], self.world.now)

        self.world.call("DeregisterTargets", act, write=True, detail=[one.key for one in targets])


class FakeRepositories:
    """RepositoryPort: tags are versions, so that a digest tells which."""

    def __init__(self, world: World) -> None:
        self.world = world

    def repository(self, name: str, registry: EcrRegistry = OWN_REGISTRY) -> Repository | None:
        return Repository(name, f"{REGISTRY}/{name}", registry) if name == SERVICE else None

    def digest(self, repository: str, *, tag: str = "", digest: str = "", registry: EcrRegistry = OWN_REGISTRY) -> str:
        def found() -> str:
            known = {**self.world.images, **{one: one for one in self.world.images.values()}}
            return known.get(digest or tag, "")

        return self.world.call("DescribeImages", found, write=False)

    def labels(
        self, repository: str, digest: str, platform: str, registry: EcrRegistry = OWN_REGISTRY
    ) -> Mapping[str, str]:
        self.world.call("BatchGetImage", lambda: None, write=False)
        return self.world.call("GetDownloadUrlForLayer", lambda: self.world.labels.get(digest, {}), write=False)

    def platforms(self, repository: str, digest: str, registry: EcrRegistry = OWN_REGISTRY) -> list[str]:
        return self.world.call("BatchGetImage", lambda: self.world.platforms.get(digest, []), write=False)

    def credentials(self, registry: EcrRegistry = OWN_REGISTRY) -> tuple[str, str]:
        return "AWS", "password"


class FakeScans:
    """ScansPort: the scans that a test lined up, the last one is repeated."""

    def __init__(self, world: World) -> None:
        self.world = world

    def scanned(self, repository: Repository, digest: str, platform: str) -> str:
        return digest

    def scan(self, repository: Repository, digest: str) -> ImageScan | None:
        scans = self.world.image_scans

        def next_scan() -> ImageScan | None:
            return scans.pop(0) if len(scans) > 1 else scans[0]

        return self.world.call("DescribeImageScanFindings", next_scan, write=False)


class FakeScaling:
    """ScalingPort: one scalable target, or none."""

    def __init__(self, world: World) -> None:
        self.world = world

    def suspended(self, service: Service) -> Suspended | None:
        return self.world.call("DescribeScalableTargets", lambda: self.world.scaling, write=False)

    def suspend(self, service: Service, wanted: Suspended) -> None:
        def suspended() -> None:
            if self.world.scaling is None:
                raise Trouble("application-autoscaling:RegisterScalableTarget: ValidationException: it needs limits")
            self.world.scaling = wanted

        self.world.call("RegisterScalableTarget", suspended, write=True, detail=wanted)

    def command(self, service: Service, wanted: Suspended) -> str:
        return f"aws … register-scalable-target … {wanted}"


class FakeEngine:
    """EnginePort: the version that is built is the release's tag."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.labels: Mapping[str, str] = {}

    def has_dockerfile(self, context: Path, dockerfile: str) -> bool:
        return dockerfile != "gone"

    def has_buildx(self) -> bool:
        return self.world.has_buildx

    def problem(self) -> str:
        return self.world.engine_problem

    def build(self, build: Build, told: Callable[[str], None]) -> None:
        self.labels = build.labels
        told("built")

    def push(self, tag: str, login: tuple[str, str], told: Callable[[str], None]) -> None:
        name = tag.rpartition(":")[2]
        self.world.images[name] = digest_of(name)
        self.world.labels[digest_of(name)] = self.labels


class FakeLogs:
    """LogsPort: lines that a test puts there."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []

    def tail(self, task: Task, definition: TaskDefinition, container: str, lines: int = 20) -> list[str]:
        return ["the last line"]

    def streams(self, task: Task, definition: TaskDefinition) -> list[LogStream]:
        return [LogStream("/web", f"app/app/{task.id}")]

    def matches(self, streams: Sequence[LogStream], pattern: str, since: datetime) -> list[LogLine]:
        return [one for one in self.lines if one.at >= since and one.stream in {each.name for each in streams}]


class FakeCloudWatch:
    """CloudWatchPort: alarms and series that a test puts there; it counts the calls."""

    def __init__(self) -> None:
        self.there: dict[str, Alarm] = {}
        self.points: Callable[[Mapping[str, Any]], Mapping[datetime, float]] = lambda _query: {}
        self.calls: list[str] = []

    def alarms(self, names: Sequence[str], prefixes: Sequence[str] = ()) -> list[Alarm]:
        self.calls.append("DescribeAlarms")
        return [one for one in self.there.values() if one.name in names or one.name.startswith((*prefixes, "\0"))]

    def series(self, queries: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> list[Series]:
        self.calls.append("GetMetricData")
        returned = [one for one in queries if one.get("ReturnData", True)]
        return [
            Series(one["Id"], points={at: value for at, value in self.points(one).items() if since <= at <= until})
            for one in returned
        ]

    def mistake(self, queries: Sequence[Mapping[str, Any]]) -> str:
        return ""


class FakePermissions:
    """PermissionsPort: everything is allowed but what the world denies."""

    def __init__(self, world: World) -> None:
        self.world = world

    def principal(self) -> str:
        return self.world.principal

    def allowed(
        self, principal: str, actions: Sequence[str], resources: Sequence[str], keys: Mapping[str, Sequence[str]]
    ) -> set[tuple[str, str]] | None:
        if self.world.denied is None:
            return None
        pairs = {(action, resource) for action in actions for resource in resources}
        return {pair for pair in pairs if pair[0] not in self.world.denied}


class FakeQuotas:
    """QuotasPort: the quota that a test sets; without one the caller may not ask."""

    def __init__(self, quota: Quota | None = None) -> None:
        self.quota = quota
        self.spot: bool | None = None

    def fargate_vcpus(self, *, spot: bool) -> Quota:
        self.spot = spot
        if self.quota is None:
            raise Trouble("servicequotas:GetServiceQuota: AccessDenied")
        return self.quota


class FakeSecrets:
    """SecretsPort: what is wrong with each secret; the others are there."""

    def __init__(self, problems: Mapping[str, str | None] | None = None) -> None:
        self.problems = problems or {}

    def problem(self, value_from: str) -> str | None:
        return self.problems.get(value_from, "")


def new_run(world: World, stage: str, steps: Sequence[str], settings: Mapping[str, Any] | None = None) -> Run:
    """A run of a stage on a world."""
    defaults: dict[str, Any] = {"cluster": CLUSTER, "service": SERVICE, "image": {"repository": SERVICE}}
    quick = {"canary": {"bake": "5s", "healthy_within": "30s"}}
    chosen = Settings.model_validate({**defaults, **quick, **(settings or {})})
    clock = FakeClock(world)
    record = StageRecord(stage, CLUSTER, SERVICE, "", clock.wall(), [StepRecord(name) for name in steps])
    ecs, definitions, elb = FakeEcs(world), FakeDefinitions(world), FakeElb(world)
    recorder = Recorder(record, clock, ())
    observer = Observer(ecs, definitions, elb, SERVICE, partial(note, recorder))
    if chosen.task_definition:
        observer.follow(definition_file.family(Path(chosen.task_definition), Lookups(EnvironmentSource({}))))
    return Run(
        settings=chosen,
        folder=Path(),
        ecs=ecs,
        definitions=definitions,
        elb=elb,
        repositories=FakeRepositories(world),
        scans=FakeScans(world),
        scaling=FakeScaling(world),
        engine=FakeEngine(world),
        logs=FakeLogs(),
        cloudwatch=FakeCloudWatch(),
        permissions=FakePermissions(world),
        quotas=FakeQuotas(),
        secrets=FakeSecrets(),
        clock=clock,
        recorder=recorder,
        observer=observer,
        origin=Origin(),
    )
