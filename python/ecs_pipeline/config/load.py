"""Reads a config: file, environment overlay, flags, look-ups; every mistake is told with its file, line and cure."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from ecs_pipeline.config.lookups import ENV, EnvironmentSource, Lookups, as_number, kinds_in, texts_in
from ecs_pipeline.config.problems import FREE_TEXT, Written, placed, told
from ecs_pipeline.documents.suggestions import closest
from ecs_pipeline.documents.yaml import Place, as_written, line_of, read_yaml
from ecs_pipeline.errors import InvalidInput

DEFAULT_FILE = "ecs-pipeline.yml"

AS_WRITTEN = FREE_TEXT | {"hooks", "labels", "run", "registry"}
"""Keys below which numbers are text: 1.10 is not 1.1, and an account may begin with a 0."""
SESSION = ("region", "role_arn", "role_external_id", "role_duration")
"""Keys that have to be known before AWS is asked."""

NewLookups = Callable[[Mapping[str, Any]], Lookups]
"""Makes what fills look-ups in, from the keys of `SESSION` as far as they are given."""


def without_aws(_names: Mapping[str, Any]) -> Lookups:
    """Look-ups in the environment alone."""
    return Lookups(EnvironmentSource(os.environ))


@dataclass(frozen=True)
class Config:
    """The settings of one run; paths in them are relative to `folder`."""

    settings: Any  # settings.Settings; pydantic is imported when a config is read, not for --help
    folder: Path
    written: Written
    lookups: Lookups = field(default_factory=lambda: without_aws({}))


def load(
    file: str,
    environment: str,
    flags: Mapping[str, str],
    new_lookups: NewLookups = without_aws,
    *,
    unused: Collection[str] = (),
) -> Config:
    """Read and check a config. `file` '' means the default one, which need not exist.

    `flags` are settings of the command line by key (empty ones are not given). `unused`: sections that the command does
    not need; where they have look-ups they are left out, so that no parameter that is gone holds a rollback.
    Raises InvalidInput.
    """
    path = Path(file or DEFAULT_FILE)
    document = read_yaml(path) if file or path.exists() else {}
    document = {} if document is None else document
    if not isinstance(document, Mapping):
        raise InvalidInput(
            f"{path}: a config is a map of keys, found {_kind(document)}", cure="see docs/configuration.md"
        )
    base = {key: value for key, value in document.items() if key != "environments"}
    given = {key: value for key, value in flags.items() if value}
    overlay = _overlay(document, environment, str(path), named="cluster" in given)
    merged = {**merge(base, overlay), **given}
    merged = {key: value for key, value in merged.items() if key not in unused or not any(texts_in(value))}
    written = Written(document, environment, str(path), frozenset(given))
    merged, lookups, looked_up = _filled(merged, written, new_lookups)
    merged = _with_names(_named_by_arns(merged), environment)
    written = replace(written, looked_up=looked_up)
    return Config(_validated(merged, written), path.parent, written, lookups)


def from_flags(flags: Mapping[str, str]) -> Config:
    """A config without a file. Raises InvalidInput."""
    given = {key: value for key, value in flags.items() if value}
    written = Written({}, "", DEFAULT_FILE, frozenset(given))
    return Config(_validated(_named_by_arns(dict(given)), written), Path(), written)


def _filled(
    merged: dict[str, Any], written: Written, new_lookups: NewLookups
) -> tuple[dict[str, Any], Lookups, dict[Place, str]]:
    """The look-ups filled in; first what names region and role, for with these AWS is asked for the others."""
    if not any(texts_in(merged)):
        return merged, new_lookups(_named_by_arns(dict(merged))), {}
    blame = partial(placed, written=written)
    session = {key: merged[key] for key in SESSION if key in merged}
    for place, text in texts_in(session):
        for kind in set(kinds_in(text)) - {ENV}:
            raise InvalidInput(blame(place, f"${{{kind}:…}} cannot stand here: AWS is asked with it"))
    named, _ = Lookups(EnvironmentSource(os.environ)).filled(session, blame)
    lookups = new_lookups(_named_by_arns({**merged, **named}))
    filled, looked_up = lookups.filled(merged, blame)
    return filled, lookups, looked_up


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any], *, within: str = "") -> dict[str, Any]:
    """The base with the overlay's keys over it, deeply; lists and plain values are replaced whole."""
    from ecs_pipeline.config.settings import EXCLUSIVE

    exclusive = EXCLUSIVE.get(within, frozenset())
    replaced = exclusive if exclusive & set(overlay) else frozenset()
    result = {key: value for key, value in base.items() if key not in replaced}
    for key, value in overlay.items():
        old = result.get(key)
        result[key] = (
            merge(old, value, within=key) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
        )
    return result


def _overlay(document: Mapping[str, Any], environment: str, file: str, *, named: bool) -> Mapping[str, Any]:
    """The overlay of the environment. Without `environments` it is a part of names: of no use when those are given."""
    environments = document.get("environments")
    if environment and "environments" not in document and "cluster" in document and not named:
        raise InvalidInput(
            f"{file}: no environment {environment}: there is no `environments` in it, and the cluster is given",
            cure="write `environments: {prd: {…}}`, or leave --environment out",
        )
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


def _named_by_arns(merged: dict[str, Any]) -> dict[str, Any]:
    """An ARN names its region too, and a service's its cluster. Raises InvalidInput when the region is another."""
    for key in ("service", "cluster"):
        arn = merged.get(key)
        parts = arn.split(":", 5) if isinstance(arn, str) and arn.startswith("arn:") else []
        region = parts[3] if len(parts) > 5 else ""
        if not region:
            continue
        if merged.get("region", region) != region:
            raise InvalidInput(f"{key} {arn} is in region {region}, not {merged['region']}", cure="give the one region")
        merged["region"] = region
        if key == "service" and parts[5].count("/") == 2:
            merged.setdefault("cluster", parts[5].split("/")[1])
    return merged


def _validated(merged: Mapping[str, Any], written: Written) -> Any:
    from pydantic import ValidationError

    from ecs_pipeline.config.reachable import unreachable
    from ecs_pipeline.config.settings import Settings

    plain = _plain(merged)
    try:
        try:
            settings = Settings.model_validate(plain)
        except ValidationError as error:
            if not _numbers_filled(plain, error, written):
                raise
            settings = Settings.model_validate(plain)
    except ValidationError as error:
        first, *more = told(error, written)
        raise InvalidInput(first, evidence=more) from None  # its text has the values in it
    too_few = [placed(("canary", "checks", number), what, written) for number, what in unreachable(settings.canary)]
    if too_few:
        raise InvalidInput(too_few[0], evidence=too_few[1:])
    if not settings.image.repository:
        image = settings.image.model_copy(update={"repository": settings.app or settings.service})
        settings = settings.model_copy(update={"image": image})
    return settings


def _numbers_filled(plain: Any, error: Any, written: Written) -> bool:
    """Numbers, true and false that were looked up are text; put them where such are expected. True when any was."""
    found = False
    for problem in error.errors(include_url=False, include_input=False):
        *above, last = problem["loc"]
        number = as_number(_at(plain, problem["loc"])) if written.is_looked_up(problem["loc"]) else None
        if number is not None and problem["type"] in ("int_type", "float_type", "bool_type"):
            _at(plain, above)[last] = number
            found = True
    return found


def _at(document: Any, place: Sequence[Any]) -> Any:
    for part in place:
        document = document[part]
    return document


def _plain(value: Any, *, text: bool = False) -> Any:
    """Plain dicts, lists and strings: what the reader wraps to keep lines and comments is unwrapped.

    `text`: numbers and dates are for somebody else, so they stay as they are written.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(item, text=text or key in AS_WRITTEN) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, text=text) for item in value]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if text and (number or isinstance(value, date)):
        return as_written(value)
    if number:
        return value + (0.0 if isinstance(value, float) else 0)
    return str(value) if isinstance(value, str) else value


def _kind(value: Any) -> str:
    return "a list" if isinstance(value, list) else "plain text"
