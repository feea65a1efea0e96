"""What services and tags were a moment ago, for answers that lag behind (behaviour `service_read_lag`)."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from embedded_aws import behaviour

if TYPE_CHECKING:
    from embedded_aws.ecs.tags import Tags

_KEPT = 200
_lock = threading.Lock()
_past: dict[str, deque[tuple[float, Any]]] = {}


def record_service(arn: str, shown: dict[str, Any]) -> None:
    """Note what a service is from now on, if it changed."""
    _record(f"service {arn}", shown)


def record_tags(arn: str, tags: Tags) -> None:
    """Note what a resource's tags are from now on."""
    _record(f"tags {arn}", tags)


def service_as_of_now(arn: str, current: dict[str, Any]) -> dict[str, Any] | None:
    """Give the service as a reader sees it now: as it was the lag ago; None when it was not there yet."""
    return _as_of_now(f"service {arn}", current, missing=None)


def tags_as_of_now(arn: str, current: Tags) -> Tags:
    """Give the tags as a reader sees them now."""
    tags: Tags = _as_of_now(f"tags {arn}", current, missing=[])
    return tags


def _record(key: str, value: Any) -> None:
    with _lock:
        past = _past.setdefault(key, deque(maxlen=_KEPT))
        if not past or past[-1][1] != value:
            past.append((time.monotonic(), value))


def _as_of_now(key: str, current: Any, *, missing: Any) -> Any:
    lag = behaviour.current.service_read_lag
    if lag <= 0:
        return current
    then = time.monotonic() - lag
    with _lock:
        return next((value for since, value in reversed(_past.get(key, ())) if since <= then), missing)
