"""The mistakes of a config in words: each with its file and line, or its flag, what is wrong and what is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_pipeline.documents.suggestions import closest
from ecs_pipeline.documents.yaml import Place, line_of, shown

FREE_TEXT = frozenset(("build_args", "environment", "headers", "parameters", "repository_credentials", "secrets"))
"""Keys whose values are text for somebody else, and may be secret: they are never shown."""

EXPECTED = {
    "model_type": "a map of keys",
    "dict_type": "a map of keys",
    "tuple_type": "a list",
    "list_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
}
"""What a key takes, in words, by pydantic's name of the mistake."""

KINDS = {dict: "a map", list: "a list", tuple: "a list", type(None): "nothing"}
LONGEST = 60


@dataclass(frozen=True)
class Written:
    """What the settings came from, to tell a mistake by its place; `flags` are the keys of the command line."""

    document: Any
    environment: str
    file: str
    flags: frozenset[str]
    looked_up: Mapping[Place, str] = field(default_factory=dict)
    """The texts with look-ups, by their places."""

    def is_looked_up(self, place: Place) -> bool:
        """Whether the value at a place was looked up, so that it stands in no file."""
        return place in self.looked_up


def told(error: Any, written: Written) -> list[str]:
    """One line a mistake of pydantic's ValidationError; those that stand in the file come first."""
    lines = [_line(_as_looked_up(problem, written), written) for problem in error.errors(include_url=False)]
    return [line for placed in (True, False) for here, line in lines if here is placed]


def _as_looked_up(problem: Mapping[str, Any], written: Written) -> Mapping[str, Any]:
    """The mistake with the look-up in place of its value, which the file does not have and nobody need see."""
    text = written.looked_up.get(problem["loc"])
    if text is None:
        return problem
    context = dict(problem.get("ctx", {}))
    if "error" in context:
        context["error"] = str(context["error"]).replace(shown(problem.get("input")), shown(text))
    return {**problem, "input": text, "ctx": context}


def placed(place: Place, what: str, written: Written) -> str:
    """The line of one mistake that stands at a place."""
    line = _line_of(place, written)
    name = ".".join(str(part) for part in place)
    return f"{f'{written.file}:{line}: ' if line else ''}{name}: {what}"


def first(error: Any, place: Place = ()) -> str:
    """The first mistake in a document that is no config; `place` is where it would stand in one."""
    problem = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"])
    return f"{name or 'this'}: {_told({**problem, 'loc': (*place, *problem['loc'])})}"


def _line(problem: Mapping[str, Any], written: Written) -> tuple[bool, str]:
    """Whether the mistake stands in the file, and its line."""
    place: Place = problem["loc"]
    if problem["type"] == "missing" and place in (("cluster",), ("service",)):
        ways = f"give --{place[0]}, `{place[0]}:` in {written.file}, or `app:`"
        return False, f"no {place[0]} named; {ways}" + (" and --environment" if place == ("cluster",) else "")
    name = ".".join(str(part) for part in place)
    if place[:1] and place[0] in written.flags:
        return True, f"--{name.replace('_', '-')}: {_told(problem)}"
    line = _line_of(place, written)
    return bool(line), f"{f'{written.file}:{line}: ' if line else ''}{name or 'config'}: {_told(problem)}"


def _line_of(place: Place, written: Written) -> int:
    """Where the value stands: in the overlay, else in the base; of a name that follows from `app`, there."""
    overlaid = ("environments", written.environment, *place)
    if written.environment and _has(written.document, overlaid):
        return line_of(written.document, overlaid)
    line = line_of(written.document, place)
    return _line_of(("app",), written) if not line and place in (("cluster",), ("service",)) else line


def _told(problem: Mapping[str, Any]) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(problem["loc"])
    if kind == "value_error":
        return str(context.get("error", problem["msg"]))
    if kind == "missing":
        return "is missing"
    if kind in EXPECTED and problem.get("input") is None:
        return f"{EXPECTED[kind]} is expected, and nothing is there; fill it in or remove the key"
    if kind in EXPECTED:
        return f"{EXPECTED[kind]} is expected, not {_short(problem)}"
    text = str(problem["msg"])
    return f"{text[:1].lower()}{text[1:]}, not {_short(problem)}"


def _unknown(place: Place) -> str:
    known = [key for key in _keys_at(place[:-1]) if key != place[-1]]
    if place == ("environments",):
        return "an environment has none of its own"
    near = closest(str(place[-1]), known)
    return f"unknown key{near}" if near else f"unknown key; known here: {', '.join(known)}"


def _keys_at(place: Place) -> list[str]:
    """The keys that the settings have at a place, for the cure of an unknown one."""
    from ecs_pipeline.config.settings import Settings

    schema: dict[str, Any] = Settings.model_json_schema()
    node: dict[str, Any] = schema
    for part in place:
        node = _resolved(node, schema)
        node = node.get("properties", {}).get(part) or node.get("items") or node.get("additionalProperties") or {}
    keys = list(_resolved(node, schema).get("properties", {}))
    return [*keys, "environments"] if not place else keys


def _resolved(node: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    while isinstance(node, dict) and "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if isinstance(node, dict) and "anyOf" in node:
        node = next((_resolved(choice, schema) for choice in node["anyOf"] if "$ref" in choice), node)
    return node if isinstance(node, dict) else {}


def _has(document: Any, place: Place) -> bool:
    for part in place:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _short(problem: Mapping[str, Any]) -> str:
    """The wrong value; of one that may be a secret only its kind."""
    value = problem.get("input")
    if FREE_TEXT & set(problem["loc"]):
        return KINDS.get(type(value), "this")
    text = shown(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
