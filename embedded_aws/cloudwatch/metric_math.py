"""Metric-math expressions: operators, numbers, parentheses, arrays and functions.

CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from embedded_aws.cloudwatch import functions, search_expression
from embedded_aws.cloudwatch.series import ValidationError, Value, combine

if TYPE_CHECKING:
    from collections.abc import Callable

    Operation = Callable[[float, float], float]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z]\w*)|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/^<>()\[\],]))"
)
_OPERATIONS: dict[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": functions.divide,
    "^": functions.power,
    "<": lambda left, right: float(left < right),
    "<=": lambda left, right: float(left <= right),
    ">": lambda left, right: float(left > right),
    ">=": lambda left, right: float(left >= right),
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "&&": lambda left, right: float(bool(left) and bool(right)),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "||": lambda left, right: float(bool(left) or bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}
_PRECEDENCE = [{"||", "OR"}, {"&&", "AND"}, {"<", "<=", ">", ">=", "==", "!="}, {"+", "-"}, {"*", "/"}, {"^"}]
_WORDS = {"REPEAT", "LINEAR"}


class Expression:
    """One expression, evaluated while it is read.

    `value_of` gives the value of another query by its id, `metrics` those of all metric queries (METRICS()), `times`
    are those of the request. Raises ValidationError.
    """

    def __init__(
        self,
        text: str,
        value_of: Callable[[str], Value],
        metrics: Callable[[str], list[Any]],
        times: tuple[float, float],
    ) -> None:
        self._text = text
        self._value_of = value_of
        self._metrics = metrics
        self._times = times
        self._tokens = self._split()
        self._next = 0

    def evaluate(self) -> Value:
        """Give the value of the whole expression."""
        value: Value = self._operators(0)
        if self._next < len(self._tokens):
            raise self._unexpected()
        return value

    def _split(self) -> list[tuple[str, str]]:
        tokens, position, text = [], 0, self._text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                raise ValidationError(f"unexpected character at {position}: {text[position:]}")
            tokens.append((str(found.lastgroup), str(found[str(found.lastgroup)])))
            position = found.end()
        return tokens

    def _operators(self, level: int) -> Any:
        if level == len(_PRECEDENCE):
            return self._unary()
        value = self._operators(level + 1)
        while self._peek() in _PRECEDENCE[level]:
            sign = self._take()[1]
            value = combine(value, self._operators(level + 1), _OPERATIONS[sign])
        return value

    def _unary(self) -> Any:
        if self._peek() == "-":
            self._take()
            return combine(-1.0, self._unary(), operator.mul)
        return self._primary()

    def _primary(self) -> Any:
        kind, text = self._take()
        if kind == "number":
            return float(text)
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if text == "(":
            value = self._operators(0)
            self._expect(")")
            return value
        if text == "[":
            return [series for value in self._list("]") for series in (value if isinstance(value, list) else [value])]
        if kind != "name":
            raise self._unexpected()
        if self._peek() == "(":
            self._take()
            return self._call(text.upper(), self._list(")"))
        return text if text in _WORDS else self._value_of(text)

    def _call(self, name: str, arguments: list[Any]) -> Value:
        if name == "METRICS":
            return self._metrics(*arguments)
        if name == "SEARCH":
            return search_expression.search(arguments, self._times)
        return functions.call(name, arguments, self._times)

    def _list(self, end: str) -> list[Any]:
        values: list[Any] = []
        while self._peek() != end:
            values.append(self._operators(0))
            if self._peek() != end:
                self._expect(",")
        self._take()
        return values

    def _peek(self) -> str:
        if self._next == len(self._tokens):
            return ""
        kind, text = self._tokens[self._next]
        return "" if kind == "string" else text

    def _take(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            raise ValidationError("the expression ends too early")
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, sign: str) -> None:
        if self._peek() != sign:
            raise self._unexpected()
        self._take()

    def _unexpected(self) -> ValidationError:
        rest = " ".join(text for _, text in self._tokens[max(0, self._next - 1) :])
        return ValidationError(f"unexpected: {rest or 'the end'}")
