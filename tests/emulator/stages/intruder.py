"""Somebody who may run and tag tasks of the cluster, or tag only."""

from __future__ import annotations

from typing import Any

from ecs_pipeline.model.release import CANARY, Epoch
from ecs_pipeline.protocol import decide, release_tags
from tests.emulator.embedded_aws.environment import NETWORK
from tests.emulator.stages.scene import Scene


class Intruder:
    """Knows the service's name and nothing secret; `evil` is a revision of a family of his own."""

    def __init__(self, scene: Scene, release: str, variant: str = "v3") -> None:
        self.scene, self.release = scene, release
        tags = {release_tags.RELEASE: release, release_tags.EPOCH: release_tags.epoch_value(self.epoch)}
        self.evil = scene.register(
            variant,
            family=f"{scene.name}-evil",
            container={"image": scene.images.digest(variant)},
            tags=[{"key": key, "value": value} for key, value in tags.items()],
        )

    @property
    def epoch(self) -> Epoch:
        """The service's."""
        return release_tags.parse_epoch(self.scene.marks().get("turn", ""))

    def run(self, revision: str = "", **more: Any) -> str:
        """RunTask with everything that tells a canary of the release; the task's ARN."""
        ours = {
            release_tags.SERVICE: self.scene.name,
            release_tags.RELEASE: self.release,
            release_tags.EPOCH: release_tags.epoch_value(self.epoch),
            release_tags.ROLE: CANARY,
            release_tags.INDEX: "0",
            release_tags.VERDICT: "pass",
        }
        started = self.scene.ecs.run_task(
            cluster=self.scene.name,
            taskDefinition=revision or self.evil,
            startedBy=release_tags.started_by(self.scene.name),
            launchType="FARGATE",
            networkConfiguration=NETWORK,
            tags=[{"key": key, "value": value} for key, value in ours.items()],
            **more,
        )
        return str(started["tasks"][0]["taskArn"])

    def the_lock(self) -> str:
        """The token that a canary of a fresh service comes to."""
        return decide.first_token(self.scene.service()["serviceArn"].partition(":service/")[2], self.epoch, CANARY, 0)

    def tag_service(self, **tags: str) -> None:
        """TagResource on the service."""
        named = {f"ecs-pipeline:{key.replace('_', '-')}": value for key, value in tags.items()}
        self.scene.ecs.tag_resource(
            resourceArn=self.scene.service()["serviceArn"],
            tags=[{"key": key, "value": value} for key, value in named.items()],
        )

    def address(self, task: str) -> str:
        """Where his task listens."""
        return self.scene.address(task)
