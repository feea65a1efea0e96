"""The command line in this process, on a world in memory, in a folder of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.cli import wiring
from ecs_pipeline.cli.commands import main
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.engine.run import Run
from tests.fakes.ports import new_run
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import QUICK

NAMED = ("--cluster", "prd", "--service", "web")


@dataclass
class Ended:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands in this process, on a world in memory, in a folder of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = monkeypatch, capsys
        self.world = start_of("P runs")
        self.common: Any = None
        self.changes: dict[str, Any] = {}
        monkeypatch.setattr(wiring, "new_run", self._new_run)

    def _new_run(self, _config: Any, common: Any, _clock: Any, recorder: Recorder, _sessions: Any) -> Run:
        self.common, self.world.wrote = common, recorder.wrote
        recorder.record.region = "eu-west-1"
        run = new_run(self.world, "", [], QUICK)
        return replace(run, recorder=recorder, dry_run=common.dry_run, **self.changes)

    def failing(self, error: Exception) -> None:
        """The next command fails with this before it does anything."""

        def fail(*_: Any) -> Run:
            raise error

        self._patch.setattr(wiring, "new_run", fail)

    def __call__(self, *words: str) -> Ended:
        code = main.main(list(words))
        return Ended(code, *self._capture.readouterr())


def commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Commands:
    """Commands that are run in that folder."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("ECS_PIPELINE_ARGS", raising=False)
    return Commands(monkeypatch, capsys)


def report(stage: str = "canary", folder: str = "ecs-pipeline-reports") -> dict[str, Any]:
    """The report for machines."""
    document: dict[str, Any] = json.loads((Path(folder) / f"{stage}.json").read_text())
    return document
