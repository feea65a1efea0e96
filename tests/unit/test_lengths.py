"""How long a file may be: a stage is a story of one page, and no file is long."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecs_pipeline

ROOT = Path(ecs_pipeline.__file__).parent
STORY, FILE = 120, 300


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("stage", sorted((ROOT / "stages").glob("*.py")), ids=lambda file: file.name)
def test_a_stage_is_a_short_story(stage: Path) -> None:
    assert lines(stage) <= STORY


def test_no_file_of_the_package_is_long() -> None:
    assert {file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py") if lines(file) > FILE} == set()
