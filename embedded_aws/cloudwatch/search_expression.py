"""SEARCH: the metrics that a search expression finds.

CloudWatch User Guide, "CloudWatch search expression syntax": a schema (`{Namespace,Dimension,…}`), terms joined by AND,
OR and NOT, properties (`MetricName="…"`, `TaskId=(a OR b)`). A quoted term is the whole value, another one some of its
words, whatever their case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ministack.services import cloudwatch

from embedded_aws.cloudwatch.series import Series, ValidationError, read_metric

if TYPE_CHECKING:
    from collections.abc import Callable

    Test = Callable[[dict[str, list[str]]], bool]

_TOKEN = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<sign>[()=])|(?P<word>[^\s()="]+))')
_SCHEMA = re.compile(r"\s*\{([^}]*)\}")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LIMIT = 100


def search(arguments: list[Any], times: tuple[float, float]) -> list[Series]:
    """Find the metrics and give their data: SEARCH('expression', 'statistic', period)."""
    if len(arguments) != 3 or not isinstance(arguments[0], str) or not isinstance(arguments[1], str):
        raise ValidationError("SEARCH takes an expression, a statistic and a period: SEARCH('…', 'Average', 60)")
    expression, stat, period = arguments
    schema = _SCHEMA.match(expression)
    test = _Terms(expression[schema.end() :] if schema else expression).parse()
    names = [name.strip().strip('"') for name in schema[1].split(",")] if schema else None
    found = [
        read_metric(key, stat, int(period), times, label=" ".join([*_dimensions(key).values(), key[1]]))
        for key in list(cloudwatch._metrics.keys())
        if _has_schema(key, names) and test(_properties(key))
    ]
    return sorted(found, key=lambda series: series.label)[:_LIMIT]


def _dimensions(key: tuple[str, str, str]) -> dict[str, str]:
    return dict(part.split("=", 1) for part in key[2].split("|") if part)


def _has_schema(key: tuple[str, str, str], names: list[str] | None) -> bool:
    return names is None or (key[0] == names[0] and set(_dimensions(key)) == set(names[1:]))


def _properties(key: tuple[str, str, str]) -> dict[str, list[str]]:
    """Values by property name; under '' all that a term without a property looks at."""
    dimensions = _dimensions(key)
    named = {"Namespace": [key[0]], "MetricName": [key[1]], **{name: [value] for name, value in dimensions.items()}}
    return {"": [key[0], key[1], *dimensions, *dimensions.values()], **named}


class _Terms:
    """Reads terms: neighbours are joined by AND, which goes before OR."""

    def __init__(self, text: str) -> None:
        self._tokens = [(str(each.lastgroup), each[str(each.lastgroup)]) for each in _TOKEN.finditer(text)]
        self._next = 0

    def parse(self) -> Test:
        if not self._tokens:
            return lambda _metric: True
        test = self._any("")
        if self._next < len(self._tokens):
            raise self._invalid()
        return test

    def _any(self, name: str) -> Test:
        parts = [self._all(name)]
        while self._takes("word", "OR"):
            parts.append(self._all(name))
        return lambda metric: any(part(metric) for part in parts)

    def _all(self, name: str) -> Test:
        parts = [self._one(name)]
        while self._next < len(self._tokens) and self._tokens[self._next] not in {("word", "OR"), ("sign", ")")}:
            self._takes("word", "AND")
            parts.append(self._one(name))
        return lambda metric: all(part(metric) for part in parts)

    def _one(self, name: str) -> Test:
        if self._takes("word", "NOT"):
            test = self._one(name)
            return lambda metric: not test(metric)
        if self._takes("sign", "("):
            inside = self._any(name)
            if not self._takes("sign", ")"):
                raise self._invalid()
            return inside
        if self._next == len(self._tokens) or self._tokens[self._next][0] == "sign":
            raise self._invalid()
        kind, text = self._tokens[self._next]
        self._next += 1
        if self._takes("sign", "="):
            return self._one(text)
        return _term(name, text, is_whole=kind == "quoted")

    def _takes(self, kind: str, text: str) -> bool:
        is_next = self._next < len(self._tokens) and self._tokens[self._next] == (kind, text)
        self._next += is_next
        return is_next

    def _invalid(self) -> ValidationError:
        rest = " ".join(text for _, text in self._tokens[self._next :])
        return ValidationError(f"Invalid search expression near: {rest or 'its end'}")


def _term(name: str, text: str, *, is_whole: bool) -> Test:
    if is_whole:
        return lambda metric: text in metric.get(name, [])
    words = _words(text)
    return lambda metric: any(_contains(_words(value), words) for value in metric.get(name, []))


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _contains(words: list[str], wanted: list[str]) -> bool:
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words) - len(wanted) + 1))
