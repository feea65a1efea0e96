"""What can be wrong with a filter pattern."""

from __future__ import annotations


class InvalidPattern(ValueError):
    """A filter pattern that CloudWatch Logs refuses (InvalidParameterException)."""
