"""Nothing outside timing/ sleeps, and a loop that pauses has an end: read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ecs_pipeline

ROOT = Path(ecs_pipeline.__file__).parent

ENDED_BY = {
    "steps/bake.py": "the end of the bake, and of the samples under way then, each of which has its own time",
    "steps/renewal.py": "canary.healthy_within: no pause begins that would go past it",
}
"""Modules with a `while` loop that pauses, as its pauses differ, and what ends it."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Each module of the package outside of timing/, by its path."""
    for file in ROOT.rglob("*.py"):
        path = file.relative_to(ROOT).as_posix()
        if not path.startswith("timing/"):
            yield path, ast.parse(file.read_text(encoding="utf-8"))


def names_sleep(node: ast.AST) -> bool:
    """Whether it calls or hands on a sleep: `clock.sleep`, `time.sleep`, `from time import sleep`."""
    imported = isinstance(node, ast.ImportFrom) and "sleep" in {alias.name for alias in node.names}
    return imported or (isinstance(node, ast.Attribute) and node.attr == "sleep")


def pauses(node: ast.AST) -> bool:
    """Whether it calls `pause` of timing/wait.py."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("wait.pause", "pause")


def test_only_timing_sleeps() -> None:
    assert not [path for path, tree in modules() if any(map(names_sleep, ast.walk(tree)))]


def test_a_loop_that_pauses_has_an_end() -> None:
    """A `for` ends with what it goes through, `wait.looks` with its deadline; a `while` is to be looked at."""
    assert any(pauses(node) for _, tree in modules() for node in ast.walk(tree))
    loops = {path: [node for node in ast.walk(tree) if isinstance(node, ast.While)] for path, tree in modules()}
    pausing = {path for path, found in loops.items() for loop in found if any(map(pauses, ast.walk(loop)))}
    assert pausing == set(ENDED_BY)
