"""Filter patterns of JSON events: `{ ($.level = "ERROR") && ($.user.id != 1) }`.

CloudWatch Logs User Guide, "Using filter patterns to match terms in JSON log events".
"""

from __future__ import annotations

import fnmatch
import json
import operator
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from embedded_aws.logs.errors import InvalidPattern

if TYPE_CHECKING:
    from collections.abc import Callable

Condition: TypeAlias = "Callable[[Any], bool]"
MISSING = object()
_TOKEN = re.compile(
    r'\s*(?:(?P<selector>\$(?:\.[\w-]+|\[\d+\])+)|(?P<operator>&&|\|\||!=|<=|>=|[=<>()])|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<expression>%[^%]+%)|(?P<word>[\w.*+@:/-]+))"
)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$")
_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_STATES: dict[tuple[str, ...], Condition] = {
    ("IS", "NULL"): lambda value: value is None,
    ("IS", "TRUE"): lambda value: value is True,
    ("IS", "FALSE"): lambda value: value is False,
    ("NOT", "EXISTS"): lambda value: value is MISSING,
}


def compile_pattern(text: str) -> Callable[[str], bool]:
    """Give what tells whether a message, a JSON object, matches; raise InvalidPattern."""
    if not text.endswith("}"):
        raise InvalidPattern(f"Invalid filter pattern, a closing brace is missing: {text}")
    condition = _Parser(text[1:-1]).parse()

    def matches(message: str) -> bool:
        try:
            event = json.loads(message)
        except ValueError:
            return False
        return isinstance(event, (dict, list)) and condition(event)

    return matches


def regular_expression(text: str) -> re.Pattern[str]:
    """Compile what stands between two %; raise InvalidPattern for what CloudWatch Logs does not support."""
    if not text.isascii() or re.search(r"[^\w#=@/;,\-^$?\[\]{}|\\*+.: ]", text):
        raise InvalidPattern(f"Invalid regular expression: {text}")
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidPattern(f"Invalid regular expression: {text}: {error}") from None


class _Parser:
    """Reads conditions joined by && and ||, && first, and parentheses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._split())
        self._next = 0

    def parse(self) -> Condition:
        condition = self._any()
        if self._next < len(self._tokens):
            raise self._invalid()
        return condition

    def _split(self) -> list[tuple[str, str]]:
        tokens, position = [], 0
        text = self._text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise self._invalid()
            tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            position = found.end()
        return tokens

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._take_operator("||"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda event: any(part(event) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._take_operator("&&"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda event: all(part(event) for part in parts)

    def _one(self) -> Condition:
        if self._take_operator("("):
            inside = self._any()
            if not self._take_operator(")"):
                raise self._invalid()
            return inside
        kind, selector = self._take()
        if kind != "selector":
            raise self._invalid()
        test = self._test()
        path = [int(part[1:-1]) if part[0] == "[" else part[1:] for part in re.findall(r"\.[\w-]+|\[\d+\]", selector)]
        return lambda event: test(_select(event, path))

    def _test(self) -> Condition:
        kind, sign = self._take()
        if kind == "word":
            state = (sign.upper(), self._take()[1].upper())
            if state not in _STATES:
                raise self._invalid()
            return _STATES[state]
        value_kind, value = self._take()
        if value_kind not in {"string", "word", "expression"}:
            raise self._invalid()
        if sign in _ORDERS:
            return self._order(sign, value)
        if sign not in {"=", "!="}:
            raise self._invalid()
        equals = _equality(value_kind, value)
        return equals if sign == "=" else lambda found: found is not MISSING and not equals(found)

    def _order(self, sign: str, value: str) -> Condition:
        if not _NUMBER.match(value):
            raise self._invalid()
        compare, limit = _ORDERS[sign], float(value)
        return lambda found: _is_number(found) and compare(found, limit)

    def _take(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            raise self._invalid()
        self._next += 1
        return self._tokens[self._next - 1]

    def _take_operator(self, sign: str) -> bool:
        is_next = self._next < len(self._tokens) and self._tokens[self._next] == ("operator", sign)
        self._next += is_next
        return is_next

    def _invalid(self) -> InvalidPattern:
        return InvalidPattern(f"Invalid filter pattern: {{{self._text}}}")


def _select(event: Any, path: list[str | int]) -> Any:
    found = event
    for part in path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return found


def _equality(kind: str, value: str) -> Condition:
    if kind == "expression":
        search = regular_expression(value[1:-1]).search
        return lambda found: isinstance(found, str) and search(found) is not None
    if kind == "word" and _NUMBER.match(value):
        return lambda found: _is_number(found) and found == float(value)
    wanted = json.loads(value) if kind == "string" else value
    wildcard = re.compile(fnmatch.translate(wanted.replace("[", "[[]").replace("?", "[?]")))
    return lambda found: isinstance(found, str) and wildcard.match(found) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
