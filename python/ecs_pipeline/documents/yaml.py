"""YAML and JSON documents with the lines of what stands in them, so that a mistake is told with its place.

The one place that turns what a reader raises into InvalidInput. Its messages show no values: they may be secret.
"""

from __future__ import annotations

import errno
import io
import json
import os
import select
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ecs_pipeline.documents import json_document
from ecs_pipeline.documents.json_document import DEEPEST, NotJson, WrittenFloat
from ecs_pipeline.errors import InvalidInput

Place = tuple[str | int, ...]

MOST_BYTES = 256 * 1024
"""Of a file: a config, a task definition or a template is far smaller."""
MOST_ENTRIES = 100_000
"""Entries of a document once its aliases are written out: nine lines of them can mean billions."""
PIPE_WITHIN = 10.0
"""Seconds in which a pipe has to bring something."""
DEEPEST_TOLD = f"more than {DEEPEST} levels"
PLACEHOLDERS = ("{{", "{%", "<%", "${")
COMMENTS = ("//", "/*")


def read_yaml(path: Path, cure: str = "check --config") -> Any:
    """A YAML 1.2 or JSON document with the lines of its keys. Raises InvalidInput with the place of a mistake."""
    return parse_yaml(read_text(path, cure), str(path))


def read_text(path: Path, cure: str, not_utf8: str = "save the file as UTF-8", most: int = MOST_BYTES) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark, of `most` bytes. Raises InvalidInput."""
    try:
        return read_bytes(path, cure, most).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path}: not UTF-8 text", cure=not_utf8) from None


def read_bytes(path: Path, cure: str, most: int = MOST_BYTES) -> bytes:
    """What a file or a pipe holds, `most` bytes of it. Raises InvalidInput for one that is larger or says nothing."""
    try:
        return _bytes(path, most)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path}: {getattr(error, 'strerror', None) or error}", cure=cure) from error


def parse_yaml(text: str, file: str, *, quotes: bool = False) -> Any:
    """The same of a text that was read from `file`. `quotes`: for `to_yaml`, which then writes them again."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json_document.parse(text)
        except NotJson as error:
            _refuse_json(text, file, error)
    document = _load_yaml(text, file, quotes=quotes)
    _refuse_odd(document, text, file)
    return document


def _bytes(path: Path, most: int) -> bytes:
    """What a file or a pipe holds. Raises OSError: also for one that is too large, or brings nothing for too long."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        found = b""
        while len(found) <= most:
            if not select.select([descriptor], [], [], PIPE_WITHIN)[0]:
                raise OSError(errno.ETIMEDOUT, f"nothing came of it within {PIPE_WITHIN:g}s")
            part = os.read(descriptor, most + 1 - len(found))
            if not part:
                return found
            found += part
        raise OSError(errno.EFBIG, f"larger than {most // 1024} KiB")
    finally:
        os.close(descriptor)


def _refuse_json(text: str, file: str, error: NotJson) -> None:
    """What is no JSON and must not be taken for YAML: a comment there swallows a key, a placeholder is a map."""
    line = text.count("\n", 0, error.position) + 1
    if text.startswith(COMMENTS, error.position):
        raise InvalidInput(
            f"{file}:{line}: JSON has no comments", cure="remove it; in YAML a comment begins with #"
        ) from None
    if text[error.position - 1 : error.position + 1] in PLACEHOLDERS or text.startswith(PLACEHOLDERS, error.position):
        raise _placeholder(file, line) from None
    if DEEPEST_TOLD in error.problem:
        raise InvalidInput(f"{file}:{line}: {error.problem}", cure="correct the JSON there") from None


def _placeholder(file: str, line: int) -> InvalidInput:
    return InvalidInput(
        f"{file}:{line}: placeholders such as {{{{ … }}}} are not filled in, and look-ups only in quotes here",
        cure='write "${env:NAME}"; fill in others before, and name the result',
    )


def _load_yaml(text: str, file: str, *, quotes: bool) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="rt", pure=True)
    reader.allow_duplicate_keys = False
    reader.preserve_quotes = quotes
    try:
        return reader.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        if _has_placeholder(_line(text, line)):
            raise _placeholder(file, line) from None
        problem = " ".join((error.problem or error.context or "cannot be read").split())
        problem = problem.partition(" with value ")[0]  # of a key that stands twice: it may be a secret
        raise InvalidInput(f"{file}:{line}: {problem}", cure="correct the YAML there") from None
    except RecursionError:
        raise InvalidInput(f"{file}: nested too deeply", cure="correct the YAML") from None
    except YAMLError as error:
        raise InvalidInput(f"{file}: {' '.join(str(error).split())}", cure="correct the YAML") from None
    except Exception as error:  # noqa: BLE001 - ruamel raises whatever its parts do
        line = _unreadable_line(text)
        raise InvalidInput(
            f"{file}{f':{line}' if line else ''}: cannot be read as YAML ({type(error).__name__})",
            cure="correct the YAML there, or put the value in quotes" if line else "correct the YAML",
        ) from None


def _unreadable_line(text: str) -> int:
    """The line of the first value that says what it is and is none, such as a 30th of February; 0 when none is found.

    ruamel raises for such a value whatever Python's own parsers do, without its place.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode

    waiting: list[Any] = [YAML(typ="rt", pure=True).compose(text)]
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, ScalarNode):
            parts = node.value if node is not None else ()
            waiting[:0] = [part for entry in parts for part in (entry if isinstance(entry, tuple) else (entry,))]
            continue
        try:
            YAML(typ="rt", pure=True).load(text[node.start_mark.index : node.end_mark.index])
        except Exception:  # noqa: BLE001 - as above
            return int(node.start_mark.line) + 1
    return 0


def _refuse_odd(document: Any, text: str, file: str) -> None:
    """What YAML allows and no document of ours has: maps as keys, depths, aliases that mean more than they say."""
    for number, (value, depth, line) in enumerate(_entries(document)):
        if number > MOST_ENTRIES or depth > DEEPEST:
            raise InvalidInput(
                f"{file}: nested too deeply, or its aliases stand for too much", cure="write it out, without aliases"
            )
        for key in value if isinstance(value, Mapping) else ():
            if isinstance(key, str) and key.startswith(COMMENTS):
                place = _key_line(value, key) or line
                raise InvalidInput(f"{file}:{place}: a key begins with {key[:2]}", cure="a comment begins with #")
            if isinstance(key, Mapping | Sequence) and not isinstance(key, str):
                if _has_placeholder(_line(text, line)):
                    raise _placeholder(file, line)
                raise InvalidInput(f"{file}:{line}: a map or a list cannot be a key", cure="correct the YAML there")


def _entries(document: Any) -> Iterator[tuple[Any, int, int]]:
    """Every map, list and value of a document as often as it is meant, with its depth and line."""
    waiting: list[tuple[Any, int, int]] = [(document, 0, 1)]
    while waiting:
        value, depth, line = waiting.pop()
        yield value, depth, line
        if isinstance(value, Mapping):
            waiting += [(inner, depth + 1, _key_line(value, key) or line) for key, inner in value.items()]
        elif isinstance(value, list | set | frozenset):
            waiting += [(inner, depth + 1, line) for inner in value]


def _key_line(document: Any, key: Any) -> int:
    """The line of a key of a map; 0 when that is not known."""
    try:
        return int(document.lc.key(key)[0]) + 1
    except (KeyError, TypeError, AttributeError):
        return 0


def _has_placeholder(line: str) -> bool:
    return any(mark in line for mark in PLACEHOLDERS)


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1] if 0 < number <= len(lines) else ""


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
    if isinstance(value, WrittenFloat):
        return value.text
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


def shown(value: Any) -> str:
    """A value as the file has it, not as Python writes it; text in quotes."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair, as JSON may escape it
