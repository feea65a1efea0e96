"""The Conditions of a template for given values: a dry run then tells only the resources that there would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Values = Mapping[str, str]


class Unknown(LookupError):
    """A function or a name that only CloudFormation knows."""


def present(body: Mapping[str, Any], values: Values) -> set[str]:
    """The resources whose condition holds, or may hold: of what cannot be told here the resource is shown."""
    conditions = body.get("Conditions") or {}
    found = set()
    for name, resource in body["Resources"].items():
        condition = str((resource or {}).get("Condition") or "")
        try:
            if not condition or _value(conditions[condition], conditions, values):
                found.add(str(name))
        except (Unknown, KeyError):
            found.add(str(name))
    return found


def _value(node: Any, conditions: Mapping[str, Any], values: Values) -> Any:
    """What a part of a condition comes to, in either way of writing functions. Raises Unknown."""
    function, argument = _function(node)
    if function == "Ref":
        if argument not in values:
            raise Unknown(argument)
        return values[argument]
    if function == "Condition":
        return _value(conditions[argument], conditions, values)
    if not function:
        return [_value(each, conditions, values) for each in node] if isinstance(node, list) else str(node)
    if function not in _FUNCTIONS:
        raise Unknown(function)
    return _FUNCTIONS[function]([_value(each, conditions, values) for each in argument])


def _function(node: Any) -> tuple[str, Any]:
    """The function of `!Equals [...]`, `{"Fn::Equals": [...]}` and the like, and what it is given; '' for a value."""
    tag = str(getattr(getattr(node, "tag", None), "value", None) or "")
    if tag.startswith("!") and tag != "!":
        return tag[1:], str(node.value) if hasattr(node, "value") else node
    if isinstance(node, Mapping) and len(node) == 1:
        name, argument = next(iter(node.items()))
        return str(name).removeprefix("Fn::"), argument
    return "", node


def _joined(parts: list[Any]) -> str:
    separator, listed = parts
    return str(separator).join(listed if isinstance(listed, list) else str(listed).split(","))


_FUNCTIONS: Mapping[str, Callable[[list[Any]], Any]] = {
    "Equals": lambda parts: parts[0] == parts[1],
    "Not": lambda parts: not parts[0],
    "And": all,
    "Or": any,
    "Join": _joined,
}
