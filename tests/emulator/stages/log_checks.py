"""A service whose canary has the check `logs`."""

from __future__ import annotations

from typing import Any

from tests.emulator.stages.scene import Scene

SOON = {"interval": "300ms", "failures": 1, "of": 1, "min_samples": 2}
ERRORS = '"500 version"'


def logs(name: str = "errors", **settings: Any) -> dict[str, Any]:
    """One check."""
    return {"name": name, **SOON, "logs": {"filter": ERRORS, **settings}}


def requests() -> dict[str, Any]:
    """What makes the canary write a line now and then; how it answers is of no interest."""
    never = {"failures": 1000, "of": 1000, "required": False}
    return {"name": "requests", "interval": "300ms", **never, "http": {"path": "/"}}


def start(scene: Scene, count: int = 1) -> str:
    """The service, whose containers log with awslogs; its revision."""
    scene.client("logs").create_log_group(logGroupName=f"/{scene.name}")
    options = {"awslogs-group": f"/{scene.name}", "awslogs-region": scene.server.region, "awslogs-stream-prefix": "app"}
    return scene.start(count, container={"logConfiguration": {"logDriver": "awslogs", "options": options}})
