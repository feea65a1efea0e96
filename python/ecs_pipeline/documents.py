"""YAML and JSON documents with the lines of what stands in them, so that a mistake is told with its place."""

from __future__ import annotations

import difflib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecs_pipeline.errors import InvalidInput

Place = tuple[str | int, ...]


def read_yaml(path: Path, cure: str = "check --config") -> Any:
    """A YAML 1.2 (or JSON) document with the lines of its keys. Raises InvalidInput with the place of a mistake."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: not UTF-8 text", cure="save the file as UTF-8") from error
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}", cure=cure) from error


def parse_yaml(text: str, file: str, *, quotes: bool = False) -> Any:
    """The same of a text that was read from `file`. `quotes`: for `to_yaml`, which then writes them again."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="rt", pure=True)
    reader.allow_duplicate_keys = False
    reader.preserve_quotes = quotes
    try:
        return reader.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = " ".join((error.problem or error.context or "cannot be read").split())
        problem = problem.partition(" with value ")[0]  # of a key that stands twice: it may be a secret
        raise InvalidInput(f"{file}:{line}: {problem}", cure="correct the YAML there") from error
    except YAMLError as error:
        raise InvalidInput(f"{file}: {' '.join(str(error).split())}", cure="correct the YAML") from error


def to_yaml(document: Any) -> str:
    """A document from `parse_yaml` that was changed, as text: comments, tags and order stay."""
    from ruamel.yaml import YAML

    writer = YAML(typ="rt", pure=True)
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    writer.dump(document, text)
    return text.getvalue()


def as_written(value: Any) -> str:
    """A number or a date of a document as it stands there."""
    from ruamel.yaml import YAML

    text = io.StringIO()
    YAML(typ="rt", pure=True).dump(value, text)
    return text.getvalue().removesuffix("\n").removesuffix("\n...")


def line_of(document: Any, place: Sequence[str | int]) -> int:
    """The line of a key or entry in a document from `read_yaml`, or of its nearest parent that is there; 0: none."""
    line = 0
    for part in place:
        position = getattr(document, "lc", None)
        try:
            if isinstance(document, Mapping):
                part = next((key for key in document if str(key) == str(part)), part)  # noqa: PLW2901
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


def shown(value: Any) -> str:
    """A value as the file has it, not as Python writes it; text in quotes."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair, as JSON may escape it
