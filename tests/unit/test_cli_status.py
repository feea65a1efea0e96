"""`status` on the command line: a table, JSON, and what is wrong in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecs_pipeline import errors
from ecs_pipeline.engine.run import Origin
from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, Ended, commands
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    return commands(monkeypatch, capsys, tmp_path)


def test_status_shows_a_table_and_leaves_no_files(run: Commands) -> None:
    run.world = start_of("A is a canary")
    end = run("status", *NAMED)
    rows = {line[:12].strip(): line[12:] for line in end.out.splitlines()}
    assert (end.code, rows["service"], rows["runs"]) == (0, "prd/web (ACTIVE)", "web:2")
    assert (rows["canary"], rows["verdict"], rows["share"]) == ("release A, web:3", "pass", "25 %")
    assert list(Path().iterdir()) == []


def test_status_as_json_is_for_machines(run: Commands) -> None:
    run.world = World()
    facts = json.loads(run("status", *NAMED, "--output", "json").out)
    assert (facts["cluster"], facts["service"], facts["canary"]) == ("prd", "web", None)
    assert facts["region"] == "eu-west-1"
    assert facts["tasks"] == {"desired": 3, "running": 3, "pending": 0}


def test_every_text_of_status_is_one_line(run: Commands) -> None:
    run.world = start_of("A is a canary")
    run.world.revisions[run.world.alive()[0].revision].tags[release_tags.BUILD] = "\x1b[2Kone\ntwo"
    run.world.service_tags[release_tags.RELEASE] = "\x1b[2Kone\ntwo"
    facts = json.loads(run("status", *NAMED, "--output", "json").out)
    assert (facts["release"], facts["canary"]["build"]) == ("", "one two")
    (doubt,) = facts["doubts"]
    assert doubt.endswith(r"it cannot be read: ?[2Kone?two")


def test_status_names_commit_and_build_of_a_canary(run: Commands) -> None:
    run.world = start_of("P runs")
    canary(run.world, Origin(commit="ab12cd3", build="http://ci/job/shop/7/"), release="A")
    seen = json.loads(run("status", *NAMED, "--output", "json").out)["canary"]
    assert (seen["commit"], seen["build"]) == ("ab12cd3", "http://ci/job/shop/7/")
    assert seen["image"].endswith(f"@{seen['digest']}")
    assert seen["digest"].startswith("sha256:")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen["since"])


def test_status_tells_what_is_wrong_in_one_line(run: Commands) -> None:
    run.failing(errors.InvalidInput("no cluster prd", cure="look"))
    assert run("status", *NAMED) == Ended(2, "", "ecs-pipeline: no cluster prd; look\n")


def test_a_mistake_of_ours_is_told_by_status_too(run: Commands) -> None:
    run.failing(KeyError("x"))
    end = run("status", *NAMED)
    assert (end.code, end.out) == (4, "")
    assert "please report the lines above" in end.err
