"""AWS Secrets Manager: secrets, by ARN or by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.documents import json_document
from ecs_pipeline.documents.json_document import NotJson

if TYPE_CHECKING:
    from ecs_pipeline.aws.session import AwsClient


def arn_of(client: AwsClient, name: str) -> str:
    """The ARN of a secret (DescribeSecret). Raises LookupError when there is none."""
    try:
        return str(client.call("DescribeSecret", SecretId=name)["ARN"])
    except AwsError as error:
        raise _absent(error) from error


def problem(client: AwsClient, arn: str) -> str:
    """Why tasks cannot get a secret (DescribeSecret): '' when it is there."""
    try:
        deleted = client.call("DescribeSecret", SecretId=arn).get("DeletedDate")
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return "there is no such secret"
        raise
    return "it is scheduled for deletion" if deleted else ""


def text_of(client: AwsClient, name: str, member: str) -> str:
    """The text of a secret, or of a member of one that is JSON (GetSecretValue). Raises LookupError."""
    try:
        text: Any = client.call("GetSecretValue", SecretId=name).get("SecretString")
    except AwsError as error:
        raise _absent(error) from error
    if text is None:
        raise LookupError("the secret is binary; a text is expected")
    if not member:
        return str(text)
    try:
        members = json_document.parse(text)
    except NotJson:
        members = None
    found = members.get(member) if isinstance(members, dict) else None
    if isinstance(found, str):
        return found
    raise LookupError("the secret is no JSON object with a text under that key")


def _absent(error: AwsError) -> Exception:
    absent = error.code == "ResourceNotFoundException"
    return LookupError("there is no such secret in this account and region") if absent else error
