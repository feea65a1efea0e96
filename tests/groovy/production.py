"""What the Jenkinsfiles of the Groovy tests deploy to: services on an embedded AWS, under steady traffic.

`python -m tests.groovy.production` reads one JSON object a line and answers each with one; it ends with its input.

    {"do": "start", "folder": F, "variant": V, "canary": {…}}  a new service on v1; a config in F that builds variant V
    {"do": "config", "folder": F, "variant": V, "canary": {…}} another config for it
    {"do": "answers", "seconds": 2}                           what its load balancer answers: {"v1": 20, "v2": 10}
    {"do": "state"}                                           what the service runs and what is left beside it
    {"do": "stop_canary"}                                     the canary dies
    {"do": "end"}                                             the traffic ends: {"failed": […]}
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3

from demo.traffic import Traffic
from embedded_aws.engine import ensure_engine
from embedded_aws.engine_packages import ensure_busybox
from embedded_aws.images import APP_FOLDER, APP_VARIANTS
from embedded_aws.launcher import EmbeddedAws
from tests.emulator.stages.images import REPOSITORY, Images
from tests.emulator.stages.scene import Scene

TASKS = 2


class Production:
    """One embedded AWS with one service at a time."""

    def __init__(self, aws: EmbeddedAws, folder: Path) -> None:
        self._aws = aws
        self._folder = folder
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=aws.region)
        self._clients = {name: session.client(name, endpoint_url=aws.endpoint) for name in ("ecs", "elbv2", "ecr")}
        self._images = Images(self._clients.__getitem__)
        self._scene: Scene | None = None
        self._traffic: Traffic | None = None

    @property
    def scene(self) -> Scene:
        """The service that was started last."""
        assert self._scene is not None
        return self._scene

    @property
    def traffic(self) -> Traffic:
        """Its traffic."""
        assert self._traffic is not None
        return self._traffic

    def start(self, **config: Any) -> dict[str, Any]:
        """Start a service and its traffic."""
        self._aws.configure(health_check_interval=0.3)
        self._scene = Scene(self._aws, self._clients.__getitem__, images=self._images, folder=self._folder)
        self.scene.start(TASKS)
        self._traffic = Traffic(self.scene.url)
        self.traffic.__enter__()
        return {**self.config(**config), "service": self.scene.name, "environment": self._aws.environment}

    def config(self, folder: str, variant: str, canary: dict[str, Any] | None = None) -> dict[str, Any]:
        """Write the config that a team would keep beside its Jenkinsfile."""
        image = {"repository": REPOSITORY, "context": str(APP_FOLDER), "build_args": dict(APP_VARIANTS[variant])}
        settings = {
            "cluster": self.scene.name,
            "service": self.scene.name,
            "image": image,
            "canary": {"healthy_within": "40s", "bake": "1s", **(canary or {})},
            "promote": {"stable_within": "90s"},
            "environments": {"stg": {}, "prd": {}},
        }
        (Path(folder) / "ecs-pipeline.yml").write_text(json.dumps(settings))
        return {}

    def answers(self, seconds: float) -> dict[str, int]:
        """Count the answers of the next seconds."""
        return dict(self.traffic.watch(seconds))

    def state(self) -> dict[str, Any]:
        """What AWS holds."""
        scene = self.scene
        return {
            "marks": scene.marks(),
            "canaries": len(scene.canaries()),
            "deployments": len(scene.service()["deployments"]),
            "strangers": sorted(scene.registered() - scene.service_addresses()),
            "revisions": scene.revisions(),
        }

    def stop_canary(self) -> dict[str, Any]:
        """Stop the canary's task behind everybody's back."""
        for task in self.scene.canaries():
            self.scene.ecs.stop_task(cluster=self.scene.name, task=task["taskArn"])
        return {}

    def end(self) -> dict[str, Any]:
        """End the traffic and the service."""
        self.traffic.__exit__()
        self.scene.ecs.delete_service(cluster=self.scene.name, service=self.scene.name, force=True)
        return {"failed": [failure.problem for failure in self.traffic.failures]}


def main() -> None:
    """Serve until the input ends."""
    with ensure_engine(), tempfile.TemporaryDirectory() as folder:
        ensure_busybox()
        with EmbeddedAws() as aws:
            production = Production(aws, Path(folder))
            for line in sys.stdin:
                request = json.loads(line)
                answer = getattr(production, request.pop("do"))(**request)
                sys.stdout.write(json.dumps(answer) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
