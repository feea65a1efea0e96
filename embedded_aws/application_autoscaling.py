"""Application Auto Scaling: scalable targets and scaling policies are kept, and nothing scales by itself.

API reference of Application Auto Scaling: RegisterScalableTarget, PutScalingPolicy and their describe and delete calls.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from typing import TYPE_CHECKING

from ministack import app as ministack_app
from ministack.core import router
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import error_response_json
from ministack.services import alb, ecs

from embedded_aws.api import ApiError, json_action, page
from embedded_aws.ecs import services
from embedded_aws.load_balancing import target_groups
from embedded_aws.scalable_targets import key_of, registered

if TYPE_CHECKING:
    from embedded_aws.api import Members, Response
    from embedded_aws.scalable_targets import TargetKey

_SERVICE = "application-autoscaling"
_PREFIX = "AnyScaleFrontendService."
_ROLE = "aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_REQUESTS = "ALBRequestCountPerTarget"
_ECS_METRICS = ("ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization", _REQUESTS)
_LABEL = re.compile(r"(?P<balancer>app/[^/]+/[^/]+)/(?P<group>targetgroup/[^/]+/[^/]+)")
_policies: dict[tuple[TargetKey, str], Members] = {}


def install() -> None:
    """Add the service to ministack."""
    router.SERVICE_PATTERNS[_SERVICE] = {"target_prefixes": [_PREFIX], "credential_scope": _SERVICE}
    ministack_app.SERVICE_HANDLERS[_SERVICE] = _handle


async def _handle(_method: str, _path: str, headers: Members, body: bytes, _query: Members) -> Response:
    action = headers.get("x-amz-target", "").removeprefix(_PREFIX)
    answer: Response
    if action in _ACTIONS:
        answer = await run_reentrant(json_action(_ACTIONS[action]), json.loads(body or b"{}"))
    else:
        answer = error_response_json("UnknownOperationException", f"{action} is not emulated.", 400)
    return answer


def register_target(request: Members) -> Members:
    """RegisterScalableTarget: a new one, or changes of one; the service is brought between its bounds."""
    key = key_of(request)
    service = _service(key)
    target = registered.get(key)
    bounds = {**(target or {}), **{name: value for name, value in request.items() if value is not None}}
    if int(bounds.get("MinCapacity", 0)) > int(bounds.get("MaxCapacity", 0)):
        raise ApiError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
    if target is None:
        for member in ("MinCapacity", "MaxCapacity"):
            if member not in request:
                message = f"{member} is required when a scalable target is registered."
                raise ApiError("ValidationException", message)
        target = registered[key] = {
            "ServiceNamespace": key[0],
            "ResourceId": key[1],
            "ScalableDimension": key[2],
            "RoleARN": f"arn:aws:iam::{os.environ['MINISTACK_ACCOUNT_ID']}:role/{_ROLE}",
            "CreationTime": time.time(),
            "SuspendedState": dict.fromkeys(_SUSPENDED, False),
            "ScalableTargetARN": _arn(f"scalable-target/{uuid.uuid4().hex[:22]}"),
        }
    target.update(
        {name: request[name] for name in ("MinCapacity", "MaxCapacity", "RoleARN") if request.get(name) is not None}
    )
    target["SuspendedState"] = {**target["SuspendedState"], **(request.get("SuspendedState") or {})}
    _keep_between(service, int(target["MinCapacity"]), int(target["MaxCapacity"]))
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def deregister_target(request: Members) -> Members:
    """DeregisterScalableTarget: its policies go with it."""
    key = _known(request)
    del registered[key]
    for each in [each for each in _policies if each[0] == key]:
        del _policies[each]
    return {}


def put_policy(request: Members) -> Members:
    """PutScalingPolicy: a new one, or changes of one."""
    key = _known(request)
    name = request["PolicyName"]
    _check_metric(request.get("TargetTrackingScalingPolicyConfiguration") or {}, key, name)
    policy = _policies.setdefault(
        (key, name),
        {
            "PolicyARN": _arn(f"scalingPolicy:{uuid.uuid4()}:resource/{key[0]}/{key[1]}:policyName/{name}"),
            "CreationTime": time.time(),
            "PolicyType": "StepScaling",
            "Alarms": [],
        },
    )
    policy.update(request)
    return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}


def delete_policy(request: Members) -> Members:
    """DeleteScalingPolicy."""
    if _policies.pop((key_of(request), request["PolicyName"]), None) is None:
        raise ApiError("ObjectNotFoundException", f"No scaling policy found named {request['PolicyName']}.")
    return {}


def _check_metric(configuration: Members, key: TargetKey, name: str) -> None:
    """Refuse a predefined metric that the target cannot have, or has in another policy.

    API reference, PredefinedMetricSpecification: ResourceLabel. User guide, "Target tracking scaling policies": a
    predefined metric is tracked once.
    """
    metric = configuration.get("PredefinedMetricSpecification") or {}
    kind = metric.get("PredefinedMetricType")
    if not kind:
        return
    if key[0] == "ecs" and kind not in _ECS_METRICS:
        raise ApiError("ValidationException", f"Predefined metric {kind} is not supported for {key[0]}")
    if kind == _REQUESTS:
        _check_label(str(metric.get("ResourceLabel", "")))
    others = [policy for (its_key, its_name), policy in _policies.items() if its_key == key and its_name != name]
    if any(_metric_of(policy) == kind for policy in others):
        text = f"Only one TargetTrackingScaling policy for a given metric specification is allowed: {kind}"
        raise ApiError("ValidationException", text)


def _metric_of(policy: Members) -> str:
    configuration = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
    return str((configuration.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType", ""))


def _check_label(label: str) -> None:
    """The end of the load balancer's ARN and of a target group's that it has: `app/…/…/targetgroup/…/…`."""
    found = _LABEL.fullmatch(label)
    if not found:
        raise ApiError("ValidationException", f"ResourceLabel is not valid: {label}")
    groups = [arn for arn in alb._tgs if arn.endswith(f":{found['group']}")]
    used_by = [balancer for arn in groups for balancer in target_groups.load_balancers(arn)]
    if not any(balancer.endswith(f":loadbalancer/{found['balancer']}") for balancer in used_by):
        text = f"Load balancer does not route traffic to the target group. ResourceLabel: {label}"
        raise ApiError("ValidationException", text)


def _describe_targets(request: Members) -> Members:
    wanted, dimension = request.get("ResourceIds"), request.get("ScalableDimension")
    found = [
        target
        for (namespace, resource, its_dimension), target in registered.items()
        if namespace == request["ServiceNamespace"]
        and (not wanted or resource in wanted)
        and (not dimension or its_dimension == dimension)
    ]
    return _page("ScalableTargets", found, request)


def _describe_policies(request: Members) -> Members:
    found = [
        policy
        for (key, name), policy in _policies.items()
        if key[0] == request["ServiceNamespace"]
        and request.get("ResourceId") in {None, key[1]}
        and request.get("ScalableDimension") in {None, key[2]}
        and (not request.get("PolicyNames") or name in request["PolicyNames"])
    ]
    return _page("ScalingPolicies", found, request)


def _describe_activities(_request: Members) -> Members:
    return {"ScalingActivities": []}


def _page(member: str, found: list[Members], request: Members) -> Members:
    paging = {"nextToken": request.get("NextToken"), "maxResults": request.get("MaxResults")}
    shown, more = page(found, paging, default_size=50)
    return {member: shown, **({"NextToken": more["nextToken"]} if more else {})}


def _known(request: Members) -> TargetKey:
    key = key_of(request)
    if key not in registered:
        message = (
            f"No scalable target registered for service namespace: {key[0]}, "
            f"resource ID: {key[1]}, scalable dimension: {key[2]}"
        )
        raise ApiError("ObjectNotFoundException", message)
    return key


def _service(key: TargetKey) -> Members | None:
    """Find the ECS service of a target; other namespaces are taken as they are."""
    if key[0] != "ecs":
        return None
    service: Members | None = ecs._services.get(key[1].removeprefix("service/"))
    if service is None or service["status"] != "ACTIVE":
        raise ApiError("ValidationException", f"ECS service doesn't exist: {key[1]}")
    return service


def _keep_between(service: Members | None, low: int, high: int) -> None:
    if service is not None and not low <= service["desiredCount"] <= high:
        count = min(max(service["desiredCount"], low), high)
        cluster, name = service["clusterArn"], service["serviceName"]
        services.update({"cluster": cluster, "service": name, "desiredCount": count})


def _arn(resource: str) -> str:
    region, account = os.environ["MINISTACK_REGION"], os.environ["MINISTACK_ACCOUNT_ID"]
    service = "autoscaling" if resource.startswith("scalingPolicy") else _SERVICE
    return f"arn:aws:{service}:{region}:{account}:{resource}"


_ACTIONS = {
    "RegisterScalableTarget": register_target,
    "DescribeScalableTargets": _describe_targets,
    "DeregisterScalableTarget": deregister_target,
    "PutScalingPolicy": put_policy,
    "DescribeScalingPolicies": _describe_policies,
    "DeleteScalingPolicy": delete_policy,
    "DescribeScalingActivities": _describe_activities,
}
