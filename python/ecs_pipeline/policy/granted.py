"""Whether IAM allows what the stages do: each statement of the policy that `policy` prints, asked without doing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Service
from ecs_pipeline.policy.filled import TOLD_BY_VALIDATE
from ecs_pipeline.policy.of_config import policy
from ecs_pipeline.policy.statements import actions_of, resources_of

NOT_KNOWN = "cannot be known: IAM does not tell this caller (iam:SimulatePrincipalPolicy)"


def refuse_denied(run: Run, service: Service) -> str:  # noqa: ARG001
    """Raises InvalidInput with a line for each action that the caller's policies do not allow."""
    principal = run.permissions.principal()
    if not principal:
        return "the account's own keys may do all"
    denied: list[str] = []
    printed = policy(run)[0]["Statement"]
    statements = [statement for statement in printed if statement["Sid"] not in TOLD_BY_VALIDATE]
    for statement in statements:
        found = _denied(run, principal, statement)
        if found is None:
            note(run.recorder, f"permissions of {principal} {NOT_KNOWN}")
            return NOT_KNOWN
        denied += found
    if denied:
        first, *others = denied
        raise InvalidInput(
            f"{principal} may not {first}", cure="give it what `ecs-pipeline policy` prints", evidence=others
        )
    return f"{principal} may do all of {len(statements)} statements"


def _denied(run: Run, principal: str, statement: Mapping[str, Any]) -> list[str] | None:
    """The actions of a statement that are not allowed; None when IAM does not tell."""
    resources = [_sample(resource) for resource in resources_of(statement)]
    keys = dict(_keys(statement.get("Condition") or {}))
    allowed = run.permissions.allowed(principal, actions_of(statement), resources, keys)
    if allowed is None:
        return None
    kinds = {_kind(resource) for resource in resources}
    return [
        f"{action} (statement {statement['Sid']})"
        for action in actions_of(statement)
        if not any(
            all((action, resource) in allowed for resource in resources if _kind(resource) == kind) for kind in kinds
        )
    ]


def _keys(condition: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The condition keys with values that meet the condition."""
    for keys in condition.values():
        for key, values in keys.items():
            given = [values] if isinstance(values, str) else list(values)
            yield key, [_sample(value) for value in given]


def _sample(text: str) -> str:
    """One of those that a pattern stands for; all of them stay all."""
    return text if text == "*" else text.replace("*", "1")


def _kind(resource: str) -> str:
    """Service and type of a resource: an action may be of one type of a statement's resources alone."""
    parts = resource.split(":", 5)
    return f"{parts[2]} {parts[5].partition('/')[0].partition(':')[0]}" if len(parts) > 5 else resource
