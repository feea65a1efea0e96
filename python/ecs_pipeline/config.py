"""Reads a config: file, environment overlay, flags; every mistake is told with its file, line and cure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecs_pipeline.errors import InvalidInput

DEFAULT_FILE = "ecs-pipeline.yml"

Place = tuple[str | int, ...]

SECRET = frozenset(("build_args", "headers", "parameters"))
"""Keys whose values may be secret: they are never shown."""

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


@dataclass(frozen=True)
class Config:
    """The settings of one run; paths in them are relative to `folder`."""

    settings: Any  # settings.Settings; pydantic is imported when a config is read, not for --help
    folder: Path
    environment: str = ""
    file: str = ""

    def path(self, relative: str) -> Path:
        """A path that the config names."""
        return self.folder / relative


def load(file: str, environment: str, flags: Mapping[str, str]) -> Config:
    """Read and check a config. `file` '' means the default one, which need not exist.

    `flags` are settings of the command line by key (empty ones are not given). Raises InvalidInput.
    """
    path = Path(file or DEFAULT_FILE)
    document = read_yaml(path) if file or path.exists() else {}
    document = {} if document is None else document
    if not isinstance(document, Mapping):
        raise InvalidInput(
            f"{path}: a config is a map of keys, found {_kind(document)}", cure="see docs/configuration.md"
        )
    base = {key: value for key, value in document.items() if key != "environments"}
    overlay = _overlay(document, environment, str(path))
    merged = merge(base, overlay)
    given = {key: value for key, value in flags.items() if value}
    merged = _with_names({**merged, **given}, environment)
    return Config(_validated(merged, document, environment, str(path)), path.parent, environment, str(path))


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any], *, within: str = "") -> dict[str, Any]:
    """The base with the overlay's keys over it, deeply; lists and plain values are replaced whole."""
    from ecs_pipeline.settings import EXCLUSIVE

    replaced = EXCLUSIVE.get(within, frozenset()) if EXCLUSIVE.get(within, frozenset()) & set(overlay) else frozenset()
    result = {key: value for key, value in base.items() if key not in replaced}
    for key, value in overlay.items():
        old = result.get(key)
        result[key] = (
            merge(old, value, within=key) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return result


def read_yaml(path: Path, cure: str = "check --config") -> Any:
    """A YAML 1.2 (or JSON) document with the lines of its keys. Raises InvalidInput with the place of a mistake."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 text", cure="save the file as UTF-8") from error
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}", cure=cure) from error


def parse_yaml(text: str, file: str) -> Any:
    """The same of a text that was read from `file`."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="rt", pure=True)
    reader.allow_duplicate_keys = False
    try:
        return reader.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join((error.problem or error.context or "cannot be read").split())
        problem = problem.partition(" with value ")[0]  # of a key that stands twice: it may be a secret
        raise InvalidInput(f"{file}:{line}: {problem}", cure="correct the YAML there") from error
    except YAMLError as error:
        raise InvalidInput(f"{file}: {' '.join(str(error).split())}", cure="correct the YAML") from error


def line_of(document: Any, place: Sequence[str | int]) -> int:
    """The line of a key or entry in a document from `read_yaml`, or of its nearest parent that is there; 0: none."""
    line = 0
    for part in place:
        position = getattr(document, "lc", None)
        try:
            found = position.key(part) if isinstance(document, Mapping) else position.item(part)  # type: ignore[union-attr]
            document = document[part]
        except (KeyError, IndexError, TypeError, AttributeError):
            return line
        line = int(found[0]) + 1
    return line


def closest(word: str, known: Sequence[str]) -> str:
    """` (did you mean X?)` or ''."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""


def _overlay(document: Mapping[str, Any], environment: str, file: str) -> Mapping[str, Any]:
    environments = document.get("environments")
    if "environments" not in document or not environment:
        return {}
    if not isinstance(environments, Mapping):
        line = line_of(document, ["environments"])
        raise InvalidInput(
            f"{file}:{line}: environments: a map of names is expected", cure="write `environments: {prd: {…}}`"
        )
    names = {str(key): key for key in environments}
    if environment not in names:
        line, near = line_of(document, ["environments"]), closest(environment, list(names))
        raise InvalidInput(f"{file}:{line}: no environment {environment}{near}", cure=f"use one of: {', '.join(names)}")
    overlay = environments[names[environment]]
    if overlay is not None and not isinstance(overlay, Mapping):
        line = line_of(document, ["environments", names[environment]])
        raise InvalidInput(f"{file}:{line}: environments.{environment}: a map of keys is expected")
    return overlay or {}


def _with_names(merged: dict[str, Any], environment: str) -> dict[str, Any]:
    """The names that follow from others, where they are not given."""
    app = merged.get("app")
    if isinstance(app, str) and app:
        merged.setdefault("service", app)
        if environment:
            merged.setdefault("cluster", f"{app}-{environment}")
    return merged


def _validated(merged: Mapping[str, Any], document: Any, environment: str, file: str) -> Any:
    from pydantic import ValidationError

    from ecs_pipeline.settings import Settings

    try:
        settings = Settings.model_validate(_plain(merged))
    except ValidationError as error:
        problems = list(_problems(error, document, environment, file))
        raise InvalidInput(problems[0], evidence=problems[1:]) from error
    if not settings.image.repository:
        image = settings.image.model_copy(update={"repository": settings.app or settings.service})
        settings = settings.model_copy(update={"image": image})
    return settings


def _problems(error: Any, document: Any, environment: str, file: str) -> Iterator[str]:
    for one in error.errors(include_url=False):
        place: Place = one["loc"]
        name = ".".join(str(part) for part in place)
        if one["type"] == "missing" and place in (("cluster",), ("service",)):
            flag = f"--{place[0]}"
            yield f"no {place[0]} named; give {flag}, `{place[0]}:` in {file}, or `app:`" + (
                " and --environment" if place == ("cluster",) else ""
            )
            continue
        line = line_of(document, ("environments", environment, *place)) if environment else 0
        exact = environment and _has(document, ("environments", environment, *place))
        if not exact:
            line = line_of(document, place)
        where = f"{file}:{line}: " if line else ""
        yield f"{where}{name or 'config'}: {_told(one)}"


def _told(problem: Mapping[str, Any]) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(problem["loc"][:-1])
        near = closest(str(problem["loc"][-1]), known)
        return f"unknown key{near}" if near else f"unknown key; known here: {', '.join(known)}"
    if kind == "value_error":
        return str(context.get("error", problem["msg"]))
    if kind == "missing":
        return "is missing"
    if kind in EXPECTED:
        return f"{EXPECTED[kind]} is expected, not {_short(problem)}"
    text = str(problem["msg"])
    return f"{text[:1].lower()}{text[1:]}, not {_short(problem)}"


def _keys_at(place: Place) -> list[str]:
    """The keys that the settings have at a place, for the cure of an unknown one."""
    from ecs_pipeline.settings import Settings

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
        node = next((_resolved(one, schema) for one in node["anyOf"] if "$ref" in one), node)
    return node if isinstance(node, dict) else {}


def _has(document: Any, place: Place) -> bool:
    for part in place:
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _plain(value: Any) -> Any:
    """Plain dicts, lists and strings: what the reader wraps to keep lines and comments is unwrapped."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, int) and not isinstance(value, bool):
        return value + 0
    return value


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else "plain text"


def _short(problem: Mapping[str, Any]) -> str:
    """The wrong value; of one that may be a secret only its kind."""
    value = problem.get("input")
    text = f"a {type(value).__name__}" if SECRET & set(problem["loc"]) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
