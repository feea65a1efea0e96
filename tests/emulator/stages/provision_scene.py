"""A project with an app and two sidecars, and its config for `provision`."""

from __future__ import annotations

import json
from typing import Any

from tests.emulator.stages.scene import Scene

FLUME = "agent.sources = requests\nagent.sinks = log\n"
KEY = "hunter2-hunter2-hunter2-hunter2!"


def datadog_key(scene: Scene) -> str:
    """The ARN of a secret that this test's Datadog has its key from."""
    secrets, name = scene.client("secretsmanager"), f"{scene.name}/datadog-api-key"
    try:
        return str(secrets.describe_secret(SecretId=name)["ARN"])
    except secrets.exceptions.ResourceNotFoundException:
        return str(secrets.create_secret(Name=name, SecretString=KEY)["ARN"])


def write(scene: Scene, **parameters: Any) -> None:
    sidecars = {
        parameter: {
            "repository": f"{scene.name}-{name}",
            "context": "sidecar",
            "build_args": {"NAME": name},
        }
        for parameter, name in (("DatadogImage", "datadog"), ("FlumeImage", "flume"))
    }
    config = {
        "cluster": scene.name,
        "service": "web",
        "image": {"repository": scene.name, "context": "app", "build_args": {"VERSION": "v1"}},
        "canary": {"healthy_within": "25s", "bake": "0s"},
        "provision": {
            "parameters": {
                "DesiredCount": 2,
                "MinimumCount": 2,
                "DeregistrationDelay": 1,
                "DatadogApiKeySecretArn": datadog_key(scene),
                "DatadogTags": "env:lab",
                "FlumeConfiguration": FLUME,
                **parameters,
            },
            "images": sidecars,
        },
    }
    (scene.folder / "ecs-pipeline.yml").write_text(json.dumps(config))


def service(scene: Scene) -> Any:
    return scene.ecs.describe_services(cluster=scene.name, services=["web"])["services"][0]
