"""Facts of the model with everything filled in that a test does not care about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from ecs_pipeline.model.load_balancing import LoadBalancing, TargetGroup
from ecs_pipeline.model.release import Container, Deployment, Marks, Revision, Service, Task, TaskDefinition
from ecs_pipeline.protocol import release_tags

NOW = datetime(2026, 11, 23, 7, 15, tzinfo=timezone.utc)
ECS = "arn:aws:ecs:ap-northeast-1:123456789012"
GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/1"
OTHER_GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/admin/2"


def revision(number: int, family: str = "web") -> str:
    """The ARN of a revision."""
    return f"{ECS}:task-definition/{family}:{number}"


def later(seconds: float) -> datetime:
    """A time after the first one."""
    return NOW + timedelta(seconds=seconds)


def task(name: str = "t1", **members: Any) -> Task:
    """A running canary task of revision 2."""
    plain = Task(
        arn=f"{ECS}:task/prd/{name}",
        revision=revision(2),
        status="RUNNING",
        desired_status="RUNNING",
        created=NOW,
        started_by="canary/web",
        of="web",
        release="r2",
        address="10.0.0.1",
    )
    return replace(plain, **members)


def crashed(name: str, **members: Any) -> Task:
    """A task whose container ended with an error."""
    container = Container("app", "STOPPED", exit_code=3)
    stop = {"status": "STOPPED", "desired_status": "STOPPED", "stop_code": "EssentialContainerExited"}
    return task(name, **{**stop, "containers": (container,), "stopped_reason": "Essential container exited", **members})


def deployment(number: int = 2, **members: Any) -> Deployment:
    """The rollout of a revision to three tasks, over."""
    plain = Deployment(f"ecs-svc/{number}", "PRIMARY", revision(number), 3, 3, 0, 0, "COMPLETED", created=NOW)
    return replace(plain, **members)


def service(raw: Mapping[str, Any] | None = None, **members: Any) -> Service:
    """A service of three tasks of revision 1 behind one target group; `raw` goes over what AWS would say."""
    document = {"deployments": [{"status": "PRIMARY"}], "tags": {}, **(raw or {})}
    plain = Service(
        arn=f"{ECS}:service/prd/web",
        name="web",
        cluster="prd",
        status="ACTIVE",
        revision=revision(1),
        desired=3,
        running=3,
        pending=0,
        marks=release_tags.parse_service(document["tags"]) if raw else Marks(),
        deployments=(deployment(1),),
        events=(),
        load_balancing=(LoadBalancing(GROUP, "app", 8000),),
        raw=document,
    )
    return replace(plain, **members)


def group(arn: str = GROUP, **members: Any) -> TargetGroup:
    """A target group of addresses."""
    return replace(TargetGroup(arn, "ip", "HTTP", 300, 0, anomaly_detection=False), **members)


def definition(number: int = 2, release: str = "r2", **members: Any) -> TaskDefinition:
    """A revision with one container."""
    document = {"family": "web", "containerDefinitions": [{"name": "app", "image": "a"}], **members}
    return TaskDefinition(Revision(revision(number), release), document, {})
