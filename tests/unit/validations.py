"""What runs of `validate` in memory share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.settings import Settings
from tests.fakes.world import World
from tests.unit.commands import Commands, Ended, commands, report

ROLE = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    return made


def with_canary(run: Commands, **canary: Any) -> None:
    """The next command has these settings of the canary."""
    named = {"cluster": "prd", "service": "web", "image": {"repository": "web"}}
    run.changes["settings"] = Settings.model_validate({**named, "canary": canary})


def outcomes(end: Ended) -> dict[str, str]:
    """The outcome of each step."""
    assert end.code == report("validate")["exit_code"]
    return {step["name"]: step["outcome"] for step in report("validate")["steps"]}


def message_of(step: str) -> str:
    [found] = [entry for entry in report("validate")["steps"] if entry["name"] == step]
    return str(found["message"])
