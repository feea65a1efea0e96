"""AWS Systems Manager: parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_pipeline.aws.session import AwsError

if TYPE_CHECKING:
    from ecs_pipeline.aws.session import AwsClient

ABSENT = frozenset(("ParameterNotFound", "ParameterVersionNotFound"))


def parameter(client: AwsClient, name: str) -> str:
    """The value of a String or StringList (GetParameter). Raises LookupError when there is none."""
    try:
        found = client.call("GetParameter", Name=name)["Parameter"]
    except AwsError as error:
        if error.code in ABSENT:
            raise LookupError("there is no such parameter in this account and region") from None
        raise
    if found.get("Type") == "SecureString":
        raise LookupError("it is a SecureString; let ECS read it: put its ARN in `secrets`")
    return str(found.get("Value", ""))


def problem(client: AwsClient, name: str) -> str:
    """Why tasks cannot get a parameter (GetParameter, not decrypted): '' when it is there."""
    try:
        client.call("GetParameter", Name=name)
    except AwsError as error:
        if error.code in ABSENT:
            return "there is no such parameter"
        raise
    return ""
