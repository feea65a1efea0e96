"""How long the job's credentials last, as far as botocore knows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import botocore.credentials
import botocore.utils


@dataclass(frozen=True)
class Lasting:
    """`ends`: the end of credentials that nobody renews, None when there is none or it is not known.

    `temporary`: they end, and do not tell when.
    """

    ends: datetime | None = None
    temporary: bool = False


def lasting(credentials: Any) -> Lasting:
    """Of credentials that botocore has found: those of a role or a program it renews itself, those of variables not."""
    if credentials is None:
        return Lasting()
    if credentials.method == botocore.credentials.EnvProvider.METHOD:
        end = os.environ.get("AWS_CREDENTIAL_EXPIRATION")
        token = os.environ.get("AWS_SESSION_TOKEN") or os.environ.get("AWS_SECURITY_TOKEN")
        return Lasting(_moment(end) if end else None, temporary=bool(token and not end))
    renewed = isinstance(credentials, botocore.credentials.RefreshableCredentials)
    return Lasting(temporary=bool(not renewed and credentials.token))


def _moment(text: str) -> datetime:
    found: datetime = botocore.utils.parse_timestamp(text)
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
