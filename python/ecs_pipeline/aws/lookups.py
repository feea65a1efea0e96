"""Values that a config looks up: in the environment, Parameter Store, CloudFormation and Secrets Manager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING

from ecs_pipeline.aws import secrets_manager, ssm
from ecs_pipeline.aws.cloudformation import CloudFormation
from ecs_pipeline.model.stacks import Stack

if TYPE_CHECKING:
    from ecs_pipeline.aws.session import AwsSession


class AwsSource:
    """Asks the environment and AWS; a stack is read once."""

    def __init__(self, environment: Mapping[str, str], session: Callable[[], AwsSession]) -> None:
        self._environment = environment
        self._new_session = session
        self._stack = cache(self._read_stack)

    @cached_property
    def _session(self) -> AwsSession:
        return self._new_session()

    def env(self, name: str) -> str | None:
        """A variable of the environment; None when it is not set."""
        return self._environment.get(name)

    def parameter(self, name: str) -> str:
        """A parameter that is no SecureString. Raises LookupError."""
        return ssm.parameter(self._session.client("ssm"), name)

    def output(self, stack: str, name: str) -> str:
        """An output of a stack. Raises LookupError."""
        found = self._stack(stack)
        if found is None:
            raise LookupError(f"there is no stack {stack} in this account and region")
        if name not in found.outputs:
            raise LookupError(f"stack {stack} has no output {name}; it has {', '.join(found.outputs) or 'none'}")
        return found.outputs[name]

    def secret_arn(self, name: str) -> str:
        """The ARN of a secret. Raises LookupError."""
        return secrets_manager.arn_of(self._session.client("secretsmanager"), name)

    def secret(self, name: str, key: str) -> str:
        """The text of a secret, or of a member of it. Raises LookupError."""
        return secrets_manager.text_of(self._session.client("secretsmanager"), name, key)

    def _read_stack(self, name: str) -> Stack | None:
        return CloudFormation(self._session.client("cloudformation"), name).stack()
