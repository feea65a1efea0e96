"""FilterLogEvents: streams, patterns and pages as AWS has them.

API reference of CloudWatch Logs, operation FilterLogEvents.
"""

from __future__ import annotations

import base64
import heapq
import json
from typing import TYPE_CHECKING

from ministack.services import cloudwatch_logs

from embedded_aws import behaviour
from embedded_aws.api import ApiError, json_action
from embedded_aws.logs.errors import InvalidPattern
from embedded_aws.logs.filter_pattern import compile_pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members

_LIMIT = 10_000


def install() -> None:
    """Replace ministack's operation."""
    cloudwatch_logs._filter_log_events = json_action(_filter_log_events)


def _filter_log_events(request: Members) -> Members:
    """Give one page of matching events, the oldest first."""
    matches = _matcher(request)
    limit = int(request.get("limit") or _LIMIT)
    if not 1 <= limit <= _LIMIT:
        raise _invalid(f"limit must be from 1 to {_LIMIT}.")
    events = _events(request)
    start = _position(events, request.get("nextToken"))
    scanned = behaviour.current.log_events_scanned
    end = len(events) if scanned is None else min(len(events), start + max(1, scanned))
    shown: list[Members] = []
    position = start
    while position < end and len(shown) < limit:
        if matches(events[position]["message"]):
            shown.append(events[position])
        position += 1
    more = {"nextToken": _token(events[position - 1])} if position < len(events) else {}
    return {"events": shown, "searchedLogStreams": [], **more}


def _matcher(request: Members) -> Callable[[str], bool]:
    try:
        return compile_pattern(request.get("filterPattern") or "")
    except InvalidPattern as error:
        raise _invalid(str(error)) from error


def _events(request: Members) -> list[Members]:
    """All events of the asked streams and time; both ends of the time belong to it."""
    since, until = request.get("startTime", 0), request.get("endTime")
    if until is not None and until < since:
        raise _invalid("endTime must not be before startTime.")
    with cloudwatch_logs._log_events_lock:
        streams = [
            [{**event, "logStreamName": name} for event in stream["events"]] for name, stream in _asked_streams(request)
        ]
    merged = heapq.merge(*streams, key=lambda event: (event["timestamp"], event["ingestionTime"]))
    return [event for event in merged if since <= event["timestamp"] and (until is None or event["timestamp"] <= until)]


def _asked_streams(request: Members) -> list[tuple[str, Members]]:
    group = cloudwatch_logs._resolve_log_group_name(request)
    if group not in cloudwatch_logs._log_groups:
        raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
    streams: dict[str, Members] = cloudwatch_logs._log_groups[group]["streams"]
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names and prefix:
        raise _invalid("logStreamNamePrefix and logStreamNames cannot be given together.")
    if names is not None and not 1 <= len(names) <= 100:
        raise _invalid("logStreamNames must hold from 1 to 100 names.")
    if names:
        if set(names) - set(streams):
            raise ApiError("ResourceNotFoundException", "The specified log stream does not exist.")
        return [(name, streams[name]) for name in dict.fromkeys(names)]
    return [(name, stream) for name, stream in streams.items() if name.startswith(prefix or "")]


def _position(events: list[Members], token: str | None) -> int:
    """Where the page behind a token begins; events that came late are not shown twice, nor others left out."""
    if not token:
        return 0
    try:
        event_id = json.loads(base64.b64decode(token))["after"]
    except (ValueError, KeyError, TypeError):
        raise _invalid("The specified nextToken is invalid.") from None
    for position, event in enumerate(events):
        if event["eventId"] == event_id:
            return position + 1
    raise _invalid("The specified nextToken is invalid.")


def _token(event: Members) -> str:
    return base64.b64encode(json.dumps({"after": event["eventId"]}).encode()).decode()


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
