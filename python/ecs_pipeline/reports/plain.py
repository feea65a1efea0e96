"""Text of others as report files show it; text.py makes it harmless."""

from __future__ import annotations

from ecs_pipeline.text import LONGEST_LINE, cut, one_line, plain, plain_lines

__all__ = ["LONGEST_LINE", "one_line", "plain", "plain_lines", "shortened"]


def shortened(line: str) -> str:
    """A line as report files show it: its first LONGEST_LINE characters, and how many more there were."""
    return cut(line)
