"""Which permissions a request needs, as the Service Authorization Reference has them: actions, resources, keys.

Of the operations that the package calls those that have resources or keys of their own; all others need their action
on "*".
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ministack.services import secretsmanager

from embedded_aws import scalable_targets
from embedded_aws.api import ApiError
from embedded_aws.ecs import tags, task_definitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from embedded_aws.api import Members

TASKS = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True)
class Need:
    """One permission: an action on a resource, with the condition keys of the request (in lower case)."""

    action: str
    resource: str = "*"
    keys: dict[str, Any] = field(default_factory=dict)


def of(prefix: str, operation: str, request: Members) -> list[Need]:
    """Give the permissions that a request needs, the operation's own first; raise ApiError for what does not exist."""
    special = _SPECIAL.get(f"{prefix}:{operation}")
    return list(special(f"{prefix}:{operation}", request)) if special else [Need(f"{prefix}:{operation}")]


# ---- Amazon ECS


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{os.environ['MINISTACK_REGION']}:{os.environ['MINISTACK_ACCOUNT_ID']}:{resource}"


def _named(kind: str, cluster: str, reference: str) -> str:
    """The ARN of a task, service or container instance that is named by its ARN or by its last part."""
    return reference if reference.startswith("arn:") else _arn("ecs", f"{kind}/{cluster}/{reference}")


def _cluster(request: Members) -> str:
    return str(request.get("cluster") or "default").rpartition("/")[2]


def _in_cluster(cluster: str) -> dict[str, Any]:
    return {"ecs:cluster": _arn("ecs", f"cluster/{cluster}")}


def _resource_tags(arn: str) -> dict[str, Any]:
    return {f"aws:resourcetag/{tag['key'].lower()}": tag["value"] for tag in tags.read(arn)}


def _request_tags(request: Members) -> dict[str, Any]:
    given = request.get("tags") or []
    if not given:
        return {}
    values = {f"aws:requesttag/{tag['key'].lower()}": tag.get("value", "") for tag in given}
    return {**values, "aws:tagkeys": [tag["key"] for tag in given]}


def _each(kind: str, member: str) -> Callable[[str, Members], Iterator[Need]]:
    """An operation on resources of a cluster that the request lists."""

    def needs(action: str, request: Members) -> Iterator[Need]:
        cluster = _cluster(request)
        for reference in _listed(request.get(member)):
            arn = _named(kind, cluster, reference)
            yield Need(action, arn, {**_in_cluster(cluster), **_resource_tags(arn)})

    return needs


def _service_revisions(action: str, request: Members) -> Iterator[Need]:
    for arn in _listed(request.get("serviceRevisionArns")):
        yield Need(action, arn)


def _listed(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else value or []


def _list_tasks(action: str, request: Members) -> Iterator[Need]:
    cluster = _cluster(request)
    yield Need(action, _arn("ecs", f"container-instance/{cluster}/*"), _in_cluster(cluster))


def _update_service(action: str, request: Members) -> Iterator[Need]:
    cluster = _cluster(request)
    arn = _named("service", cluster, str(request.get("service", "")))
    wanted = request.get("taskDefinition")
    revision = {"ecs:task-definition": _definition(wanted)["taskDefinitionArn"]} if wanted else {}
    yield Need(action, arn, {**_in_cluster(cluster), **_resource_tags(arn), **revision})


def _definition(reference: Any) -> Members:
    found = task_definitions.find(str(reference or ""))
    if found is None:
        raise ApiError("ClientException", "TaskDefinition not found.")
    return found


def _run_task(action: str, request: Members) -> Iterator[Need]:
    cluster = _cluster(request)
    definition = _definition(request.get("taskDefinition"))
    arn, tagged = definition["taskDefinitionArn"], _request_tags(request)
    yield Need(action, arn, {**_in_cluster(cluster), **_resource_tags(arn), **tagged})
    yield from _tagged_at_creation("RunTask", _arn("ecs", f"task/{cluster}/*"), tagged)
    yield from _passed_roles({**definition, **(request.get("overrides") or {})})


def _register_task_definition(action: str, request: Members) -> Iterator[Need]:
    arn, tagged = _arn("ecs", f"task-definition/{request.get('family', '')}:*"), _request_tags(request)
    yield Need(action, arn, tagged)
    yield from _tagged_at_creation("RegisterTaskDefinition", arn, tagged)
    yield from _passed_roles(request)


def _tagged_at_creation(operation: str, arn: str, tagged: dict[str, Any]) -> Iterator[Need]:
    """Developer Guide, "Grant permission to tag resources on creation"."""
    if tagged:
        yield Need("ecs:TagResource", arn, {**tagged, "ecs:createaction": operation})


def _passed_roles(definition: Members) -> Iterator[Need]:
    """User Guide of IAM, "Grant a user permissions to pass a role to an AWS service"."""
    for member in ("taskRoleArn", "executionRoleArn"):
        if definition.get(member):
            yield Need("iam:PassRole", str(definition[member]), {"iam:passedtoservice": TASKS})


def _tag(action: str, request: Members) -> Iterator[Need]:
    arn = str(request.get("resourceArn", ""))
    removed = {"aws:tagkeys": list(request["tagKeys"])} if request.get("tagKeys") else {}
    yield Need(action, arn, {**_resource_tags(arn), **_request_tags(request), **removed})


# ---- the others


def _target_group(action: str, request: Members) -> Iterator[Need]:
    yield Need(action, str(request.get("TargetGroupArn", "")))


def _repositories(action: str, request: Members) -> Iterator[Need]:
    names = [request["repositoryName"]] if request.get("repositoryName") else request.get("repositoryNames") or ["*"]
    for name in names:
        yield Need(action, _arn("ecr", f"repository/{name}"))


def _rule(action: str, request: Members) -> Iterator[Need]:
    yield Need(action, _arn("events", f"rule/{request.get('Rule', '')}"))


def _schedule(action: str, request: Members) -> Iterator[Need]:
    yield Need(action, _arn("scheduler", f"schedule/{request.get('groupName', 'default')}/{request.get('Name', '')}"))


def _filter_log_events(action: str, request: Members) -> Iterator[Need]:
    yield Need(action, _arn("logs", f"log-group:{request.get('logGroupName', '')}:log-stream:"))


def _get_log_events(action: str, request: Members) -> Iterator[Need]:
    stream = f"log-group:{request.get('logGroupName', '')}:log-stream:{request.get('logStreamName', '')}"
    yield Need(action, _arn("logs", stream))


def _assume_role(action: str, request: Members) -> Iterator[Need]:
    yield Need(action, str(request.get("RoleArn", "")))


def _parameter(action: str, request: Members) -> Iterator[Need]:
    name = str(request.get("Name", ""))
    yield Need(action, name if name.startswith("arn:") else _arn("ssm", f"parameter/{name.removeprefix('/')}"))


def _stack(action: str, request: Members) -> Iterator[Need]:
    """The ARN ends with the stack's id; a request that names no stack is about all of them."""
    name = str(request.get("StackName") or "*")
    yield Need(action, name if name.startswith("arn:") else _arn("cloudformation", f"stack/{name}/{uuid.uuid4()}"))


def _secret(action: str, request: Members) -> Iterator[Need]:
    """The ARN ends with six letters that nobody chose; of a secret that there is not AWS does not know any."""
    name = str(request.get("SecretId", ""))
    _, found = secretsmanager._resolve(name)
    yield Need(action, str(found["ARN"]) if found else _arn("secretsmanager", f"secret:{name}-??????"))


def _scalable_target(action: str, request: Members) -> Iterator[Need]:
    """Service Authorization Reference, Application Auto Scaling; a new target has an id that nobody chose."""
    arn = scalable_targets.arn_of(request) or _arn("application-autoscaling", f"scalable-target/{uuid.uuid4()}")
    keys = {
        "application-autoscaling:service-namespace": request.get("ServiceNamespace"),
        "application-autoscaling:scalable-dimension": request.get("ScalableDimension"),
    }
    yield Need(action, arn, keys)


_SPECIAL: dict[str, Callable[[str, Members], Iterable[Need]]] = {
    "sts:GetCallerIdentity": lambda _action, _request: [],
    "iam:SimulatePrincipalPolicy": lambda action, request: [Need(action, str(request["PolicySourceArn"]))],
    "ecs:DescribeServices": _each("service", "services"),
    "ecs:DescribeServiceRevisions": _service_revisions,
    "ecs:DescribeTasks": _each("task", "tasks"),
    "ecs:GetTaskProtection": _each("task", "tasks"),
    "ecs:StopTask": _each("task", "task"),
    "ecs:DescribeContainerInstances": _each("container-instance", "containerInstances"),
    "ecs:ListTasks": _list_tasks,
    "ecs:UpdateService": _update_service,
    "ecs:RunTask": _run_task,
    "ecs:RegisterTaskDefinition": _register_task_definition,
    "ecs:TagResource": _tag,
    "ecs:UntagResource": _tag,
    "elasticloadbalancing:RegisterTargets": _target_group,
    "elasticloadbalancing:DeregisterTargets": _target_group,
    "ecr:DescribeRepositories": _repositories,
    "ecr:DescribeImages": _repositories,
    "ecr:DescribeImageScanFindings": _repositories,
    "ecr:BatchGetImage": _repositories,
    "ecr:PutImage": _repositories,
    "ecr:GetDownloadUrlForLayer": _repositories,
    "ecr:BatchDeleteImage": _repositories,
    "application-autoscaling:RegisterScalableTarget": _scalable_target,
    "events:ListTargetsByRule": _rule,
    "scheduler:GetSchedule": _schedule,
    "logs:FilterLogEvents": _filter_log_events,
    "logs:GetLogEvents": _get_log_events,
    "sts:AssumeRole": _assume_role,
    "ssm:GetParameter": _parameter,
    "cloudformation:DescribeStacks": _stack,
    "secretsmanager:DescribeSecret": _secret,
    "secretsmanager:GetSecretValue": _secret,
}
