"""From the properties of a template to the members of an API call, by the SDK's own model of the API.

Templates write names with a capital letter and may give numbers and truth values as text.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "integer": int,
    "long": int,
    "double": float,
    "float": float,
    "boolean": lambda value: str(value).lower() == "true",
}


def api_members(service: str, operation: str, properties: Members) -> Members:
    """Give the members of a request; what the model does not know comes through with its name in API form."""
    shape = _model(service).operation_model(operation).input_shape
    members: Members = _convert(properties, shape)
    return members


def tags(properties: Members) -> list[dict[str, str]]:
    """Give a resource's tags in the form of the ECS API."""
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags") or []]


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _convert(value: Any, shape: Any) -> Any:
    kind = shape.type_name if shape else ""
    if kind == "structure" and isinstance(value, dict):
        return _structure(value, shape)
    if kind == "list" and isinstance(value, list):
        return [_convert(each, shape.member) for each in value]
    return _SCALARS[kind](value) if kind in _SCALARS else value


def _structure(value: dict[str, Any], shape: Any) -> dict[str, Any]:
    known = {name.lower(): name for name in shape.members}
    converted = {}
    for key, member in value.items():
        name = known.get(key.lower(), key[:1].lower() + key[1:])
        converted[name] = _convert(member, shape.members.get(name))
    return converted
