"""A task definition that AWS returns in other words than it was given in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ecs_pipeline.model.release import TaskDefinition
from tests.fakes.ecs import FakeDefinitions


def normalising(monkeypatch: pytest.MonkeyPatch) -> None:
    """ECS takes `1 vCPU` and describes 1024 (RegisterTaskDefinition, `cpu`)."""
    register: Callable[..., TaskDefinition] = FakeDefinitions.register
    given: Mapping[str, Any] = {"cpu": "1024"}
    monkeypatch.setattr(FakeDefinitions, "register", lambda self, plain, tags: register(self, {**plain, **given}, tags))
