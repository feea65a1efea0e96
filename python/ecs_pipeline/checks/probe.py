"""One HTTP request, timed and bounded; it never follows a redirect and never raises."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests
import urllib3

from ecs_pipeline import __version__

MOST_BODY = 1024 * 1024
"""Bytes of a body that are read."""


@dataclass(frozen=True)
class Request:
    """What is asked: `timeout` in seconds, for the whole answer."""

    url: str
    headers: Mapping[str, str]
    timeout: float
    verified: bool = True


@dataclass(frozen=True)
class Answer:
    """Status, body and the seconds until its end; with status 0 `trouble` says why there is none."""

    status: int
    seconds: float
    body: str = ""
    trouble: str = ""


def probe(request: Request) -> Answer:
    """GET, on a connection of its own: what a new client would see."""
    begun = time.monotonic()
    headers = {"User-Agent": f"ecs-pipeline/{__version__}", "Connection": "close", **request.headers}
    try:
        with requests.Session() as session:
            session.trust_env = False
            if not request.verified:
                urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
            answer = session.get(
                request.url,
                headers=headers,
                timeout=request.timeout,
                allow_redirects=False,
                stream=True,
                verify=request.verified,
            )
            body = _body(answer, begun + request.timeout)
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError, ValueError) as error:
        return Answer(0, time.monotonic() - begun, trouble=_why(error, request))
    return Answer(answer.status_code, time.monotonic() - begun, body)


def _body(answer: requests.Response, until: float) -> str:
    found = b""
    for part in answer.iter_content(16 * 1024):
        found += part
        if time.monotonic() > until:
            raise TimeoutError
        if len(found) >= MOST_BODY:
            break
    return found.decode(answer.encoding or "utf-8", "replace")


def _why(error: Exception, request: Request) -> str:
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return f"no answer within {request.timeout:g}s"
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS: {_inner(error)}"
    if isinstance(error, requests.ConnectionError):
        return f"no connection: {_inner(error)}"
    return f"no answer: {_inner(error)}"


def _inner(error: BaseException) -> str:
    """The cause that says most, in a line: requests wraps urllib3, which wraps the system's error."""
    text = str(error)
    while True:
        inner = [getattr(error, "reason", None), *error.args, error.__cause__]
        cause = next((one for one in inner if isinstance(one, Exception)), None)
        if cause is None:
            strerror = getattr(error, "strerror", None)
            return " ".join(str(strerror or text).split())[:200]
        error, text = cause, str(cause) or text
