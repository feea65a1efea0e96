"""How long a file may be: a stage is a story of one page, and no file is long."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecs_pipeline

ROOT = Path(ecs_pipeline.__file__).parent
TESTS = Path(__file__).parents[1]
STORY, FILE = 120, 300


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("stage", sorted((ROOT / "stages").glob("*.py")), ids=lambda file: file.name)
def test_a_stage_is_a_short_story(stage: Path) -> None:
    assert lines(stage) <= STORY


@pytest.mark.parametrize("folder", [ROOT, TESTS], ids=["package", "tests"])
def test_no_file_is_long(folder: Path) -> None:
    files = list(folder.rglob("*.py"))
    assert len(files) > 100
    assert {file.relative_to(folder).as_posix() for file in files if lines(file) > FILE} == set()
