"""The secrets that tasks get: whether they are there, without a look at their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_pipeline.aws import secrets_manager, ssm
from ecs_pipeline.aws.failures import DENIED
from ecs_pipeline.aws.session import AwsError

if TYPE_CHECKING:
    from ecs_pipeline.aws.session import AwsSession

ARN_PARTS = 7
"""Of a secret's own ARN; ECS takes `:KEY:STAGE:ID` behind it (ECS guide, "Pass Secrets Manager secrets")."""


class TaskSecrets:
    """Asks Secrets Manager and Parameter Store about what a `valueFrom` of a task definition names."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def problem(self, value_from: str) -> str | None:
        """What is wrong with it, '' when it is there; None when the caller may not ask."""
        parts = value_from.split(":")
        service, region = (parts[2], parts[3]) if len(parts) > ARN_PARTS - 2 and parts[0] == "arn" else ("ssm", "")
        client = self._session.client("secretsmanager" if service == "secretsmanager" else "ssm", region)
        try:
            if service == "secretsmanager":
                return secrets_manager.problem(client, ":".join(parts[:ARN_PARTS]))
            return ssm.problem(client, value_from)
        except AwsError as error:
            if error.code in DENIED:
                return None
            raise
