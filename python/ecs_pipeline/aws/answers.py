"""AWS' answers as they are read: a member that is not there is trouble with what answered, and no mistake of ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from ecs_pipeline.aws.failures import AwsError

AWS_KINDS = ("application/x-amz-json", "text/xml", "application/xml", "application/cbor")
"""How AWS' protocols call their answers; a page or another API's JSON is none of them."""
EXACT = timedelta(seconds=2)
"""A clock so near to AWS' is taken for right: the date of an answer has whole seconds."""


class Answer(dict[str, Any]):
    """A part of an answer; reading a member that it lacks is an AwsError that names it."""

    action = ""

    def __missing__(self, key: str) -> Any:
        raise AwsError(self.action, "", f"the answer has no {key}: what answers is not AWS", cure=CURE)


class Answers(list[Any]):
    """A list of an answer; reading an entry that it lacks is an AwsError."""

    action = ""

    def __getitem__(self, index: Any) -> Any:
        try:
            return super().__getitem__(index)
        except IndexError:
            why = "a list of the answer is empty: what answers is not AWS"
            raise AwsError(self.action, "", why, cure=CURE) from None


CURE = "check AWS_ENDPOINT_URL, the network and the region"


def wrapped(value: Any, action: str) -> Any:
    """An answer, however deep, that tells what it lacks."""
    if isinstance(value, Mapping):
        part = Answer({key: wrapped(inner, action) for key, inner in value.items()})
        part.action = action
        return part
    if isinstance(value, list):
        entries = Answers(wrapped(inner, action) for inner in value)
        entries.action = action
        return entries
    return value


def is_of_aws(answer: Mapping[str, Any], protocol: str) -> bool:
    """Whether AWS answered: it names each request, and its protocols. XML that could be read as the answer will do."""
    about = answer.get("ResponseMetadata", {})
    kind = str(about.get("HTTPHeaders", {}).get("content-type", ""))
    if about.get("RequestId") or kind.startswith(AWS_KINDS):
        return True
    return not kind and (protocol == "query" or len(answer) > 1)


def behind(answer: Mapping[str, Any], wall: datetime) -> timedelta:
    """How much later it is for AWS than `wall` says (the answer's Date header); 0 when that is not told or near."""
    told = str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))
    try:
        date = parsedate_to_datetime(told)
    except (TypeError, ValueError, IndexError):
        return timedelta(0)
    difference = (date if date.tzinfo else date.replace(tzinfo=timezone.utc)) - wall
    return difference if abs(difference) > EXACT else timedelta(0)
