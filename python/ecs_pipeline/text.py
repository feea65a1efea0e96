"""Text of others (logs, answers, AWS' messages) made harmless: short, no terminal codes, no secrets in URLs.

Every filter is linear: an expression looks at LONGEST_RAW characters at a time. A filter applied twice changes nothing
more.
"""

from __future__ import annotations

import json
import re

LONGEST_LINE = 2000
"""Characters of one line that a report file shows."""
LONGEST_RAW = 2 * LONGEST_LINE
"""Characters that an expression looks at together, and of one event of a log: codes may take up half of them."""
LONGEST_TEXT = 256 * 1024
"""Characters of a text that is to fit on one line; one event of CloudWatch Logs holds so much."""

_CUT = re.compile(r" \[(\d{1,12}) more characters\]\Z")
_CUT_WITHIN = 40

# A string sequence ends with its terminator. Its body holds no other opener, so that no character is looked at twice.
_BODY = r"[^\x07\x1b\x90\x98\x9b-\x9f]*"
_TERMINAL_CODES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    rf"|(?:\x1b\]|\x9d){_BODY}(?:\x07|\x1b\\|\x9c)"  # operating system commands: titles, links
    rf"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f]){_BODY}(?:\x1b\\|\x9c)"  # device strings
    r"|\x1b[ -/]*[0-~]"  # all other escapes
)
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # these turn the direction of what is read
)
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{0,15}://)([^\s\"'<>`]+)", re.IGNORECASE)
_HOST = re.compile(r"(?:\[[0-9a-f:.]*\]|[^:@\[\]]*)(?::\d*)?", re.IGNORECASE)
_YAML_PLAIN = re.compile(r"[A-Za-z_/.][A-Za-z0-9_/.-]*")
_YAML_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
_PUNCTUATION = ").,;:!"


def cut(line: str, most: int = LONGEST_LINE) -> str:
    """The first `most` characters of a line, and how many more there were; a line that was cut keeps its count."""
    body, more = _uncut(line)
    return line if len(body) <= most else f"{body[:most]}{_told(more + len(body) - most)}"


def plain(line: str) -> str:
    """One line without terminal codes (ECMA-48) and without characters that XML 1.0 forbids; tabs stay.

    A code that is longer than what is looked at together loses what makes a terminal obey it.
    """
    parts = (line[start : start + LONGEST_RAW] for start in range(0, len(line), LONGEST_RAW))
    return "".join(_FORBIDDEN.sub("", _TERMINAL_CODES.sub("", part)) for part in parts)


def plain_lines(text: str) -> list[str]:
    """The lines of a text, each plain; a carriage return ends a line too."""
    return [plain(line) for line in text.splitlines()]


def one_line(text: str) -> str:
    """A text on one line of no more than LONGEST_RAW characters; empty lines leave no gap."""
    said = " ".join(line for line in plain_lines(text[:LONGEST_TEXT]) if line)
    return cut(said + _told(max(len(text) - LONGEST_TEXT, 0)), LONGEST_RAW)


def yaml_scalar(text: str) -> str:
    """Text as YAML 1.1 and 1.2 read it back; in quotes where it needs them."""
    plain = _YAML_PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS
    return text if plain else json.dumps(text)


def without_credentials(text: str) -> str:
    """A text whose URLs have neither user and password nor a query: both may hold secrets."""
    return _URL.sub(lambda found: found[1] + _shown_url(found[2]), text)


def message(text: str) -> str:
    """A text as messages show it: one plain line, no secrets in URLs."""
    return without_credentials(one_line(text))


def _shown_url(rest: str) -> str:
    """What follows `SCHEME://`, for a reader. A password with a `/` in it ends at the last `@` all the same."""
    url = rest.rstrip(_PUNCTUATION)
    kept = re.split(r"[?#]", url, maxsplit=1)[0]
    if not _is_host(kept):
        kept = kept.rpartition("@")[2]
        kept = kept if _is_host(kept) else "…"
    return kept + rest[len(url) :]


def _is_host(rest: str) -> bool:
    return bool(_HOST.fullmatch(rest.partition("/")[0]))


def _uncut(line: str) -> tuple[str, int]:
    """A line without what `cut` added, and how many characters that stood for."""
    found = _CUT.search(line, max(len(line) - _CUT_WITHIN, 0))
    return (line[: found.start()], int(found[1])) if found else (line, 0)


def _told(more: int) -> str:
    return f" [{more} more characters]" if more else ""
