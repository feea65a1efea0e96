"""What STAGE.json says that a pipeline goes by: who holds the service, whether anything was changed, what would be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ecs_pipeline.run import Origin
from tests.unit.commands import NAMED, Commands, commands, report
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary

BUILD = "https://ci.example.com/job/shop/7/"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


# ---- holder


@pytest.mark.parametrize(
    ("command", "start"),
    [("canary", "P runs"), ("promote", "P runs"), ("judge", "P runs"), ("rollback", "A is promoted")],
)
def test_a_refusal_names_the_holder_in_its_parts(run: Commands, command: str, start: str) -> None:
    run.world = start_of(start)
    canary(run.world, Origin(build=BUILD), release="B")
    (task,) = run.world.alive()

    assert run(command, *NAMED, "--release", "A").code == 3

    holder = report(command)["holder"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", holder.pop("since"))
    assert holder == {"release": "B", "task": task.arn.rpartition("/")[2], "build": BUILD}


@pytest.mark.parametrize("command", ["canary", "promote", "judge"])
def test_nobody_holds_the_service_when_a_stage_ends_otherwise(run: Commands, command: str) -> None:
    run(command, *NAMED, "--release", "A")
    assert report(command)["holder"] is None
