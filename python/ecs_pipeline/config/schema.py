"""The JSON Schema of ecs-pipeline.yml, from the settings' own types: docs/ecs-pipeline.schema.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_pipeline.config.types import in_words

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "ecs-pipeline.yml"
OVERLAYS = "overlays by name; an environment's one replaces any key, deeply"
PERCENTILES = r"^p[5-9][0-9]$"
LOOK_UP = {
    "description": "looked up when the command begins: docs/configuration.md",
    "type": "string",
    "pattern": r"\$\{(env|ssm|cfn|secret):[^{}]+\}",
}
LOOKS_UP = {"$ref": "#/$defs/LookUp"}
NARROW = ("pattern", "enum", "const")


def config_schema() -> dict[str, Any]:
    """The schema of a whole file: nothing is required, for names follow from others or come from flags."""
    from ecs_pipeline.config.settings import Settings

    schema: dict[str, Any] = _without_noise(Settings.model_json_schema())
    _write_percentiles(schema["$defs"]["HttpCheck"])
    schema = _or_look_up(schema)
    definitions = schema.pop("$defs")
    keys = {key: value for key, value in schema.items() if key not in ("required", "title", "description")}
    overlay = {"anyOf": [{"$ref": "#/$defs/Overlay"}, {"type": "null"}]}
    environments = {"description": OVERLAYS, "type": "object", "additionalProperties": overlay}
    return {
        "$schema": DIALECT,
        "title": TITLE,
        **keys,
        "properties": {**keys["properties"], "environments": environments},
        "$defs": {**definitions, "LookUp": LOOK_UP, "Overlay": keys},
    }


def _or_look_up(node: Any) -> Any:
    """The schema with a look-up wherever a value stands that is not any text: a number, a duration, a word."""
    if isinstance(node, list):
        return [_or_look_up(entry) for entry in node]
    if not isinstance(node, Mapping):
        return node
    choices = node.get("anyOf")
    if choices and any(_is_narrow(choice) for choice in choices):
        return {**node, "anyOf": [*choices, LOOKS_UP]}
    if _is_narrow(node):
        told = {key: node[key] for key in ("default", "description", "examples") if key in node}
        return {**told, "anyOf": [{key: value for key, value in node.items() if key not in told}, LOOKS_UP]}
    return {key: _or_look_up(value) for key, value in node.items()}


def _is_narrow(node: Mapping[str, Any]) -> bool:
    """Whether the node takes a value that a look-up does not look like."""
    return node.get("type") in ("integer", "number", "boolean") or any(key in node for key in NARROW)


def _write_percentiles(check: dict[str, Any]) -> None:
    """In a file they are keys of their own: `p95: 300ms`."""
    value = check["properties"].pop("percentiles")["additionalProperties"]
    check["patternProperties"] = {PERCENTILES: value}


def _without_noise(node: Any, *, names: bool = False) -> Any:
    """The schema without pydantic's titles; defaults as a file has them. `names`: the keys here are the user's."""
    if isinstance(node, list):
        return [_without_noise(entry) for entry in node]
    if not isinstance(node, Mapping):
        return node
    kept = {
        key: _without_noise(value, names=key in ("properties", "$defs"))
        for key, value in node.items()
        if names or key != "title"
    }
    if names:
        return kept
    if kept.get("default", ...) is None or kept.get("default") == "":
        del kept["default"]
    if kept.get("type") == "string" and isinstance(kept.get("default"), int | float):
        kept["default"] = _written(kept["default"], kept["pattern"])
    return kept


def _written(value: float, pattern: str) -> str:
    """A duration or a part of a whole as a file has it."""
    return f"{100 * value:g}%" if "%" in pattern else in_words(value)
