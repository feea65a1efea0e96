"""Notices what is written to AWS: a stage that finds all of it done already changes nothing, and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecs_pipeline.aws.failures import was_sent
from ecs_pipeline.aws.session import AwsClient, on_event

READS = ("BatchGet", "Describe", "Filter", "Get", "List")
"""How operations begin that change nothing."""
PREPARATIONS = ("CreateChangeSet", "DeleteChangeSet")
"""Writes that change nothing of the environment: a change set only tells what would be changed."""


def notice_writes(client: AwsClient, wrote: Callable[[], None]) -> None:
    """Call `wrote` after each call of the client that changed something in AWS, or may have: no answer came.

    What AWS refuses (HTTP 4xx) changed nothing; of a 5xx that is not known.
    """

    def answered(http_response: Any, event_name: str, **_: Any) -> None:
        if _writes(event_name) and not 400 <= http_response.status_code < 500:
            wrote()

    def unanswered(exception: BaseException, event_name: str, **_: Any) -> None:
        if _writes(event_name) and was_sent(exception):
            wrote()

    on_event(client, "after-call", answered)
    on_event(client, "after-call-error", unanswered)


def _writes(event_name: str) -> bool:
    """Whether the operation in `after-call.SERVICE.OPERATION` is one that changes something."""
    operation = event_name.rpartition(".")[2]
    return not operation.startswith(READS) and operation not in PREPARATIONS
