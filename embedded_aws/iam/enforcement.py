"""Callers that IAM knows may do what their policies say; the account's own keys may do all, as its root user may.

Policies, boundaries and sessions are ministack's, and so is their evaluation (IAM User Guide, "Policy evaluation
logic"); what a request needs is in needs.py. Signatures are not checked: whoever has the id of a key is its owner.
"""

from __future__ import annotations

import contextvars
import json
import os
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ministack.core import iam_actions, iam_evaluator

from embedded_aws.api import ApiError
from embedded_aws.iam import needs

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.iam.needs import Need

    Response = tuple[int, dict[str, str], bytes]

#: The id of the access key that signed the request under way; '' for none.
caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller", default="")

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
_OPERATION_IN_PATH = re.compile(r"/operation/(\w+)$")
_SCHEDULES = re.compile(r"/schedules(?:/([\w.-]+))?")
_PREFIXES = {"monitoring": "cloudwatch"}


def signed(headers: dict[str, str]) -> tuple[str, str]:
    """Give the id of the access key and the service that a request was signed for; '' for each that is not told."""
    found = _CREDENTIAL.search(headers.get("authorization", ""))
    return (found[1], found[2]) if found else ("", "")


def is_limited(key: str) -> bool:
    """Whether a key is one that IAM or STS has issued; the account's own may do all."""
    return bool(key) and isinstance(_principal(key), iam_evaluator.PrincipalInfo) and not _may_all(key)


def refusal(headers: dict[str, str], path: str, query: bytes, body: bytes) -> Response | None:
    """Give the answer to a request whose caller may not make it; None when he may."""
    key, service = signed(headers)
    prefix = _PREFIXES.get(service, service)
    operation, request = _parsed(service, headers, path, query, body)
    try:
        needed = needs.of(prefix, operation, request)
    except ApiError:  # what it names does not exist: the operation itself says so
        return None
    denied = first_denied(key, needed)
    if denied is None:
        return None
    action, text = denied
    answer: Response = iam_actions.access_denied_response(
        service, action, _principal(key).arn, str(uuid.uuid4()), headers=headers, message=text
    )
    return answer


def first_denied(key: str, needed: list[Need]) -> tuple[str, str] | None:
    """Give the first of these actions that the owner of a key may not do, and what AWS says of it; None for none."""
    principal = _principal(key)
    for need in needed:
        context = iam_evaluator.EvalContext(
            principal_arn=_role_of(principal),
            principal_type=principal.type,
            principal_account=principal.account,
            action=need.action,
            resource_arn=need.resource,
            region=os.environ["MINISTACK_REGION"],
            service_context={"aws:tagkeys": None, **need.keys},
            principal_keys=principal.keys,
        )
        result = iam_evaluator.evaluate(context, principal.policies, *principal.limits)
        if result.decision != "Allow":
            explicit = result.decision == "Deny"
            text = iam_actions.identity_denial_message(need.action, principal.arn, need.resource, explicit)
            return need.action, text
    return None


def _may_all(key: str) -> bool:
    return _principal(key).policies is None


def _principal(key: str) -> Any:
    return iam_evaluator.resolve_principal(key, os.environ["MINISTACK_ACCOUNT_ID"])


def _role_of(principal: Any) -> str:
    """What aws:PrincipalArn holds: of a role's session the role (IAM User Guide, global condition context keys)."""
    session = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.*", principal.arn)
    return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else str(principal.arn)


def _parsed(service: str, headers: dict[str, str], path: str, query: bytes, body: bytes) -> tuple[str, Members]:
    """The operation and its parameters, in AWS' JSON, query and RPC protocols."""
    target = headers.get("x-amz-target", "").rpartition(".")[2]
    in_path = _OPERATION_IN_PATH.search(path)
    if target or in_path:
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            request = {}  # CBOR: CloudWatch's operations need nothing of the request
        return target or (in_path[1] if in_path else ""), request if isinstance(request, dict) else {}
    parameters = dict(parse_qsl((query + b"&" + body).decode("utf-8", "replace")))
    schedule = _SCHEDULES.fullmatch(path) if service == "scheduler" else None
    if schedule:  # REST: EventBridge Scheduler API Reference, ListSchedules and GetSchedule
        name = {"Name": schedule[1]} if schedule[1] else {}
        return ("GetSchedule" if name else "ListSchedules"), {**parameters, **name}
    return parameters.pop("Action", ""), parameters
