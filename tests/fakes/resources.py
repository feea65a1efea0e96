"""What a World consists of: tasks, revisions, deployments, and how long things take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeTask:
    """A task: its state follows from the times at which things happened to it."""

    arn: str
    revision: str
    tags: dict[str, str]
    token: str
    parameters: dict[str, Any]
    created: float
    address: str
    started_by: str = ""
    group: str = ""
    stop_asked: float | None = None
    stopped: float | None = None
    reason: str = ""
    code: str = ""
    deployment: str = ""


@dataclass
class FakeRevision:
    """A revision; `image` decides how its tasks fare; a `forgotten` one is described no more, `added` is of AWS."""

    arn: str
    definition: dict[str, Any]
    tags: dict[str, str]
    active: bool = True
    deregistered: float = 0.0
    forgotten: bool = False
    added: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """The image of the first container."""
        return str(self.definition["containerDefinitions"][0]["image"])


@dataclass
class FakeDeployment:
    """A rollout of the service."""

    id: str
    revision: str
    created: float
    status: str = "PRIMARY"
    rollout: str = "IN_PROGRESS"
    failed: int = 0


@dataclass
class Delays:
    """Seconds that things take; `leaving`: how long a rollout's old tasks take to go once all new ones are healthy."""

    start: float = 1.0
    healthy: float = 2.0
    drain: float = 3.0
    stop: float = 1.0
    rollout: float = 4.0
    leaving: float = 0.0
