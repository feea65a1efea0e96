"""What a container's `secrets` resolve to when its task starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ministack.services import secretsmanager, ssm

if TYPE_CHECKING:
    from embedded_aws.api import Members


class SecretMissing(Exception):
    """A secret could not be read; AWS stops the task then (Developer Guide, "ResourceInitializationError")."""


def resolve(container: Members) -> dict[str, str]:
    """Read all secrets of a container definition from Secrets Manager and Parameter Store, decrypted."""
    return {secret["name"]: _value(secret["valueFrom"]) for secret in container.get("secrets") or []}


def _value(source: str) -> str:
    parts = source.split(":")
    if source.startswith("arn:") and parts[2] == "secretsmanager":
        value: Any = secretsmanager.resolve_secret_string(":".join(parts[:7]))
        member = parts[7] if len(parts) > 7 else ""
    else:
        value, member = ssm.resolve_parameter_value(source, decrypt=True), ""
    if value is None:
        raise SecretMissing(f"unable to retrieve secret {source}: not found")
    return str(json.loads(value)[member]) if member else str(value)
