"""A template as CloudFormation sees it: conditions evaluated, functions resolved, resources by their logical ids.

Reads YAML with PyYAML, past ruamel and the package's own evaluation, so that the two do not share a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "REGION",
    "AWS::AccountId": "ACCOUNT",
    "AWS::URLSuffix": "amazonaws.com",
}
NO_VALUE = object()


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags in their long form."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = str(loader.construct_scalar(node))
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    assert isinstance(node, yaml.SequenceNode)
    return {name: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _long_form)


@dataclass
class Stack:
    """What a template makes of parameters: `values` go over the defaults."""

    body: dict[str, Any]
    values: dict[str, str]

    def __getitem__(self, logical_id: str) -> Any:
        """The properties of a resource, resolved."""
        return self._resolve(self.body["Resources"][logical_id].get("Properties", {}))

    def __contains__(self, logical_id: str) -> bool:
        resource = self.body["Resources"].get(logical_id)
        return resource is not None and ("Condition" not in resource or self._holds(resource["Condition"]))

    @property
    def resources(self) -> dict[str, Any]:
        """All that there is, by logical id: type and other attributes as they are, properties resolved."""
        return {
            name: {**resource, "Properties": self[name]}
            for name, resource in self.body["Resources"].items()
            if name in self
        }

    def container(self, name: str) -> Any:
        """A container definition of the task definition; None when it is left out."""
        listed = self["TaskDefinition"]["ContainerDefinitions"]
        return next((container for container in listed if container["Name"] == name), None)

    def statements(self, role: str) -> list[Any]:
        """The statements of a role's own policies."""
        policies = self[role].get("Policies", [])
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    def _holds(self, condition: str) -> bool:
        return bool(self._resolve(self.body["Conditions"][condition]))

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            found = [self._resolve(each) for each in node]
            return [each for each in found if each is not NO_VALUE]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref" or (name == "Condition" and isinstance(argument, str)) or name.startswith("Fn::"):
                return self._function(name.removeprefix("Fn::"), argument)
        found_map = {key: self._resolve(value) for key, value in node.items()}
        return {key: value for key, value in found_map.items() if value is not NO_VALUE}

    def _function(self, name: str, argument: Any) -> Any:
        lazy: dict[str, Callable[[], Any]] = {
            "Ref": lambda: NO_VALUE if argument == "AWS::NoValue" else self._named(argument),
            "Condition": lambda: self._holds(argument),
            "If": lambda: self._resolve(argument[1] if self._holds(argument[0]) else argument[2]),
            "GetAtt": lambda: ".".join(argument),
            "Sub": lambda: re.sub(r"\$\{([^}]+)\}", lambda found: str(self._named(found[1])), argument),
        }
        if name in lazy:
            return lazy[name]()
        parts = self._resolve(argument)
        eager: dict[str, Callable[[], Any]] = {
            "FindInMap": lambda: self.body["Mappings"][parts[0]][parts[1]][parts[2]],
            "Join": lambda: parts[0].join(parts[1]),
            "Equals": lambda: parts[0] == parts[1],
            "Not": lambda: not parts[0],
            "And": lambda: all(parts),
        }
        return eager[name]()

    def _named(self, name: str) -> Any:
        if name in PSEUDO:
            return PSEUDO[name]
        definition = self.body["Parameters"].get(name)
        if definition is None:
            return name
        value = str(self.values.get(name, definition.get("Default", name)))
        is_list = definition["Type"].startswith("List<") or definition["Type"] == "CommaDelimitedList"
        return value.split(",") if is_list else value


def stack(text: str, **values: str) -> Stack:
    """The stack that a template's text makes of these values."""
    return Stack(_body(text), values)


@cache
def _body(text: str) -> dict[str, Any]:
    """A template's text as it is read; resolving makes all anew and leaves it as it is."""
    body: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with tags
    return body
