"""What services and tags were a moment ago, for answers that lag behind (`service_read_lag`, `stale_pairs`)."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from embedded_aws import behaviour

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Tags

_KEPT = 200
_lock = threading.Lock()
_past: dict[str, deque[tuple[float, Any]]] = {}
_answers: Counter[str] = Counter()


def record_service(arn: str, shown: dict[str, Any]) -> None:
    """Note what a service is from now on, if it changed."""
    _record(f"service {arn}", shown)


def record_tags(arn: str, tags: Tags) -> None:
    """Note what a resource's tags are from now on."""
    _record(f"tags {arn}", tags)


def lag_of_answer(arn: str) -> float:
    """How far behind the replica is that tells of the service this time."""
    with _lock:
        _answers[arn] += 1
        stale = _answers[arn] % 4 in (2, 3)
    switches = behaviour.current
    return switches.stale_pairs if stale and switches.stale_pairs else switches.service_read_lag


def service_as_of_now(arn: str, current: dict[str, Any], lag: float) -> dict[str, Any] | None:
    """Give the service as a reader sees it now: as it was the lag ago; None when it was not there yet."""
    service: dict[str, Any] | None = _as_of_now(f"service {arn}", current, lag, missing=None)
    return service


def tags_as_of_now(arn: str, current: Tags, lag: float | None = None) -> Tags:
    """Give the tags as a reader sees them now."""
    behind = behaviour.current.service_read_lag if lag is None else lag
    tags: Tags = _as_of_now(f"tags {arn}", current, behind, missing=[])
    return tags


def _record(key: str, value: Any) -> None:
    with _lock:
        past = _past.setdefault(key, deque(maxlen=_KEPT))
        if not past or past[-1][1] != value:
            past.append((time.monotonic(), value))


def _as_of_now(key: str, current: Any, lag: float, *, missing: Any) -> Any:
    if lag <= 0:
        return current
    then = time.monotonic() - lag
    with _lock:
        return next((value for since, value in reversed(_past.get(key, ())) if since <= then), missing)
