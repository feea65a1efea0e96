"""A service on the embedded AWS, and the command line run on it as a Jenkinsfile would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulator.embedded_aws.environment import NETWORK, Environment
from tests.emulator.forks import Forks
from tests.emulator.stages.images import REPOSITORY, Images
from tests.emulator.stages.outcome import Outcome

PROGRAM = Path(sys.executable).with_name("ecs-pipeline")
ENDS_WITHIN = 170.0
"""Seconds until a command that does not end is killed; for a busy machine."""
TAGS = {"team": "lab"}


@dataclass
class Scene(Environment):
    """One service of this test's own.

    `forks` starts the commands; None: each is the installed program, which imports the package anew.
    """

    images: Images = field(kw_only=True)
    folder: Path = field(kw_only=True)
    forks: Forks | None = field(kw_only=True, default=None)
    runs: int = 0

    def close(self) -> None:
        """Stop and remove what is left: a dead target would be probed for ever."""
        if not self.ecs.describe_clusters(clusters=[self.name])["clusters"]:
            return
        for service in self.ecs.list_services(cluster=self.name)["serviceArns"]:
            self.ecs.delete_service(cluster=self.name, service=service, force=True)
        for task in self.ecs.list_tasks(cluster=self.name)["taskArns"]:
            self.ecs.stop_task(cluster=self.name, task=task)
        for balancer in self.elb.describe_load_balancers()["LoadBalancers"]:
            if balancer["LoadBalancerName"].startswith(self.name):
                self.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        for group in self.elb.describe_target_groups()["TargetGroups"]:
            if group["TargetGroupName"].startswith(self.name):
                self.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    def start(self, count: int = 3, **members: Any) -> str:
        """Create the service on v1 and wait until it is stable; its revision."""
        container = {"image": self.images.digest("v1"), **members.pop("container", {})}
        definition = members.pop("definition", {})
        revision = self.register("v1", container=container, tags=_list(TAGS), **definition)
        settings = {
            "tags": _list(TAGS),
            "propagateTags": "SERVICE",
            "enableECSManagedTags": True,
            "healthCheckGracePeriodSeconds": 30,
            "deploymentConfiguration": {
                "maximumPercent": 200,
                "minimumHealthyPercent": 100,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            **members,
        }
        self.create_service(revision, count, **settings)
        self.wait_until_stable()
        return revision

    def create_service(self, definition: str, count: int = 1, **members: Any) -> Any:
        """The same as an environment's; with capacity providers there is no launch type."""
        arguments = {
            "cluster": self.cluster,
            "serviceName": self.name,
            "taskDefinition": definition,
            "desiredCount": count,
            "networkConfiguration": NETWORK,
            "loadBalancers": [{"targetGroupArn": self.target_group, "containerName": "app", "containerPort": 8000}],
            **({} if "capacityProviderStrategy" in members else {"launchType": "FARGATE"}),
            **members,
        }
        return self.ecs.create_service(**arguments)["service"]

    def config(self, **changes: Any) -> None:
        """Write the config of the next commands."""
        defaults: dict[str, Any] = {
            "cluster": self.name,
            "service": self.name,
            "image": {"repository": REPOSITORY},
            "canary": {"healthy_within": "25s", "bake": "1s"},
            "promote": {"stable_within": "60s"},
        }
        for key, value in changes.items():
            old = defaults.get(key)
            defaults[key] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        (self.folder / "ecs-pipeline.yml").write_text(json.dumps(defaults))

    def command(self, *words: str) -> tuple[list[str], Path]:
        """The command line of a stage with reports of its own, and their folder."""
        self.runs += 1
        reports = self.folder / f"reports-{self.runs}"
        if not (self.folder / "ecs-pipeline.yml").exists():
            self.config()
        with_reports = [] if words[0] == "status" else ["--reports", str(reports)]
        return [str(PROGRAM), words[0], *with_reports, *words[1:]], reports

    def environment(self, **changes: str) -> dict[str, str]:
        """What the command line finds in its environment."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "GIT_", "BUILD_"))}
        return {**kept, **self.server.environment, "HOME": str(self.folder), **changes}

    def ecs_pipeline(self, *words: str, **changes: str) -> Outcome:
        """Run a command to its end."""
        command, reports = self.command(*words)
        run = self._fork if self.forks else self._program
        return self.outcome(words[0], *run(command, self.environment(**changes), reports), reports)

    def _program(self, command: list[str], environment: Mapping[str, str], _: Path) -> tuple[int, str, str]:
        done = subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN,
        )
        return done.returncode, done.stdout, done.stderr

    def _fork(self, command: list[str], environment: Mapping[str, str], output: Path) -> tuple[int, str, str]:
        assert self.forks
        process = self.forks.start(command[1:], self.folder, environment, output)
        try:
            return process.ended(ENDS_WITHIN)
        finally:
            process.send_signal(signal.SIGKILL)

    def outcome(self, stage: str, code: int, stdout: str, stderr: str, reports: Path) -> Outcome:
        """What a command left behind."""
        file = reports / f"{stage}.json"
        report = json.loads(file.read_text()) if file.exists() else {}
        return Outcome(code, stdout, stderr, report, reports / f"TEST-ecs-pipeline-{stage}.xml")

    def canary(self, variant: str = "v2", *words: str) -> Outcome:
        """`canary --image` of a variant, with its name as the release id unless another is given."""
        release = () if "--release" in words else ("--release", variant)
        return self.ecs_pipeline("canary", "--image", self.images.uri(variant), *release, *words)

    # ---- what AWS holds

    def running_image(self) -> str:
        """The image that the service runs."""
        return self.image_of(self.service()["taskDefinition"])

    def image_of(self, revision: str) -> str:
        """The app's image in a revision."""
        definition = self.ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        return str(definition["containerDefinitions"][0]["image"])

    def marks(self) -> dict[str, str]:
        """The service's tags of ours that are not empty, without records of targets."""
        return {
            tag["key"].removeprefix("ecs-pipeline:"): tag["value"]
            for tag in self.service(include=["TAGS"])["tags"]
            if tag["key"].startswith("ecs-pipeline:") and tag["value"] and ":targets:" not in tag["key"]
        }

    def canaries(self, status: str = "RUNNING") -> list[Any]:
        """Tasks of ours."""
        filters = {"desiredStatus": status} if status != "RUNNING" else {}
        arns = self.ecs.list_tasks(cluster=self.name, startedBy=f"canary/{self.name}", **filters)["taskArns"]
        return list(self.ecs.describe_tasks(cluster=self.name, tasks=arns, include=["TAGS"])["tasks"]) if arns else []

    def registered(self) -> set[str]:
        """Addresses in the target group that are not draining."""
        return {target["Target"]["Id"] for target in self.health() if target["TargetHealth"]["State"] != "draining"}

    def service_addresses(self) -> set[str]:
        """Addresses of the service's own tasks."""
        return {
            str(detail["value"])
            for task in self.tasks()
            for attachment in task["attachments"]
            for detail in attachment["details"]
            if detail["name"] == "privateIPv4Address"
        }

    def revisions(self, status: str = "ACTIVE") -> list[int]:
        """Numbers of the family's revisions."""
        arns = self.ecs.list_task_definitions(familyPrefix=self.name, status=status)["taskDefinitionArns"]
        return sorted(int(arn.rpartition(":")[2]) for arn in arns)

    def assert_nothing_left(self) -> None:
        """No canary, no foreign target, one deployment."""
        assert self.canaries() == []
        assert self.registered() == self.service_addresses()
        assert len(self.service()["deployments"]) == 1


def _list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


__all__ = ["NETWORK", "Scene"]
