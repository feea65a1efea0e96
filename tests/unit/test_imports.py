"""Who imports whom: the layers of the package, read from its source, lazy imports included."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ecs_pipeline

ROOT = Path(ecs_pipeline.__file__).parent
TESTS = Path(__file__).parents[1]

ROOMS = (
    "text",
    "batches",
    "errors",
    "programs",
    "bounded_http",
    "timing",
    "documents",
    "images",
    "model",
    "ports",
    "config",
    "protocol",
    "engine",
    "task_definitions",
    "checks",
    "steps",
    "hooks",
    "policy",
    "plans",
    "findings",
    "provision",
    "undo",
    "stages",
    "aws",
    "reports",
    "cli",
    "__main__",
)
"""The rooms of the package, and the files beside them, from the ground up: each may import what stands before it."""

EDGES: dict[str, set[str]] = {
    "aws": {"batches", "bounded_http", "documents", "errors", "model", "protocol", "text", "timing"},
    "reports": {"engine", "errors", "model", "text", "timing"},
    "protocol": {"errors", "model", "ports", "timing"},
    "model": {"errors"},
}
"""What these may import at most: adapters know the model and no stage, reports the record and no AWS."""

LIBRARIES: dict[str, set[str]] = {
    "boto3": {"aws"},
    "botocore": {"aws"},
    "click": {"cli"},
    "docker": {"images"},
    "jinja2": {"reports"},
    "junit_xml": {"reports"},
    "markupsafe": {"reports"},
    "pydantic": {"checks", "config", "reports"},
    "requests": {"bounded_http", "images"},
    "rich": {"reports"},
    "ruamel": {"documents", "stages"},
    "tenacity": {"timing"},
    "urllib3": {"bounded_http", "images"},
}
"""Which parts may import a library; any other library is not known here yet."""


@cache
def modules() -> dict[str, frozenset[str]]:
    """What each module of the package imports, by dotted name."""
    files = {file.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): file for file in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): frozenset(_imported(file)) for name, file in files.items()}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    """The folder or file of the package that a module is in."""
    return module.partition(".")[0]


def ours(module: str) -> set[str]:
    """The parts of the package that a module imports."""
    inside = {name.removeprefix("ecs_pipeline.") for name in modules()[module] if name.startswith("ecs_pipeline.")}
    known = {part(name) for name in modules()}
    return {part(name) for name in inside} & known


def of(folder: str) -> list[str]:
    found = [module for module in modules() if part(module) == folder]
    assert found, f"there is no {folder}"
    return found


def test_every_room_has_its_place() -> None:
    assert {part(module) for module in modules()} - {"__init__", "resources"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_is_below_it(room: str) -> None:
    below = {room, *ROOMS[: ROOMS.index(room)]}
    wrong = {module: ours(module) - below for module in of(room)}
    assert {module: parts for module, parts in wrong.items() if parts} == {}


@pytest.mark.parametrize("room", EDGES)
def test_the_edges_know_no_more_than_they_need(room: str) -> None:
    beyond = {module: ours(module) - EDGES[room] - {room} for module in of(room)}
    assert {module: more for module, more in beyond.items() if more} == {}


def test_only_the_wiring_knows_all_and_only_the_command_line_knows_it() -> None:
    def knowing(wanted: str) -> set[str]:
        named = f"ecs_pipeline.{wanted}"
        return {module for module, imported in modules().items() if named in imported}

    assert {part(module) for module in knowing("cli.wiring")} == {"cli"}
    assert knowing("cli.commands.main") == {"__main__"}
    assert {module for module in modules() if "aws" in ours(module)} - set(of("aws")) == {"cli.wiring"}
    assert [module for module in modules() if "cli" in ours(module) and part(module) != "cli"] == ["__main__"]


def test_each_library_is_imported_in_its_place_only() -> None:
    standard = set(sys.stdlib_module_names) | {"ecs_pipeline"}
    for module, imported in modules().items():
        for library in {part(name) for name in imported} - standard:
            assert part(module) in LIBRARIES.get(library, set()), f"{module} imports {library}"


def test_no_module_leads_back_to_itself() -> None:
    inside = {
        module: {name.removeprefix("ecs_pipeline.") for name in imported} & set(modules())
        for module, imported in modules().items()
    }
    assert sum(map(len, inside.values())) > len(modules())
    TopologicalSorter(inside).prepare()  # raises CycleError


def test_no_test_imports_another_test() -> None:
    """What tests share stands in a helper module: a test may be moved or removed without looking at the others."""
    files = {file: set(_imported(file)) for file in TESTS.rglob("*.py")}
    assert any("tests.unit.stage_runs" in imported for imported in files.values())
    wrong = {
        file.relative_to(TESTS).as_posix(): tests
        for file, imported in files.items()
        if (tests := {name for name in imported if name.startswith("tests.") and ".test_" in name})
    }
    assert wrong == {}
