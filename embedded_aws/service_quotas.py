"""Service Quotas: the quotas of Fargate, with their defaults.

API reference of Service Quotas, GetServiceQuota; Amazon ECS Developer Guide, "AWS Fargate service quotas"; Amazon
CloudWatch User Guide, "AWS usage metrics".
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from ministack import app as ministack_app
from ministack.core import router
from ministack.core.responses import error_response_json

from embedded_aws.api import ApiError, json_action

if TYPE_CHECKING:
    from embedded_aws.api import Members, Response

_SERVICE = "servicequotas"
_PREFIX = "ServiceQuotasV20190624."
_FARGATE = {"L-3032A538": ("Fargate On-Demand", "Standard/OnDemand"), "L-36FBB829": ("Fargate Spot", "Standard/Spot")}
_DEFAULT = 6.0
"""vCPUs that a new account may have; a quota can be raised."""


def install() -> None:
    """Add the service to ministack."""
    router.SERVICE_PATTERNS[_SERVICE] = {"target_prefixes": [_PREFIX], "credential_scope": _SERVICE}
    ministack_app.SERVICE_HANDLERS[_SERVICE] = _handle


async def _handle(_method: str, _path: str, headers: Members, body: bytes, _query: Members) -> Response:
    action = headers.get("x-amz-target", "").removeprefix(_PREFIX)
    if action != "GetServiceQuota":
        refused: Response = error_response_json("UnknownOperationException", f"{action} is not emulated.", 400)
        return refused
    return json_action(_get_quota)(json.loads(body or b"{}"))


def _get_quota(request: Members) -> Members:
    code = str(request.get("QuotaCode", ""))
    if request.get("ServiceCode") != "fargate" or code not in _FARGATE:
        raise ApiError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
    name, kind = _FARGATE[code]
    region, account = os.environ["MINISTACK_REGION"], os.environ["MINISTACK_ACCOUNT_ID"]
    usage = {
        "MetricNamespace": "AWS/Usage",
        "MetricName": "ResourceCount",
        "MetricDimensions": {"Service": "Fargate", "Resource": "vCPU", "Type": "Resource", "Class": kind},
        "MetricStatisticRecommendation": "Maximum",
    }
    quota = {
        "ServiceCode": "fargate",
        "ServiceName": "AWS Fargate",
        "QuotaArn": f"arn:aws:servicequotas:{region}:{account}:fargate/{code}",
        "QuotaCode": code,
        "QuotaName": f"{name} vCPU resource count",
        "Value": _DEFAULT,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "UsageMetric": usage,
    }
    return {"Quota": quota}
