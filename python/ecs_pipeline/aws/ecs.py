"""Amazon ECS: the service and its tasks, as the model's facts (its revisions: task_definitions.py)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ecs_pipeline.aws.cluster import Cluster
from ecs_pipeline.aws.ecs_facts import parse_service, parse_task, tag_list
from ecs_pipeline.aws.session import DENIED, AwsClient, AwsError
from ecs_pipeline.batches import batches
from ecs_pipeline.errors import NotPlaced, TokenTaken, TooManyTags
from ecs_pipeline.model.release import Service, Task
from ecs_pipeline.protocol.release_tags import MOST_TAGS

NOT_TAGGED = ("InvalidParameterException", "ResourceNotFoundException")
"""What TagResource answers for a task that has stopped, or is gone."""
TAGS_REFUSED = ("ClientException", "InvalidParameterException", "LimitExceededException")
FULL_OF_TAGS = re.compile(
    r"(?i)(maximum|limit|too many|exceed|more than)\b.*\btags?\b|\btags?\b.*(maximum|limit|exceed)"
)
"""How TagResource refuses a new key. Its documentation names no text; no other refusal of tags speaks of a number."""
LISTED_BY_DEFAULT = "RUNNING"
"""The desired status that ListTasks lists when none is asked for."""
DESCRIBED_AT_ONCE = 100
"""DescribeTasks, GetTaskProtection and DescribeContainerInstances take so many."""


class Ecs:
    """The operations of Amazon ECS that the stages use, on one cluster and service."""

    def __init__(self, client: AwsClient, cluster: str, service: str) -> None:
        self._client = client
        self.cluster = cluster
        self.service_name = service
        self._whole = Cluster(client, cluster)
        self._revisions: dict[str, Mapping[str, Any]] = {}

    # ---- the service

    def service(self) -> Service:
        """The service with its tags (DescribeServices). Raises InvalidInput when there is none."""
        found = self._service(deleted=False)
        if found is None:
            raise self._whole.no_service(self.service_name)
        return found

    def services(self) -> tuple[Service, ...]:
        """Every service of the cluster with its tags."""
        return self._whole.services()

    def deleted_service(self) -> Service | None:
        """The service when it was deleted not long ago: ECS shows it as INACTIVE for a while."""
        return self._service(deleted=True)

    def _service(self, *, deleted: bool) -> Service | None:
        answer = self._call("DescribeServices", cluster=self.cluster, services=[self.service_name], include=["TAGS"])
        found = next((service for service in answer["services"] if (service["status"] == "INACTIVE") is deleted), None)
        if found is None:
            return None
        if any(entry.get("advancedConfiguration") for entry in found.get("loadBalancers", [])):
            resolved = self._current_revision(found).get("resolvedConfiguration") or {}
            groups = [
                entry["targetGroupArn"] for entry in resolved.get("loadBalancers", []) if "targetGroupArn" in entry
            ]
            found = {**found, "resolvedTargetGroups": groups}
        return parse_service(found, self.cluster)

    def service_revision(self, service: Service) -> Mapping[str, Any]:
        """The current service revision as DescribeServiceRevisions answers it; {} when AWS describes none.

        It never changes, so it is read once. One of before October 25, 2024 cannot be described.
        """
        return self._current_revision(service.raw)

    def _current_revision(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        current = raw.get("currentServiceRevisions") or []
        arn = str(max(current, key=lambda each: each.get("runningTaskCount", 0))["arn"]) if current else ""
        if arn and arn not in self._revisions:
            answer = self._call("DescribeServiceRevisions", serviceRevisionArns=[arn])
            self._revisions[arn] = next(iter(answer.get("serviceRevisions", [])), {})
        return self._revisions.get(arn, {})

    def update_service(self, revision: str) -> None:
        """UpdateService to the revision, by its full ARN: the family alone would mean the newest ACTIVE one."""
        self._call("UpdateService", cluster=self.cluster, service=self.service_name, taskDefinition=revision)

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """TagResource: one call, so all of them or none. Raises TooManyTags."""
        try:
            self._call("TagResource", resourceArn=arn, tags=tag_list(tags))
        except AwsError as error:
            if error.code not in TAGS_REFUSED or not FULL_OF_TAGS.search(error.text):
                raise
            raise TooManyTags(
                f"{arn.rpartition(':')[2]} has the {MOST_TAGS} tags that ECS allows, and needs another one",
                cure=f"remove one that is not needed: `aws ecs untag-resource --resource-arn {arn} --tag-keys KEY`; "
                "then run this again",
            ) from error

    def tag_task(self, arn: str, tags: Mapping[str, str]) -> bool:
        """TagResource; False when the task has stopped: AWS tags it no more."""
        try:
            self.tag(arn, tags)
        except AwsError as error:
            if error.code in NOT_TAGGED and self._has_ended(arn):
                return False
            raise
        return True

    def untag(self, arn: str, keys: Sequence[str]) -> None:
        """UntagResource."""
        self._call("UntagResource", resourceArn=arn, tagKeys=list(keys))

    # ---- tasks

    def tasks_started_by(self, started_by: str, desired_status: str = "RUNNING") -> tuple[Task, ...]:
        """Tasks with that startedBy, described."""
        return self.tasks(self.arns_started_by(started_by, desired_status))

    def arns_started_by(self, started_by: str, desired_status: str) -> list[str]:
        """ARNs of tasks with that startedBy, which ListTasks matches exactly.

        "When you specify startedBy as the filter, it must be the only filter that you use" (ListTasks): RUNNING is what
        it lists by itself. That AWS takes STOPPED with it all the same is experience; where it does not, the stopped
        tasks of the cluster are described.
        """
        filters = {"desiredStatus": desired_status} if desired_status != LISTED_BY_DEFAULT else {}
        try:
            return self._pages("ListTasks", "taskArns", cluster=self.cluster, startedBy=started_by, **filters)
        except AwsError as error:
            if error.code != "InvalidParameterException" or not filters or "startedby" not in error.text.lower():
                raise
        arns = self._pages("ListTasks", "taskArns", cluster=self.cluster, **filters)
        return [task.arn for task in self.tasks(arns) if task.started_by == started_by]

    def arns_of_service(self, desired_status: str = "RUNNING") -> list[str]:
        """ARNs of the service's own tasks."""
        return self._pages(
            "ListTasks", "taskArns", cluster=self.cluster, serviceName=self.service_name, desiredStatus=desired_status
        )

    def tasks_of_family(self, family: str) -> tuple[Task, ...]:
        """Running tasks of any revision of a family, whoever started them."""
        return self.tasks(self._pages("ListTasks", "taskArns", cluster=self.cluster, family=family))

    def running_tasks(self) -> tuple[Task, ...]:
        """Every running task of the cluster."""
        return self.tasks(self._pages("ListTasks", "taskArns", cluster=self.cluster))

    def tasks(self, arns: Iterable[str]) -> tuple[Task, ...]:
        """DescribeTasks, a hundred at once; what AWS does not know (yet, or any more) is left out."""
        found: list[Task] = []
        for asked in batches(list(arns), DESCRIBED_AT_ONCE):
            answer = self._call("DescribeTasks", cluster=self.cluster, tasks=asked, include=["TAGS"])
            found += [parse_task(task) for task in answer["tasks"]]
        return tuple(found)

    def protected_until(self, arns: Sequence[str]) -> list[datetime]:
        """Until when each of the tasks is protected from scale-in that is so (GetTaskProtection, a hundred at once)."""
        found: list[datetime] = []
        for asked in batches(arns, DESCRIBED_AT_ONCE):
            answer = self._call("GetTaskProtection", cluster=self.cluster, tasks=asked)
            protected = (task for task in answer["protectedTasks"] if task.get("protectionEnabled"))
            found += [task["expirationDate"].astimezone(timezone.utc) for task in protected if "expirationDate" in task]
        return found

    def run_task(self, parameters: Mapping[str, Any]) -> str:
        """RunTask of one task; the ARN of the task that its clientToken stands for, just started or long ago.

        With the token used before for other parameters AWS names that task in a ConflictException.
        Raises NotPlaced when there is no room, TokenTaken when AWS names none.
        """
        try:
            answer = self._call("RunTask", cluster=self.cluster, **parameters)
        except AwsError as error:
            if error.code != "ConflictException":
                raise
            if not error.raw.get("resourceIds"):
                raise TokenTaken(error.message, cure="the same command resumes") from error
            return str(error.raw["resourceIds"][0])
        if answer.get("failures"):
            reasons = {
                " ".join(filter(None, (failure.get("reason"), failure.get("detail")))) or "no reason given"
                for failure in answer["failures"]
            }
            raise NotPlaced(sorted(reasons))
        return str(answer["tasks"][0]["taskArn"])

    def stop_task(self, arn: str, reason: str) -> None:
        """StopTask; a task that is gone or being stopped already is as good as stopped.

        AWS takes a task's tags when it stops it, so a policy that asks for them refuses the second time.
        """
        try:
            self._call("StopTask", cluster=self.cluster, task=arn, reason=reason[:255])
        except AwsError as error:
            if error.code == "InvalidParameterException" and "not found" in error.text:
                return
            if error.code in DENIED and self._has_ended(arn):
                return
            raise

    def _has_ended(self, arn: str) -> bool:
        """Whether a task is gone, has stopped or was told to (DescribeTasks)."""
        return not any(task.alive for task in self.tasks([arn]))

    def instances_of(self, container_instances: Sequence[str]) -> dict[str, str]:
        """The EC2 instance ids of container instances by their ARNs (DescribeContainerInstances, a hundred at once)."""
        found = {}
        for asked in batches(container_instances, DESCRIBED_AT_ONCE):
            answer = self._call("DescribeContainerInstances", cluster=self.cluster, containerInstances=asked)
            known = answer["containerInstances"]
            found.update(
                {str(instance["containerInstanceArn"]): str(instance.get("ec2InstanceId", "")) for instance in known}
            )
        return found

    def _call(self, operation: str, /, **parameters: Any) -> dict[str, Any]:
        with self._whole.existing():
            return self._client.call(operation, **parameters)

    def _pages(self, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        with self._whole.existing():
            return self._client.pages(operation, key, **parameters)
