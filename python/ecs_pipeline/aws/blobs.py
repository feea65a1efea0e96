"""A blob of an image by its presigned URL: no credentials are sent, and what comes has to have its digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ecs_pipeline.bounded_http import Ask, NoAnswer, ask
from ecs_pipeline.errors import Trouble
from ecs_pipeline.timing.retry import Transient, call

if TYPE_CHECKING:
    from ecs_pipeline.timing.clock import Clock

TIMEOUT, ATTEMPTS = 10.0, 4
LARGEST = 4 * 1024 * 1024
"""Bytes of an image's configuration: Docker takes no larger one either (distribution, "maxConfigSize")."""


def download(url: str, digest: str, clock: Clock) -> bytes:
    """The blob. Raises Trouble that names the host only: whoever has the URL may read the blob."""
    host = urlsplit(url).hostname or "?"
    content = call(lambda: _once(url, host, clock), clock, ATTEMPTS)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
        raise Trouble(f"{host} sent something else than {digest}", cure="run it again")
    return content


def _once(url: str, host: str, clock: Clock) -> bytes:
    clock.check()
    cure = f"let the agent reach {host}: ECR keeps images there"
    try:
        answer = ask(Ask(url, TIMEOUT, LARGEST, from_environment=True))
    except NoAnswer as error:
        failure = Trouble(f"the image's configuration: {host}: {error}", cure=cure)
        raise (Transient(failure) if error.may_pass else failure) from None
    if answer.cut:
        raise Trouble(f"the image's configuration: {host} sent more than {LARGEST} bytes")
    if answer.status == 200:
        return answer.body
    failure = Trouble(f"the image's configuration: {host} answered {answer.status}", cure=cure)
    raise Transient(failure) if answer.status == 429 or answer.status >= 500 else failure
