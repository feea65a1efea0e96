"""Where each setting of a merged config comes from: the file, an overlay, a flag, another key, or the default."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecs_pipeline.config.load import Config
from ecs_pipeline.config.problems import FREE_TEXT, Written
from ecs_pipeline.config.settings import EXCLUSIVE
from ecs_pipeline.documents.yaml import Place, line_of
from ecs_pipeline.text import without_credentials

FILE, OVERLAY, FLAG, DERIVED, DEFAULT = "file", "overlay", "flag", "derived", "default"
FOLLOWING: Mapping[Place, tuple[str, ...]] = {
    ("service",): ("app",),
    ("cluster",): ("app", "service"),
    ("region",): ("service", "cluster"),
    ("image", "repository"): ("app", "service"),
}
"""Keys that follow from others, and from which: load.py fills them in."""
HIDDEN = "(not shown)"
AUTO = frozenset((("promote", "stable_within"), ("rollback", "drain")))
"""Durations that are `auto` when no number is given."""


@dataclass(frozen=True)
class Setting:
    """One setting; `kind` says where it comes from, `origin` says it in words, `line` is that of the file or 0."""

    key: str
    value: str
    kind: str
    origin: str
    line: int = 0


def settings_of(config: Config) -> list[Setting]:
    """All settings in the order of the documentation; those that are empty by default are left out."""
    given = config.settings.model_dump(mode="json")
    if not config.settings.canary.steps and config.settings.canary.percent is None:
        given["canary"]["tasks"] = config.settings.canary.sizes[0].tasks
    return [_setting(place, value, config.written) for place, value in _leaves(given) if _counts(place, value)]


def _leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Each value that is made of no others, with its place; percentiles by the names that a file has."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            name = f"p{key}" if place[-1:] == ("percentiles",) else str(key)
            yield from _leaves(inner, (*(place[:-1] if place[-1:] == ("percentiles",) else place), name))
    elif isinstance(value, list) and any(isinstance(inner, Mapping) for inner in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*place, index))
    else:
        yield place, value


def _counts(place: Place, value: Any) -> bool:
    named = bool(FREE_TEXT & set(place[:-1]))
    return named or place in AUTO or value not in (None, "", [], {})


def _setting(place: Place, value: Any, written: Written) -> Setting:
    kind, line, origin = _source(place, written)
    shown = written.looked_up.get(place) or _shown(place, value)
    return Setting(".".join(str(part) for part in place), shown, kind, origin, line)


def _shown(place: Place, value: Any) -> str:
    """The value as a file has it; of one that may be a secret nothing."""
    if FREE_TEXT & set(place):
        return "(from the environment)" if value is None else HIDDEN
    if value is None and place in AUTO:
        return "auto"
    if isinstance(value, float):
        return f"{value:g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return without_credentials(text)


def _source(place: Place, written: Written) -> tuple[str, int, str]:
    """Kind, line and words."""
    if len(place) == 1 and place[0] in written.flags:
        return FLAG, 0, f"--{str(place[0]).replace('_', '-')}"
    overlay = ("environments", _environment(written))
    owner = written.document if written.document is not None else {}
    in_overlay = _has(owner, (*overlay, *place)) if overlay[1] else False
    if in_overlay:
        line = line_of(owner, (*overlay, *place))
        return OVERLAY, line, f"{written.file}:{line} (environments.{overlay[1]})"
    if _has(owner, place) and not _replaced(owner, overlay, place):
        line = line_of(owner, place)
        return FILE, line, f"{written.file}:{line}"
    for key in FOLLOWING.get(place, ()):
        kind, line, origin = _source((key,), written)
        if kind != DEFAULT:
            return DERIVED, line, f"from {key}: {origin}"
    return DEFAULT, 0, DEFAULT


def _environment(written: Written) -> Any:
    """The key of the overlay as the file has it: it may be a number."""
    found = written.document.get("environments") if isinstance(written.document, Mapping) else None
    names = {str(key): key for key in found} if isinstance(found, Mapping) else {}
    return names.get(written.environment, "")


def _replaced(document: Any, overlay: Place, place: Place) -> bool:
    """Whether the overlay replaces a whole list above the place, or gives a key that excludes the base's one."""
    if not overlay[1]:
        return False
    for length in range(1, len(place)):
        above = _at(document, (*overlay, *place[:length]))
        if above is not None and not isinstance(above, Mapping):
            return True
    rivals = EXCLUSIVE.get(str(place[0]), frozenset()) if len(place) > 1 else frozenset()
    if len(place) > 1 and place[1] in rivals:
        return any(_has(document, (*overlay, place[0], rival)) for rival in rivals)
    return False


def _has(document: Any, place: Place) -> bool:
    return _at(document, place, missing=...) is not ...


def _at(document: Any, place: Place, missing: Any = None) -> Any:
    """The value at a place; `missing` where there is none. Keys are compared as text."""
    for part in place:
        if isinstance(document, Mapping):
            part = next((key for key in document if str(key) == str(part)), part)  # noqa: PLW2901
        try:
            document = document[part]
        except (KeyError, IndexError, TypeError):
            return missing
    return document
