"""What all JSON APIs of the layer share: errors as exceptions, handlers that give plain answers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ministack.core.responses import error_response_json, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    Members = dict[str, Any]
    Response = tuple[int, dict[str, str], bytes]
    Handler = Callable[[Members], Response]


class ApiError(Exception):
    """An error that the API answers; `members` are what its shape carries beside the message."""

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.members = members


def json_action(operation: Callable[[Members], Members]) -> Handler:
    """Make a handler that ministack can call from an operation that returns its answer or raises ApiError."""

    @functools.wraps(operation)
    def handle(request: Members) -> Response:
        try:
            answer: Response = json_response(operation(request))
        except ApiError as error:
            answer = error_response_json(error.code, error.message, 400, extra=error.members)
        return answer

    return handle


def page(items: list[Any], request: Members, default_size: int = 100) -> tuple[list[Any], Members]:
    """Cut one page out of a list; give it and the members that lead to the next (`nextToken`, or nothing)."""
    token = request.get("nextToken") or "0"
    if not token.isdigit():
        raise ApiError("InvalidParameterException", "Invalid token.")
    start, size = int(token), int(request.get("maxResults") or default_size)
    more = {"nextToken": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more
