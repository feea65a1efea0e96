"""Filter patterns of unstructured events: terms, optional terms, exclusions, phrases and regular expressions.

CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live
Tail". Patterns of space-delimited events (`[ip, user]`) are refused: they are not emulated.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from embedded_aws.logs import json_pattern
from embedded_aws.logs.errors import InvalidPattern

if TYPE_CHECKING:
    from collections.abc import Callable

    Match = Callable[[str], bool]

_TERM = re.compile(r'(?P<mark>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?:\s+|$)')


def compile_pattern(pattern: str) -> Match:
    """Give what tells whether a message matches; raise InvalidPattern. Upper and lower case differ."""
    text = pattern.strip()
    if text.startswith("{"):
        return json_pattern.compile_pattern(text)
    if text.startswith("["):
        raise InvalidPattern("patterns of space-delimited events are not emulated")
    if text.startswith("%"):
        return _expression(text)
    return _terms(text)


def _expression(text: str) -> Match:
    if len(text) < 3 or not text.endswith("%"):
        raise InvalidPattern(f"a regular expression must be enclosed in %: {text}")
    search = json_pattern.regular_expression(text[1:-1]).search
    return lambda message: search(message) is not None


def _terms(text: str) -> Match:
    terms: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        found = _TERM.match(text, position)
        if found is None:
            raise InvalidPattern(f"Invalid filter pattern: {text}")
        terms[found["mark"]].append(_text_of(found))
        position = found.end()
    wanted, excluded, optional = terms[""], terms["-"], terms["?"]
    if wanted or excluded:  # with others beside them, optional terms are ignored
        optional = []
    return lambda message: (
        all(term in message for term in wanted)
        and not any(term in message for term in excluded)
        and (not optional or any(term in message for term in optional))
    )


def _text_of(term: re.Match[str]) -> str:
    word: str | None = term["word"]
    if word is None:
        return re.sub(r"\\(.)", r"\1", term["phrase"])
    if re.search(r"\W", word):
        raise InvalidPattern(f"Invalid character(s) in term '{word}'")
    return word
