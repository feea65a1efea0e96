"""What STAGE.json says that a pipeline goes by: who holds the service, whether anything was changed, what would be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecs_pipeline.engine.run import Origin
from ecs_pipeline.protocol import release_tags
from tests.fakes.names import REGISTRY
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


# ---- release


@pytest.mark.parametrize("command", ["canary", "promote", "judge", "rollback"])
def test_a_stage_that_is_refused_or_finds_nothing_names_the_release_that_it_was_asked_for(
    run: Commands, command: str
) -> None:
    run.world = start_of("A is a canary")
    run(command, *NAMED, "--release", "B")
    assert report(command)["release"]["id"] == "B"


def test_a_canary_that_is_refused_names_the_release_that_it_would_have_been(run: Commands) -> None:
    run.world = start_of("A is a canary")
    assert run("canary", *NAMED).code == 3
    assert re.fullmatch(r"\d{8}-\d{6}.*", report()["release"]["id"])


# ---- changed


@pytest.mark.parametrize(
    ("start", "words", "code", "changed"),
    [
        ("P runs", ("canary", "--release", "A"), 0, True),
        ("A is a canary", ("canary", "--release", "A"), 0, False),
        ("A is promoted", ("canary", "--release", "A"), 0, False),
        ("A is a canary", ("canary", "--release", "B"), 3, False),
        ("A is a canary", ("judge",), 0, False),
        ("A is a canary", ("promote",), 0, True),
        ("A is promoted", ("promote",), 0, False),
        ("P runs", ("promote", "--release", "A"), 3, False),
        ("A is a canary", ("rollback",), 0, True),
        ("A is promoted", ("rollback",), 0, True),
        ("A was rolled back", ("rollback",), 0, False),
        ("A is promoted", ("rollback", "--canary"), 0, False),
    ],
)
@pytest.mark.parametrize("dry", [False, True], ids=["done", "dry run"])
def test_a_stage_says_whether_it_changed_anything_or_would(
    run: Commands, start: str, words: tuple[str, ...], code: int, *, changed: bool, dry: bool
) -> None:
    run.world = start_of(start)
    before = len(run.world.writes())
    end = run(*words, *NAMED, "--output", "json", *(["--dry-run"] if dry else []))
    document = json.loads(end.out)
    assert (end.code, document["changed"]) == (code, changed)
    assert (len(run.world.writes()) > before) == (changed and not dry)
    assert bool(document.get("plan")) == (changed and dry)


# ---- plan


def planned(run: Commands, *words: str) -> list[str]:
    """The plan that a dry run prints."""
    end = run(*words, *NAMED, "--dry-run", "--output", "json")
    document = json.loads(end.out)
    assert (end.code, document["dry_run"], list(Path().iterdir())) == (0, True, [])
    return list(document["plan"])


def test_a_canarys_plan_has_a_line_for_each_thing_that_would_be_done(run: Commands) -> None:
    assert planned(run, "canary", "--release", "A") == [
        f"build . and push {REGISTRY}/web:A",
        f"register a revision of web with {REGISTRY}/web:A",
        "run 1 task of web:new",
        "register them in web: 25 % of the traffic",
        "watch for 2s",
    ]


def test_the_plan_of_a_canary_that_replaces_another_begins_with_that(run: Commands) -> None:
    run.world = start_of("A is a canary")
    assert planned(run, "canary", "--release", "B", "--replace")[:4] == [
        "cancel release A",
        "take 10.0.0.4:8000 out of the traffic",
        f"stop task {run.world.alive()[0].arn[-32:]}",
        "deregister web:3",
    ]


def test_the_plan_of_a_canary_that_was_cut_short_is_what_is_left_to_do(run: Commands) -> None:
    run.world = start_of("A is a canary")
    del run.world.alive()[0].tags[release_tags.VERDICT]
    assert planned(run, "canary", "--release", "A") == ["watch for 2s"]
    run.world.targets.clear()
    assert planned(run, "canary", "--release", "A")[0] == "register them in web: 25 % of the traffic"


def test_a_promotions_plan(run: Commands) -> None:
    run.world = start_of("A is a canary")
    (task,) = run.world.alive()
    assert planned(run, "promote") == [
        "update prd/web from web:2 to web:3",
        "wait until prd/web runs web:3 and nothing else",
        f"take {task.address}:8000 out of the traffic",
        f"stop task {task.arn.rpartition('/')[2]}",
    ]


def test_a_stage_that_is_no_dry_run_has_no_plan(run: Commands) -> None:
    run("canary", *NAMED, "--release", "A")
    assert "plan" not in report()


# ---- approval


@pytest.mark.parametrize("start", ["A is a canary", "A is promoted", "P runs"], ids=["done", "done before", "refused"])
def test_a_promotion_tells_who_approved_it_and_what_they_said(run: Commands, start: str) -> None:
    run.world = start_of(start)
    run("promote", *NAMED, "--release", "A", "--approved-by", "Aki Sato", "--comment", "known:\nOPS-7")
    assert report("promote")["approval"] == {"by": "Aki Sato", "comment": "known: OPS-7"}


def test_nobody_need_have_said_anything(run: Commands) -> None:
    run.world = start_of("A is a canary")
    run("promote", *NAMED)
    assert report("promote")["approval"] == {"by": "", "comment": ""}


# ---- the page that explains it


def test_every_member_is_explained(run: Commands) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", page.partition("## STAGE.json")[2]))
    for command in ("canary", "promote"):
        document = json.loads(run(command, *NAMED, "--dry-run", "--output", "json").out)
        assert set(document) - {"approved_by"} <= explained


def test_since_when_the_canary_is_there_is_the_same_in_every_stage(run: Commands) -> None:
    run("canary", *NAMED, "--release", "A")
    since = report()["canary"]["since"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", since)
    status = json.loads(run("status", *NAMED, "--output", "json").out)
    run("promote", *NAMED)
    assert (status["canary"]["since"], report("promote")["canary"]["since"]) == (since, since)
