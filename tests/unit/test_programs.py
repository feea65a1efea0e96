"""Programs that are started: where they are looked for, and what of the environment they are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline import programs


def program(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("#!/bin/sh\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("relative", ["", ".", "bin", "./bin", "../here/bin"])
def test_a_program_of_the_workspace_is_not_found_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: str
) -> None:
    here = tmp_path / "here"
    program(here, "tool")
    program(here / "bin", "tool")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", f"{relative}:/nowhere:{relative}")
    assert programs.find("tool") == ""
    program(tmp_path / "there", "tool")
    monkeypatch.setenv("PATH", f"{relative}:{tmp_path / 'there'}")
    assert programs.find("tool") == str(tmp_path / "there" / "tool")


@given(st.lists(st.text(alphabet="./:ab", max_size=6)))
def test_only_absolute_folders_are_left(folders: list[str]) -> None:
    left = programs.search_path({"PATH": ":".join(folders)}).split(os.pathsep)
    assert all(folder.startswith("/") for folder in left) or left == [""]


def test_without_a_path_the_systems_own_is_taken() -> None:
    assert all(Path(folder).is_absolute() for folder in programs.search_path({}).split(os.pathsep))


@pytest.mark.parametrize("aws", [True, False])
def test_credentials_are_given_to_who_needs_them_and_pythons_variables_to_nobody(
    monkeypatch: pytest.MonkeyPatch, *, aws: bool
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_REGION", "PYTHONPATH", "PYTHONHOME", "ECS_PIPELINE_ARGS", "OTHER"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PATH", ".:/usr/bin")
    given_to_it = programs.environment(aws=aws)
    assert ("AWS_SECRET_ACCESS_KEY" in given_to_it, "AWS_REGION" in given_to_it) == (aws, aws)
    assert not [key for key in given_to_it if key.startswith(("PYTHON", "ECS_PIPELINE"))]
    assert (given_to_it["OTHER"], given_to_it["PATH"]) == ("x", "/usr/bin")
