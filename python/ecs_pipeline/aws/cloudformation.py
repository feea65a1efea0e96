"""AWS CloudFormation: one stack, changed only by change sets that were shown first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ecs_pipeline.aws.session import AwsClient, AwsError
from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.model.stacks import Change, ChangeSet, Stack

CURE = "correct provision.parameters or the template"


class CloudFormation:
    """The operations on one stack."""

    def __init__(self, client: AwsClient, name: str, capabilities: Sequence[str] = ("CAPABILITY_IAM",)) -> None:
        self._client = client
        self.name = name
        self._capabilities = list(capabilities)

    def stack(self) -> Stack | None:
        """DescribeStacks; None when there is no such stack."""
        try:
            answer = self._client.call("DescribeStacks", StackName=self.name)
        except AwsError as error:
            if error.code == "ValidationError" and "does not exist" in error.text:
                return None
            raise
        described = answer["Stacks"][0]
        if described["StackStatus"] == "DELETE_COMPLETE":
            return None
        return Stack(
            name=described["StackName"],
            status=described["StackStatus"],
            reason=described.get("StackStatusReason", ""),
            parameters={
                each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", [])
            },
            outputs={each["OutputKey"]: each.get("OutputValue", "") for each in described.get("Outputs", [])},
        )

    def template(self) -> str:
        """GetTemplate, as it was given; a JSON one comes back parsed."""
        body = self._client.call("GetTemplate", StackName=self.name, TemplateStage="Original")["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    def create_change_set(
        self, name: str, template: str, parameters: Sequence[Mapping[str, Any]], *, new: bool
    ) -> None:
        """CreateChangeSet; the name makes it idempotent within a run.

        Raises InvalidInput for a template or a parameter that AWS does not take, Refused for a stack in a bad state.
        """
        try:
            self._client.call(
                "CreateChangeSet",
                StackName=self.name,
                ChangeSetName=name,
                ChangeSetType="CREATE" if new else "UPDATE",
                TemplateBody=template,
                Parameters=list(parameters),
                Capabilities=self._capabilities,
                Description="ecs-pipeline provision",
            )
        except AwsError as error:
            if error.code == "InsufficientCapabilitiesException":
                cure = "allow it: `provision: {capabilities: […]}`"
                raise InvalidInput(f"stack {self.name}: {error.text}", cure=cure) from error
            if error.code != "ValidationError":
                raise
            if "can not be updated" in error.text:
                raise Refused(error.text, cure="bring the stack back in CloudFormation's console first") from error
            raise InvalidInput(f"stack {self.name}: {error.text}", cure=CURE) from error

    def change_set(self, name: str) -> ChangeSet:
        """DescribeChangeSet, all its pages."""
        changes: list[Change] = []
        request: dict[str, Any] = {"StackName": self.name, "ChangeSetName": name}
        while True:
            answer = self._client.call("DescribeChangeSet", **request)
            for listed in answer.get("Changes", []):
                change = listed.get("ResourceChange", {})
                changes.append(
                    Change(
                        change.get("Action", ""),
                        change.get("LogicalResourceId", ""),
                        change.get("ResourceType", ""),
                        change.get("Replacement", ""),
                    )
                )
            if not answer.get("NextToken"):
                return ChangeSet(answer["Status"], answer.get("StatusReason", ""), tuple(changes))
            request["NextToken"] = answer["NextToken"]

    def execute(self, name: str) -> None:
        """ExecuteChangeSet."""
        self._client.call("ExecuteChangeSet", StackName=self.name, ChangeSetName=name)

    def drop_change_set(self, name: str) -> None:
        """DeleteChangeSet."""
        self._client.call("DeleteChangeSet", StackName=self.name, ChangeSetName=name)

    def delete(self) -> None:
        """DeleteStack."""
        self._client.call("DeleteStack", StackName=self.name)

    def events(self, since: datetime) -> list[tuple[str, str]]:
        """(id, line) of what ended in the stack since a time, oldest first (DescribeStackEvents, one page)."""
        try:
            answer = self._client.call("DescribeStackEvents", StackName=self.name)
        except AwsError as error:
            if error.code == "ValidationError":
                return []
            raise
        ended = [
            event for event in answer["StackEvents"] if not event.get("ResourceStatus", "").endswith("_IN_PROGRESS")
        ]
        return [(event["EventId"], _event(event)) for event in reversed(ended) if event["Timestamp"] >= since]


def _event(event: Mapping[str, Any]) -> str:
    reason = f": {event['ResourceStatusReason']}" if event.get("ResourceStatusReason") else ""
    return f"{event.get('ResourceStatus', '')} {event.get('LogicalResourceId', '')}{reason}"
