"""Task definitions, whole: every member comes through, known to the installed botocore or not.

botocore's parser drops members that its model lacks, and its serializer refuses them. Both are gone round by two of
its events: the answer is kept as it came, and the request's body is the definition as given (JSON both ways).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.validate import ParamValidator

from ecs_pipeline.aws.ecs_facts import parse_revision, tag_list
from ecs_pipeline.aws.session import AwsClient, AwsError, on_event
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.release import Revision, TaskDefinition

NOT_TAKEN = frozenset(("ClientException", "InvalidParameterException"))


class TaskDefinitions:
    """Amazon ECS' task-definition operations; what never changes is read once."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client
        self._known: dict[str, TaskDefinition] = {}
        self._received: dict[str, Any] = {}
        self._to_send: dict[str, Any] = {}
        on_event(client, "before-parse.ecs.DescribeTaskDefinition", self._keep_received)
        on_event(client, "before-parse.ecs.RegisterTaskDefinition", self._keep_received)
        on_event(client, "before-call.ecs.RegisterTaskDefinition", self._send_whole)

    def get(self, arn: str) -> TaskDefinition:
        """A revision with all its members and tags (DescribeTaskDefinition); read once, for it never changes.

        Only its status does: see `revision`. Raises InvalidInput when there is no such revision.
        """
        if arn not in self._known:
            self._known[arn] = self._describe(arn)
        return self._known[arn]

    def exists(self, arn: str) -> bool:
        """Whether there is such a revision, ACTIVE or not."""
        try:
            self.get(arn)
        except InvalidInput:
            return False
        return True

    def revision(self, arn: str, active: Iterable[str] | None = None) -> Revision:
        """A revision's marks and status; `active`: ARNs that a list just showed as ACTIVE.

        One that was deleted counts as INACTIVE. INACTIVE revisions never become ACTIVE again.
        """
        known = self._known.get(arn)
        if known and (not known.revision.active or arn in (active or ())):
            return known.revision
        try:
            self._known[arn] = self._describe(arn)
        except InvalidInput:
            return Revision(arn, active=False)
        return self._known[arn].revision

    def revisions(self, family: str, status: str = "ACTIVE", most: int = 100) -> list[str]:
        """ARNs of the newest revisions of a family, newest first, one page (ListTaskDefinitions)."""
        answer = self._client.call(
            "ListTaskDefinitions", familyPrefix=family, status=status, sort="DESC", maxResults=most
        )
        same = [arn for arn in answer["taskDefinitionArns"] if Revision(arn).family == family]
        return sorted(same, key=lambda arn: Revision(arn).number, reverse=True)

    def register(self, definition: Mapping[str, Any], tags: Mapping[str, str]) -> TaskDefinition:
        """RegisterTaskDefinition with every member given, also those that botocore does not know.

        There is no idempotency token: when no answer came, AnswerLost is raised and the caller looks.
        Raises InvalidInput for a definition that AWS does not take.
        """
        self._to_send = {**definition, "tags": tag_list(tags)}
        known = {key: value for key, value in self._to_send.items() if key in self.registered_members}
        try:
            answer = self._client.call("RegisterTaskDefinition", once=True, **_without_unknown(known, self._input))
        except AwsError as error:
            if error.code in NOT_TAKEN and not error.cure:
                family = definition.get("family", "")
                raise InvalidInput(f"ECS does not take the task definition {family}: {error.text}") from error
            raise
        finally:
            self._to_send = {}
        made = self._whole(answer)
        self._known[made.revision.arn] = made
        return made

    def deregister(self, arn: str) -> None:
        """DeregisterTaskDefinition."""
        self._client.call("DeregisterTaskDefinition", taskDefinition=arn)
        known = self._known.get(arn)
        if known:
            self._known[arn] = replace(known, revision=replace(known.revision, active=False))

    def problem(self, definition: Mapping[str, Any]) -> str:
        """What botocore's model says against registering a definition, in one line without its values; '' if nothing.

        Members that the model does not know are AWS' to judge.
        """
        report = ParamValidator().validate(_without_unknown(definition, self._input), self._input)
        lines = [
            re.sub(r", value: .*?, (?=type:|valid )", ", ", line) for line in report.generate_report().splitlines()
        ]
        return "; ".join(line.replace("<class '", "").replace("'>", "") for line in lines)

    @property
    def read_only_members(self) -> frozenset[str]:
        """Members that DescribeTaskDefinition adds and RegisterTaskDefinition does not take (installed model)."""
        output = self._shape("DescribeTaskDefinition", "output_shape").members["taskDefinition"]
        return frozenset(output.members) - self.registered_members

    @property
    def registered_members(self) -> frozenset[str]:
        """Members that RegisterTaskDefinition takes, as the installed botocore knows them."""
        return frozenset(self._input.members)

    def members(self, place: Sequence[str]) -> frozenset[str]:
        """Members of a definition at a place, lists passed over (installed model); none where any name may stand."""
        shape = self._shape_at(place)
        found = frozenset(shape.members) if shape and shape.type_name == "structure" else frozenset()
        return found if place else found | self.read_only_members

    def type_of(self, place: Sequence[str]) -> str:
        """The type of the member at a place, lists passed over (installed model); '' where any name may stand."""
        shape = self._shape_at(place)
        return str(shape.type_name) if shape else ""

    def _shape_at(self, place: Sequence[str]) -> Any:
        shape = self._input
        for key in place:
            shape = _inside(shape)
            if shape.type_name != "structure" or key not in shape.members:
                return None
            shape = shape.members[key]
        return _inside(shape)

    @property
    def _input(self) -> Any:
        return self._shape("RegisterTaskDefinition", "input_shape")

    def _shape(self, operation: str, which: str) -> Any:
        return getattr(self._client.boto.meta.service_model.operation_model(operation), which)

    def _describe(self, arn: str) -> TaskDefinition:
        try:
            answer = self._client.call("DescribeTaskDefinition", taskDefinition=arn, include=["TAGS"])
        except AwsError as error:
            if error.code in NOT_TAKEN:
                raise InvalidInput(
                    f"no task definition {arn}: {error.text}", cure="check its family and number"
                ) from error
            raise
        return self._whole(answer)

    def _whole(self, answer: Mapping[str, Any]) -> TaskDefinition:
        definition = self._received.get("taskDefinition") or answer["taskDefinition"]
        tags = {tag["key"]: tag.get("value", "") for tag in answer.get("tags", [])}
        return TaskDefinition(parse_revision(definition, tags), definition, tags)

    def _keep_received(self, response_dict: Mapping[str, Any], **_: Any) -> None:
        """Keep the answer as sent: botocore's parser leaves out members that its model does not have."""
        self._received = json.loads(response_dict["body"]) if response_dict.get("status_code") == 200 else {}

    def _send_whole(self, params: dict[str, Any], **_: Any) -> None:
        """Send the definition whole: botocore's serializer refuses members that its model does not have."""
        body = json.loads(params["body"])
        params["body"] = json.dumps({**body, **self._to_send}).encode()


def _inside(shape: Any) -> Any:
    """What a list is made of, however deep."""
    while shape.type_name == "list":
        shape = shape.member
    return shape


def _without_unknown(value: Any, shape: Any) -> Any:
    """The value without the members that botocore's model lacks, so that its validation passes; see `_send_whole`."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return {key: _without_unknown(item, shape.members[key]) for key, item in value.items() if key in shape.members}
    if shape.type_name == "list" and isinstance(value, list):
        return [_without_unknown(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {key: _without_unknown(item, shape.value) for key, item in value.items()}
    return value
