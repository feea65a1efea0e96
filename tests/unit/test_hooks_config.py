"""Hooks in the config: what is told of a wrong one, and what `validate` looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.load import load
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import InvalidInput
from tests.fakes.names import digest_of
from tests.fakes.world import World
from tests.unit.commands import NAMED, commands, report
from tests.unit.hook_runs import HOOKS, MIGRATE, V2
from tests.unit.stage_runs import canary


@pytest.fixture
def world() -> World:
    return World(images={"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")})


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        ({**MIGRATE, "container": "nowhere"}, "hooks.before_canary.0: no container nowhere"),
        ({**MIGRATE, "container": "side"}, "hooks.before_canary.0: hook migrate: container side is not essential"),
    ],
)
def test_a_hook_that_cannot_run_is_refused_before_anything_is_written(
    world: World, hook: dict[str, Any], told: str
) -> None:
    containers = world.revisions[world.deployments[0].revision].definition["containerDefinitions"]
    containers.append({"name": "side", "image": "side:1", "essential": False})
    end = canary(world, **{**V2, "settings": {"hooks": {"before_canary": [hook]}}})
    assert (end.code, end.writes) == (2, [])
    assert end.text.startswith(told)


def test_validate_looks_at_the_hooks_and_at_the_room_for_their_tags(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = commands(monkeypatch, capsys, tmp_path)
    run.world = World()
    named = {"cluster": "prd", "service": "web", "image": {"repository": "web"}}
    run.changes["settings"] = Settings.model_validate({**named, **HOOKS})
    assert run("validate", *NAMED).code == 0
    [step] = [step for step in report("validate")["steps"] if step["name"] == "hooks"]
    assert step["message"] == "before_canary: migrate, after_promote: purge, after_rollback: revert"

    run.world.service_tags |= {f"theirs-{number}": "" for number in range(39)}
    assert run("validate", *NAMED).code == 2
    assert "has 39 tags; ECS allows 50, and 12 are needed" in " ".join(report("validate")["evidence"])


@pytest.mark.parametrize(
    ("hook", "told"),
    [
        ({"name": "a b", "command": ["x"]}, "'a b' is not a name"),
        ({"name": "a", "command": []}, "hooks.before_canary.0.command"),
        ({"command": ["x"]}, "hooks.before_canary.0.name"),
    ],
)
def test_a_wrong_hook_is_told_with_its_place(tmp_path: Path, hook: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=r"ecs-pipeline.yml:[0-9]+") as refused:
        loaded(tmp_path, [hook])
    assert told in refused.value.message


def test_two_hooks_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="two hooks are called 'migrate'"):
        loaded(tmp_path, [MIGRATE, MIGRATE])


def test_numbers_in_a_command_stay_as_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "ecs-pipeline.yml").write_text(
        "cluster: prd\nservice: web\nhooks:\n  before_canary: [{name: a, command: [./to, 1.10], within: 90s}]\n"
    )
    [hook] = load(str(tmp_path / "ecs-pipeline.yml"), "", {}).settings.hooks.before_canary
    assert (hook.command, hook.within) == (("./to", "1.10"), 90.0)


def loaded(folder: Path, hooks: list[dict[str, Any]]) -> Settings:
    """The settings of a config with these hooks before the canary."""
    file = folder / "ecs-pipeline.yml"
    file.write_text(
        "cluster: prd\nservice: web\nhooks:\n  before_canary:\n" + "".join(f"    - {hook!r}\n" for hook in hooks)
    )
    settings: Settings = load(str(file), "", {}).settings
    return settings
