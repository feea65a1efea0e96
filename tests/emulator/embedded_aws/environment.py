"""What the tests of the embedded AWS stand on: names that nobody else has, and the resources of one service."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from embedded_aws import images

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.launcher import EmbeddedAws

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}


def wait_for(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """Wait until the condition gives something true, and give that; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        last = condition()
        if last:
            return last
        assert time.monotonic() < deadline, f"still not so after {seconds} s; last seen: {last!r}"
        time.sleep(0.1)


def fetch(url: str) -> tuple[int, str]:
    """Ask once; give status and body."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=15) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _ports(targets: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"Id": each, **({"Port": port} if port else {})} for each, port in targets]


@dataclass
class Environment:
    """A cluster, a load balancer and a family of revisions, made when they are first used."""

    server: EmbeddedAws
    client: Callable[[str], Any]
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")

    @property
    def ecs(self) -> Any:
        return self.client("ecs")

    @property
    def elb(self) -> Any:
        return self.client("elbv2")

    @cached_property
    def cluster(self) -> str:
        self.ecs.create_cluster(clusterName=self.name)
        return self.name

    @cached_property
    def load_balancer(self) -> str:
        arguments = {"Name": self.name, "Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": ["sg-1"]}
        return str(self.elb.create_load_balancer(**arguments)["LoadBalancers"][0]["LoadBalancerArn"])

    @cached_property
    def target_group(self) -> str:
        """A group behind the load balancer whose targets drain for a second."""
        return self.new_target_group("")

    @property
    def url(self) -> str:
        return self.server.load_balancer_url(self.name)

    def new_target_group(self, suffix: str, *, attached: bool = True, drain: int = 1, **settings: Any) -> str:
        arguments = {
            "Name": self.name + suffix,
            "Protocol": "HTTP",
            "Port": 8000,
            "VpcId": "vpc-1",
            "TargetType": "ip",
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
            **settings,
        }
        arn = str(self.elb.create_target_group(**arguments)["TargetGroups"][0]["TargetGroupArn"])
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": str(drain)}
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        if attached:
            self.forward_to(arn)
        return arn

    def forward_to(self, arn: str) -> str:
        listener = self.elb.create_listener(
            LoadBalancerArn=self.load_balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return str(listener["Listeners"][0]["ListenerArn"])

    def register(self, variant: str = "v1", **members: Any) -> str:
        """Register a revision that runs this variant of the app; give its ARN."""
        container = {
            "name": "app",
            "image": images.build_app(variant),
            "essential": True,
            "portMappings": [{"containerPort": 8000}],
            **members.pop("container", {}),
        }
        arguments = {
            "family": self.name,
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": [container],
            **members,
        }
        return str(self.ecs.register_task_definition(**arguments)["taskDefinition"]["taskDefinitionArn"])

    def run(self, definition: str, **members: Any) -> str:
        """Run one task; give its ARN."""
        return str(self.try_run(definition, **members)["tasks"][0]["taskArn"])

    def try_run(self, definition: str, **members: Any) -> Any:
        arguments = {"launchType": "FARGATE", "networkConfiguration": NETWORK, **members}
        return self.ecs.run_task(cluster=self.cluster, taskDefinition=definition, **arguments)

    def task(self, arn: str, **members: Any) -> Any:
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn], **members)["tasks"][0]

    def wait_for_task(self, arn: str, status: str = "RUNNING") -> Any:
        return wait_for(lambda: self._task_in(arn, status))

    def _task_in(self, arn: str, status: str) -> Any:
        task = self.task(arn)
        assert status == "STOPPED" or task["lastStatus"] != "STOPPED", task.get("stoppedReason")
        return task if task["lastStatus"] == status else None

    def address(self, arn: str) -> str:
        details = self.wait_for_task(arn)["attachments"][0]["details"]
        return next(str(each["value"]) for each in details if each["name"] == "privateIPv4Address")

    def add_targets(self, *targets: tuple[str, int], group: str = "") -> None:
        """Register targets, in the environment's own group unless another is named."""
        self.elb.register_targets(TargetGroupArn=group or self.target_group, Targets=_ports(targets))

    def take_targets(self, *targets: tuple[str, int], group: str = "") -> None:
        self.elb.deregister_targets(TargetGroupArn=group or self.target_group, Targets=_ports(targets))

    def health(self, arn: str = "", *targets: tuple[str, int], **members: Any) -> list[Any]:
        """Ask for the health of all, or of the named targets of a group."""
        if targets:
            members["Targets"] = _ports(targets)
        group = arn or self.target_group
        return list(self.elb.describe_target_health(TargetGroupArn=group, **members)["TargetHealthDescriptions"])

    def states(self, arn: str = "", *targets: tuple[str, int]) -> list[str]:
        return [str(each["TargetHealth"]["State"]) for each in self.health(arn, *targets)]

    def create_service(self, definition: str, count: int = 1, **members: Any) -> Any:
        """Create the service, behind the load balancer unless `loadBalancers` says otherwise."""
        arguments = {
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
            "loadBalancers": [{"targetGroupArn": self.target_group, "containerName": "app", "containerPort": 8000}],
            **members,
        }
        answer = self.ecs.create_service(
            cluster=self.cluster,
            serviceName=self.name,
            taskDefinition=definition,
            desiredCount=count,
            **arguments,
        )
        return answer["service"]

    def update(self, **members: Any) -> Any:
        return self.ecs.update_service(cluster=self.cluster, service=self.name, **members)["service"]

    def service(self, **members: Any) -> Any:
        return self.ecs.describe_services(cluster=self.cluster, services=[self.name], **members)["services"][0]

    def deployments(self) -> list[tuple[str, str, str]]:
        """Give status, rollout state and revision number of each deployment."""
        return [
            (each["status"], each["rolloutState"], each["taskDefinition"].rpartition(":")[2])
            for each in self.service()["deployments"]
        ]

    def wait_until_stable(self) -> Any:
        return wait_for(self._stable)

    def _stable(self) -> Any:
        service = self.service()
        is_done = [each["rolloutState"] for each in service["deployments"]] == ["COMPLETED"]
        return service if is_done and service["runningCount"] == service["desiredCount"] else None

    def messages(self) -> list[str]:
        """Give the service's events, oldest first, without its name."""
        events = reversed(self.service()["events"])
        return [each["message"].removeprefix(f"(service {self.name}) ") for each in events]

    def tasks(self, status: str = "RUNNING") -> list[Any]:
        """Give the service's tasks of one desired status."""
        arns = self.ecs.list_tasks(cluster=self.cluster, serviceName=self.name, desiredStatus=status)["taskArns"]
        answer = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns, include=["TAGS"]) if arns else {"tasks": []}
        return list(answer["tasks"])
