"""Where the registry is, and what opens it."""

from __future__ import annotations

import os

PASSWORD = "embedded-aws"


def address() -> str:
    """Give host and port of the registry: an engine takes 127.0.0.0/8 without TLS and without configuration."""
    return f"127.0.0.1:{os.environ['GATEWAY_PORT']}"


def pull_credentials() -> dict[str, str]:
    """Give what the Docker engine needs to pull from this registry."""
    return {"username": "AWS", "password": PASSWORD}
