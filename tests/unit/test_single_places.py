"""What changes AWS for good stands in one place each: the safety order, deregistering, updating the service."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import ecs_pipeline

ROOT = Path(ecs_pipeline.__file__).parent

PLACES = {
    "removal.deregister": {"steps/retire.py", "steps/orphans.py"},
    "removal.drained": {"steps/retire.py"},
    "removal.stop": {"steps/retire.py"},
    "removal.stopped": {"steps/retire.py"},
    "elb.deregister": {"steps/removal.py"},
    "ecs.stop_task": {"steps/removal.py", "steps/tasks.py"},
    "definitions.deregister": {"steps/deregister.py"},
    "ecs.update_service": {"steps/service_update.py"},
}
"""Who may use a part of `steps/removal.py`, or an operation of a port.

Rule 5 takes targets out without a task to stop. A second task of a number (rule 4) is stopped before it takes traffic.
"""


@pytest.mark.parametrize("name", PLACES)
def test_it_stands_in_one_place(name: str) -> None:
    assert set(users(*name.split("."))) == PLACES[name]


def test_no_part_of_a_promotion_asks_whether_it_is_a_dry_run() -> None:
    """The engine does: so a dry run tells what the same step would do (decision 8)."""
    stage = ROOT / "stages" / "promote.py"
    imported = re.findall(r"^from ecs_pipeline\.((?:steps|plans)\.\w+) import", stage.read_text("utf-8"), re.MULTILINE)
    parts = [(ROOT / module.replace(".", "/")).with_suffix(".py") for module in imported]
    assert len(parts) > 5
    assert [file.name for file in (stage, *parts) if "dry_run" in file.read_text("utf-8")] == []


def users(owner: str, attribute: str) -> Iterator[str]:
    """The files that say OWNER.ATTRIBUTE, SOMETHING.OWNER.ATTRIBUTE, or import ATTRIBUTE from `steps.OWNER`."""
    for file, nodes in uses().items():
        if any(_uses(node, owner, attribute) for node in nodes):
            yield file


@cache
def uses() -> dict[str, list[ast.Attribute | ast.ImportFrom]]:
    """Attributes and imports of each file of the package; parsed once for all the names."""
    return {
        file.relative_to(ROOT).as_posix(): [
            node
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute | ast.ImportFrom)
        ]
        for file in ROOT.rglob("*.py")
    }


def _uses(node: ast.Attribute | ast.ImportFrom, owner: str, attribute: str) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == attribute and ast.unparse(node.value).rpartition(".")[2] == owner
    named = {alias.name for alias in node.names}
    return node.module == f"ecs_pipeline.steps.{owner}" and attribute in named
