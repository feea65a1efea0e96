"""AWS::ApplicationAutoScaling::ScalableTarget and ::ScalingPolicy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services.cloudformation import provisioners

from embedded_aws import application_autoscaling
from embedded_aws.api import ApiError
from embedded_aws.cloudformation.properties import api_members

if TYPE_CHECKING:
    from embedded_aws.api import Members

    Made = tuple[str, Members]

_TARGET_TYPE = "AWS::ApplicationAutoScaling::ScalableTarget"
_POLICY_TYPE = "AWS::ApplicationAutoScaling::ScalingPolicy"
_IDENTITY = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def install() -> None:
    """Add the resource types."""
    provisioners._RESOURCE_HANDLERS[_TARGET_TYPE] = {
        "create": _create_target,
        "update": _update_target,
        "delete": _delete_target,
    }
    provisioners._RESOURCE_HANDLERS[_POLICY_TYPE] = {
        "create": _create_policy,
        "update": _update_policy,
        "delete": _delete_policy,
    }
    provisioners._REPLACING_PROPERTIES[_TARGET_TYPE] = _IDENTITY
    provisioners._REPLACING_PROPERTIES[_POLICY_TYPE] = ("PolicyName", "ScalingTargetId", *_IDENTITY)


def _create_target(_logical_id: str, properties: Members, _stack: str) -> Made:
    given = {name: value for name, value in properties.items() if name != "ScheduledActions"}
    request = api_members("application-autoscaling", "RegisterScalableTarget", given)
    application_autoscaling.register_target(request)
    target_id = "|".join(request[name] for name in _IDENTITY)
    return target_id, {"Id": target_id}


def _update_target(_target_id: str, _old: Members, new: Members, stack: str) -> Made:
    return _create_target("", new, stack)


def _delete_target(target_id: str, _properties: Members) -> None:
    try:
        application_autoscaling.deregister_target(_identity(target_id))
    except ApiError:  # it is gone
        return


def _create_policy(_logical_id: str, properties: Members, _stack: str) -> Made:
    request = api_members("application-autoscaling", "PutScalingPolicy", _own(properties))
    answer = application_autoscaling.put_policy(request)
    return answer["PolicyARN"], {"Arn": answer["PolicyARN"], "PolicyName": request["PolicyName"]}


def _update_policy(_arn: str, _old: Members, new: Members, stack: str) -> Made:
    return _create_policy("", new, stack)


def _delete_policy(_arn: str, properties: Members) -> None:
    try:
        application_autoscaling.delete_policy(_own(properties))
    except ApiError:  # it went with its target
        return


def _own(properties: Members) -> Members:
    """Give a policy's properties with its target spelled out."""
    given = {name: value for name, value in properties.items() if name != "ScalingTargetId"}
    target_id = properties.get("ScalingTargetId")
    return {**given, **(_identity(target_id) if target_id else {})}


def _identity(target_id: str) -> Members:
    return dict(zip(_IDENTITY, target_id.split("|"), strict=True))
