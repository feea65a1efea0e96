"""AWS' error answers in the form of each protocol, made by microburst, which derives them from botocore's models."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

THROTTLES = ("ThrottlingException", "Throttling", "TooManyRequestsException")
ERRORS = {**dict.fromkeys(THROTTLES, 400), "InternalFailure": 500, "ServiceUnavailable": 503}
WANTED = "X-Wanted-Error"
"""The header that tells microburst which error a call is to get."""


@contextmanager
def microburst(upstream: str) -> Iterator[str]:
    """The endpoint that answers calls with the error that their header names."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "microburst", "--upstream", upstream, "--port", str(port), "--host", "127.0.0.1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        endpoint = f"http://127.0.0.1:{port}"
        try:
            _wait_for(endpoint, process)
            _set_rules(endpoint)
            yield endpoint
        finally:
            process.terminate()


def _wait_for(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while not _answers(endpoint):
        assert process.poll() is None, "microburst ended"
        assert time.monotonic() < until, "microburst does not answer"
        time.sleep(0.1)


def _answers(endpoint: str) -> bool:
    try:
        return requests.get(f"{endpoint}/_microburst/health", timeout=2).ok
    except requests.ConnectionError:
        return False


def _set_rules(endpoint: str) -> None:
    rules = [
        {"service": "*", "headers": {WANTED: f"[{code}]"}, "error": {"code": code, "status": status}}
        for code, status in ERRORS.items()
    ]
    requests.post(f"{endpoint}/_microburst/rules", json=rules, timeout=10).raise_for_status()
