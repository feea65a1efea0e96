"""SimulatePrincipalPolicy with context entries and every resource: IAM API reference, "SimulatePrincipalPolicy".

ministack evaluates the first resource only, and no condition keys, so a statement with a condition never matched.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.services import iam

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny"}


def install() -> None:
    """Replace ministack's operation."""
    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = _simulate


def _simulate(request: dict[str, Any]) -> Any:
    principal = iam._p(request, "PolicySourceArn")
    kind, _, name = principal.rpartition(":")[2].partition("/")
    gather = {"user": iam_evaluator._gather_user_policies, "role": iam_evaluator._gather_role_policies}.get(kind)
    account = os.environ["MINISTACK_ACCOUNT_ID"]
    known = {"user": iam._users, "role": iam._roles}.get(kind, {})
    if gather is None or name.rpartition("/")[2] not in known:
        return iam._error(404, "NoSuchEntity", f"The {kind} with name {name} cannot be found.", ns="iam")
    policies = gather(name.rpartition("/")[2], account)
    keys = {key.lower(): values for key, values in _context(request)}
    results = ""
    for action in _members(request, "ActionNames"):
        for resource in _members(request, "ResourceArns") or ["*"]:
            context = iam_evaluator.EvalContext(
                principal_arn=principal,
                principal_type="AssumedRole" if kind == "role" else "User",
                principal_account=account,
                action=action,
                resource_arn=resource,
                region=os.environ["MINISTACK_REGION"],
                service_context={"aws:tagkeys": None, **keys},
            )
            decision = iam_evaluator.evaluate(context, policies).decision
            results += _result(action, resource, _DECISIONS.get(decision, "implicitDeny"))
    body = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    whole = f"<SimulatePrincipalPolicyResult>{body}</SimulatePrincipalPolicyResult>"
    return iam._xml(200, "SimulatePrincipalPolicyResponse", whole, ns="iam")


def _result(action: str, resource: str, decision: str) -> str:
    named = f"<EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}</EvalResourceName>"
    return f"<member>{named}<EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"


def _members(request: dict[str, Any], name: str) -> list[str]:
    found: list[str] = []
    while value := iam._p(request, f"{name}.member.{len(found) + 1}"):
        found.append(value)
    return found


def _context(request: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The keys with their values: one is a text, unless the entry is a list."""
    numbers = sorted({int(found[1]) for key in request if (found := re.match(r"ContextEntries\.member\.(\d+)\.", key))})
    for number in numbers:
        entry = f"ContextEntries.member.{number}"
        values = _members(request, f"{entry}.ContextKeyValues")
        is_list = str(iam._p(request, f"{entry}.ContextKeyType")).endswith("List")
        yield iam._p(request, f"{entry}.ContextKeyName"), values if is_list else "".join(values[:1])
