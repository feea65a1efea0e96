"""One HTTP request to a canary, timed and bounded; it never follows a redirect and never raises."""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ecs_pipeline import __version__
from ecs_pipeline.bounded_http import Ask, NoAnswer, ask

MOST_BODY = 1024 * 1024
"""Bytes of a body that are read."""

CHARSETS = re.compile(
    r"ascii|utf-(8|8-sig|16|16-le|16-be|32|32-le|32-be)|iso(8859|2022)[\w-]*|cp\d+|koi8-[rtu]|mac-?\w+|tis-620"
    r"|shift_jis\w*|euc_\w+|gb\w*|big5\w*|hz|johab"
)
"""Python's codecs that read text in linear time. Others (`hex`, `punycode`) are no charsets, whatever a server says."""


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
    headers = {"User-Agent": f"ecs-pipeline/{__version__}", **request.headers}
    try:
        got = ask(Ask(request.url, request.timeout, MOST_BODY, headers=headers, verified=request.verified))
        return Answer(got.status, got.seconds, read_text(got.body, got.charset))
    except NoAnswer as error:
        return Answer(0, time.monotonic() - begun, trouble=str(error))
    except Exception as error:  # noqa: BLE001 - whatever a canary brings about is a failed sample
        return Answer(0, time.monotonic() - begun, trouble=f"no answer: {type(error).__name__}")


def read_text(body: bytes, charset: str) -> str:
    """A body as text; in a charset that nobody knows it is taken for UTF-8. Never raises."""
    try:
        name = codecs.lookup(charset or "utf-8").name
    except (LookupError, ValueError):
        name = "utf-8"
    return body.decode(name if CHARSETS.fullmatch(name) else "utf-8", "replace")
