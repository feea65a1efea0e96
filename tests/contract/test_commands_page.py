"""docs/commands.md has a section for each command beside the stages, with its options and what it prints."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from ecs_pipeline.cli import commands
from ecs_pipeline.cli.commands.main import cli
from ecs_pipeline.cli.options import common_options
from ecs_pipeline.stages.validate import STEPS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `([a-z]+)`\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
COMMON = {option for parameter in click.command()(common_options(lambda: None)).params for option in parameter.opts}
NAMES = sorted(file.stem.rstrip("_") for file in Path(commands.__path__[0]).glob("[a-z]*.py") if file.stem != "main")


@pytest.mark.parametrize("name", NAMES)
def test_a_command_has_its_section_with_its_options_and_what_it_prints(name: str) -> None:
    section = SECTIONS[name]
    assert f"$ ecs-pipeline {name}" in section
    own = {option for parameter in cli.commands[name].params for option in parameter.opts if option.startswith("--")}
    assert [option for option in own - COMMON if option not in section] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_the_command(name: str) -> None:
    assert f"| `{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_there_is_no_section_of_a_command_that_there_is_not() -> None:
    assert sorted(SECTIONS) == NAMES


def test_validate_has_each_of_its_parts_in_the_table_and_in_what_it_prints() -> None:
    section = SECTIONS["validate"]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == list(STEPS)
    assert re.findall(r"^[\d:]{8} ([a-z-]+) (?:passed|failed) \(", section, re.MULTILINE) == list(STEPS)
