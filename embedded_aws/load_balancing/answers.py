"""Answers of the Elastic Load Balancing API, as ministack writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import alb

if TYPE_CHECKING:
    from embedded_aws.api import Response


def error(code: str, text: str) -> Response:
    """Give an answer with an error of the API reference."""
    answer: Response = alb._error(code, text)
    return answer


def xml(operation: str, inner: str) -> Response:
    """Give an operation's answer with the members of its result."""
    answer: Response = alb._xml(200, operation, inner)
    return answer


def empty(operation: str) -> Response:
    """Give the answer of an operation that tells nothing."""
    answer: Response = alb._empty(operation)
    return answer
