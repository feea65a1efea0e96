"""Text of others (logs, service messages) made harmless: no terminal codes, nothing that XML forbids."""

from __future__ import annotations

import re

LONGEST_LINE = 2000
"""Characters of one line that a report file shows; a console shows all."""

_TERMINAL_CODES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # operating system commands: titles, links
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)"  # device strings
    r"|\x1b[ -/]*[0-~]"  # all other escapes
)
_FORBIDDEN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def plain(line: str) -> str:
    """One line without terminal codes (ECMA-48) and without characters that XML 1.0 forbids; tabs stay."""
    return _FORBIDDEN.sub("", _TERMINAL_CODES.sub("", line))


def plain_lines(text: str) -> list[str]:
    """The lines of a text, each plain; a carriage return ends a line too."""
    return [plain(line) for line in text.splitlines()]


def one_line(text: str) -> str:
    """A text on one line; empty lines leave no gap."""
    return " ".join(line for line in plain_lines(text) if line)


def shortened(line: str) -> str:
    """A line as report files show it: its first LONGEST_LINE characters, and how many more there were."""
    more = len(line) - LONGEST_LINE
    return line if more <= 0 else f"{line[:LONGEST_LINE]} [{more} more characters]"
