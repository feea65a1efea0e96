"""A blob of an image by its presigned URL: no credentials are sent, and what comes has to have its digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ecs_pipeline.errors import Trouble
from ecs_pipeline.retry import Transient, call

if TYPE_CHECKING:
    from ecs_pipeline.clock import Clock

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
    import requests

    clock.check()
    cure = f"let the agent reach {host}: ECR keeps images there"
    try:
        with requests.get(url, timeout=TIMEOUT, stream=True) as answer:
            if answer.status_code == 200:
                return _body(answer.iter_content(64 * 1024), host)
            failure = Trouble(f"the image's configuration: {host} answered {answer.status_code}", cure=cure)
            passing = answer.status_code == 429 or answer.status_code >= 500
    except (requests.RequestException, OSError) as error:
        why = re.sub(r"\?[^\s'\")]+", "", " ".join(str(error).split())).rpartition(": ")[2].rstrip("\"')")
        raise Transient(Trouble(f"the image's configuration: {host}: {why}", cure=cure)) from None
    raise Transient(failure) if passing else failure


def _body(parts: Iterable[bytes], host: str) -> bytes:
    content = b""
    for part in parts:
        content += part
        if len(content) > LARGEST:
            raise Trouble(f"the image's configuration: {host} sent more than {LARGEST} bytes")
    return content
