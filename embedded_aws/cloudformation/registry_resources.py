"""AWS::ECR::Repository: a repository that there is already cannot be made by a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import ecr
from ministack.services.cloudformation import provisioners

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members

_TYPE = "AWS::ECR::Repository"


def install() -> None:
    """Replace ministack's resource type."""
    handlers = provisioners._RESOURCE_HANDLERS[_TYPE]
    handlers["create"] = _of_a_new_name(handlers["create"])


def _of_a_new_name(create: Callable[..., Any]) -> Callable[..., Any]:
    """HandlerErrorCode AlreadyExists (resource type contract: "A create handler MUST … fail … AlreadyExists")."""

    def create_repository(logical_id: str, properties: Members, stack: str) -> Any:
        name = properties.get("RepositoryName")
        if name in ecr._repositories:
            text = f"Resource of type '{_TYPE}' with identifier '{name}' already exists."
            raise ValueError(f"{text} (HandlerErrorCode: AlreadyExists)")
        return create(logical_id, properties, stack)

    return create_repository
