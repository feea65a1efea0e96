"""Names of what the fakes hold, and small values made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

CLUSTER, SERVICE, FAMILY = "prd", "web", "web"
PREFIX = "arn:aws:ecs:ap-northeast-1:123456789012"
SERVICE_ARN = f"{PREFIX}:service/{CLUSTER}/{SERVICE}"
GROUP = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/web/1"
REGISTRY = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"


def digest_of(version: str) -> str:
    """A digest that tells versions apart."""
    return "sha256:" + version.encode().hex().ljust(64, "0")


def definition_with(image: str, family: str = FAMILY) -> dict[str, Any]:
    """A small task definition."""
    return {
        "family": family,
        "containerDefinitions": [{"name": "app", "image": image, "portMappings": [{"containerPort": 8000}]}],
        "networkMode": "awsvpc",
    }


def utc(seconds: float) -> datetime:
    """A time as the model has it."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def names(items: Sequence[str]) -> list[str]:
    """FAMILY:NUMBER of ARNs."""
    return [item.rpartition("/")[2] for item in items]
