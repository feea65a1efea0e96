"""Change sets: a resource whose condition does not hold is no part of the stack, so nothing is told of it.

User Guide, "Conditions": resources "associated with a false condition are ignored"; operation DescribeChangeSet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import changesets
from ministack.services.cloudformation.engine import _evaluate_conditions

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members


def install() -> None:
    """Replace the way in which ministack reads the two templates that it compares."""
    changesets._resolve_props_for_diff = _without_false_conditions(changesets._resolve_props_for_diff)


def _without_false_conditions(resolve: Callable[..., Members]) -> Callable[..., Members]:
    def resolve_what_there_is(template: Members, parameters: Members, *names: Any) -> Members:
        resolved = resolve(template, parameters, *names)
        conditions = _evaluate_conditions(template, parameters)
        resources = {
            name: resource
            for name, resource in resolved.get("Resources", {}).items()
            if conditions.get(resource.get("Condition"), True)
        }
        return {**resolved, "Resources": resources}

    return resolve_what_there_is
