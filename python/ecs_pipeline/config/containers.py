"""What a config may say of the containers of a new environment: `provision.containers` (docs/configuration.md)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ecs_pipeline.config.types import Argument, Duration, Section, Word

SECRET = re.compile(
    r"arn:[a-z-]+:(?:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^\s,]+|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[^\s,:]+)"
)
CONTAINER_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


def _secret(text: str) -> str:
    if text and not SECRET.fullmatch(text):
        raise ValueError("the whole ARN of a secret of Secrets Manager or a parameter of Parameter Store is expected")
    return text


def _login(text: str) -> str:
    if text and (not SECRET.fullmatch(text) or ":secretsmanager:" not in text):
        raise ValueError("the whole ARN of a secret of Secrets Manager is expected")
    return text


SecretArn = Annotated[str, AfterValidator(_secret)]
LoginArn = Annotated[str, AfterValidator(_login)]
Port = Annotated[int, Field(ge=1, le=65535, strict=True)]
Condition = Literal["START", "HEALTHY", "COMPLETE", "SUCCESS"]


class HealthCheckSettings(Section):
    """How ECS finds out whether the container is well (HealthCheck of the ECS API, with its limits)."""

    command: tuple[Word, ...] = Field(..., description="[CMD, PROGRAM, …] or [CMD-SHELL, LINE]")
    interval: Duration = Field(30.0, ge=5, le=300)
    timeout: Duration = Field(5.0, ge=2, le=120)
    retries: int = Field(3, ge=1, le=10, strict=True)
    start_period: Duration = Field(0.0, le=300, description="in which failures do not count")

    @model_validator(mode="after")
    def _as_ecs_takes_it(self) -> HealthCheckSettings:
        if len(self.command) < 2 or self.command[0] not in ("CMD", "CMD-SHELL"):
            raise ValueError("command: write [CMD, PROGRAM, ARGUMENT] or [CMD-SHELL, LINE]")
        for name in ("interval", "timeout", "start_period"):
            if getattr(self, name) % 1:
                raise ValueError(f"{name}: whole seconds are expected")
        return self


class ContainerSettings(Section):
    """A container beside the app; of `app`, `datadog` and `flume` what is added to the template's."""

    image: str = Field("", description="of a container that the template does not have")
    environment: dict[str, Argument] = Field(default_factory=dict)
    secrets: dict[str, SecretArn] = Field(default_factory=dict, description="variables by the ARNs of their values")
    ports: tuple[Port, ...] = ()
    entry_point: tuple[Word, ...] = ()
    command: tuple[Word, ...] = ()
    depends_on: dict[str, Condition] = Field(
        default_factory=dict, description="containers to wait for: START, HEALTHY, COMPLETE or SUCCESS"
    )
    health_check: HealthCheckSettings | None = None
    essential: bool = Field(default=False, strict=True, description="its end is the task's")
    repository_credentials: LoginArn = Field("", description="secret with the login of a private registry")


def _names(containers: dict[str, ContainerSettings]) -> dict[str, ContainerSettings]:
    for name in containers:
        if not CONTAINER_NAME.fullmatch(name):
            raise ValueError(f"{name[:60]!r} cannot be a container's name: letters, digits, `-` and `_`")
    return containers


Containers = Annotated[dict[str, ContainerSettings], AfterValidator(_names)]
