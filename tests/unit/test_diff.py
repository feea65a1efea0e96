"""`diff`: what a canary would change, or what differs between two revisions; secrets by name only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.names import REGISTRY, definition_with, digest_of
from tests.fakes.world import World
from tests.unit.commands import NAMED, Commands, commands

V1, V2 = (f"{REGISTRY}/web@{digest_of(version)}" for version in ("v1", "v2"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    made = commands(monkeypatch, capsys, tmp_path)
    made.world = World()
    made.world.images[digest_of("v2")] = digest_of("v2")
    return made


def revision(world: World, **members: Any) -> None:
    """Register another revision of the family, with these members in its container."""
    definition = definition_with(V1)
    definition["containerDefinitions"][0].update(members)
    world.register(definition, {"ecs-pipeline:release": "rel-2"})


def test_a_canary_would_change_the_image_only(run: Commands) -> None:
    end = run("diff", *NAMED, "--image", V2)
    assert (end.code, end.err) == (0, "")
    assert end.out.splitlines() == [
        "web:1 → what a canary would register",
        f"  containerDefinitions.app.image: {V1} → {V2}",
    ]
    assert run.world.writes() == []


def test_without_an_image_it_is_the_one_that_would_be_built(run: Commands) -> None:
    assert "app.image: " + V1 + " → web, built from sources" in run("diff", *NAMED).out


def test_the_running_image_changes_nothing(run: Commands) -> None:
    end = run("diff", *NAMED, "--image", V1, "--exit-code")
    assert (end.code, end.out) == (0, "web:1 and what a canary would register: no difference\n")


@pytest.mark.parametrize("wanted", ["2", "web:2", "rel-2"])
def test_the_service_s_revision_is_compared_with_another(run: Commands, wanted: str) -> None:
    revision(run.world, cpu=256, environment=[{"name": "TOKEN", "value": "very-secret"}])
    end = run("diff", wanted, *NAMED)
    assert end.out.splitlines() == [
        "web:1 → web:2",
        "  containerDefinitions.app.cpu: nothing → 256",
        "  containerDefinitions.app.environment.TOKEN: changed",
    ]


def test_two_revisions_are_compared_in_their_order(run: Commands) -> None:
    revision(run.world, cpu=256)
    revision(run.world, cpu=512)
    assert "app.cpu: 512 → 256" in run("diff", "3", "2", *NAMED).out


def test_a_file_is_compared(run: Commands) -> None:
    Path("taskdef.json").write_text(json.dumps({**definition_with(V1), "cpu": "512"}))
    assert run("diff", "taskdef.json", *NAMED).out.splitlines() == ["web:1 → taskdef.json", "  cpu: nothing → 512"]


def test_the_exit_code_is_for_scripts(run: Commands) -> None:
    assert run("diff", *NAMED, "--image", V2, "--exit-code").code == 1


def test_json_has_names_and_changes(run: Commands) -> None:
    end = run("diff", *NAMED, "--image", V2, "--output", "json")
    assert json.loads(end.out) == {
        "old": "web:1",
        "new": "what a canary would register",
        "changes": [f"containerDefinitions.app.image: {V1} → {V2}"],
    }


def test_a_revision_that_there_is_not_is_bad_input(run: Commands) -> None:
    end = run("diff", "rel-9", *NAMED)
    assert (end.code, end.out) == (2, "")
    assert end.err.endswith("belongs to release rel-9; give the revision: FAMILY:NUMBER\n")


def test_an_image_has_no_place_between_two_revisions(run: Commands) -> None:
    assert run("diff", "1", "2", *NAMED, "--image", V2).code == 2
