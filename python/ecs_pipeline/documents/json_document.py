"""JSON documents with the lines of what stands in them: each value as it is written, each key once.

YAML's reader would take most of JSON too, but a comment in it swallows the next key there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

DEEPEST = 100
"""Levels: no document that we read has a tenth of them."""
SPACE = re.compile(r"[ \t\n\r]*")


class NotJson(ValueError):
    """The text is not JSON: what is wrong, and at which character."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.position = position


class Lines:
    """Where entries stand, as ruamel.yaml tells it: (line, column), the first line is 0."""

    def __init__(self, lines: Mapping[Any, int]) -> None:
        self._lines = lines

    def key(self, key: Any) -> tuple[int, int]:
        """The place of a key. Raises KeyError."""
        return self._lines[key], 0

    def item(self, index: Any) -> tuple[int, int]:
        """The place of an entry of a list. Raises KeyError."""
        return self._lines[index], 0


class JsonMap(dict[str, Any]):
    """An object, with the lines of its keys."""

    def __init__(self, entries: Mapping[str, Any], lines: Mapping[str, int]) -> None:
        super().__init__(entries)
        self.lc = Lines(lines)


class JsonList(list[Any]):
    """A list, with the lines of its entries."""

    def __init__(self, entries: Sequence[Any], lines: Sequence[int]) -> None:
        super().__init__(entries)
        self.lc = Lines(dict(enumerate(lines)))


class WrittenFloat(float):
    """A number with the text that it was written as: 1.10 is not 1.1."""

    text: str

    def __new__(cls, text: str) -> WrittenFloat:
        """The number that the text says."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def parse(text: str) -> Any:
    """The document. Raises NotJson."""
    return _Reader(text).document()


class _Reader:
    """Reads from one end of a text to the other; the line is counted along."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 0
        self._scalars = json.JSONDecoder(parse_float=WrittenFloat, parse_constant=self._no_constant)

    def document(self) -> Any:
        """The whole of it."""
        value = self._value(0)
        self._skip_space()
        if self._at < len(self._text):
            raise NotJson("nothing is expected after the document", self._at)
        return value

    def _value(self, depth: int) -> Any:
        self._skip_space()
        if depth > DEEPEST:
            raise NotJson(f"nested more than {DEEPEST} levels deep", self._at)
        sign = self._text[self._at : self._at + 1]
        if sign == "{":
            return self._object(depth)
        return self._list(depth) if sign == "[" else self._scalar()

    def _object(self, depth: int) -> JsonMap:
        entries: dict[str, Any] = {}
        lines: dict[str, int] = {}
        while self._more("}", first=not entries):
            if self._text[self._at : self._at + 1] != '"':
                raise NotJson("a key in double quotes is expected", self._at)
            place, line = self._at, self._line_here()
            key = self._scalar()
            if key in entries:
                raise NotJson(f"key {key!r} stands there twice", place)
            self._expect(":")
            entries[key], lines[key] = self._value(depth + 1), line
        return JsonMap(entries, lines)

    def _list(self, depth: int) -> JsonList:
        entries: list[Any] = []
        lines: list[int] = []
        while self._more("]", first=not entries):
            lines.append(self._line_here())
            entries.append(self._value(depth + 1))
        return JsonList(entries, lines)

    def _more(self, end: str, *, first: bool) -> bool:
        """Go on to the next entry; False at the end. Before the first one stands the opening bracket."""
        if first:
            self._at += 1
            self._skip_space()
            if self._text.startswith(end, self._at):
                self._at += 1
                return False
            return True
        self._skip_space()
        if self._text.startswith(end, self._at):
            self._at += 1
            return False
        self._expect(",")
        self._skip_space()
        return True

    def _expect(self, sign: str) -> None:
        self._skip_space()
        if not self._text.startswith(sign, self._at):
            raise NotJson(f"`{sign}` is expected", self._at)
        self._at += 1

    def _scalar(self) -> Any:
        try:
            value, self._at = self._scalars.raw_decode(self._text, self._at)
        except NotJson:
            raise
        except json.JSONDecodeError as error:
            raise NotJson(error.msg[:1].lower() + error.msg[1:], error.pos) from None
        except ValueError:  # a whole number of more digits than Python converts
            raise NotJson("no number that can be read", self._at) from None
        return value

    def _no_constant(self, name: str) -> Any:
        raise NotJson(f"JSON has no {name}", self._at)

    def _skip_space(self) -> None:
        found = SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
