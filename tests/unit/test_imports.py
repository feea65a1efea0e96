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

CORE: dict[str, set[str]] = {
    "text": set(),
    "batches": set(),
    "programs": set(),
    "bounded_http": {"text"},
    "errors": {"text"},
    "load_balancing": set(),
    "signals": set(),
    "model": {"load_balancing"},
    "look": {"load_balancing", "model"},
    "references": {"errors", "text"},
    "placement": set(),
    "stops": {"model", "placement"},
    "shares": {"load_balancing"},
    "service_kinds": {"errors", "load_balancing", "model"},
    "previous_definition": {"model"},
    "rollout_time": {"load_balancing", "model"},
    "breaker": {"model"},
    "setting_types": {"documents"},
    "comparison_settings": {"setting_types"},
    "metric_settings": {"comparison_settings"},
    "check_settings": {"comparison_settings", "metric_settings", "setting_types", "text"},
    "container_settings": {"setting_types"},
    "hook_settings": {"setting_types", "tags"},
    "image_scan": set(),
    "image_settings": {"images", "setting_types"},
    "scaling": {"tags"},
    "settings": {
        "check_settings",
        "container_settings",
        "hook_settings",
        "image_settings",
        "setting_types",
        "tags",
    },
    "tags": set(),
    "reachable": {"check_settings", "settings"},
    "stacks": set(),
    "common": {"config"},
    "next_steps": {"common", "errors", "record"},
    "rehearsal": {"checks", "common", "setting_types", "stages"},
    "suggestions": set(),
    "arguments": {"errors", "json_document", "suggestions"},
    "clock": {"errors"},
    "decide": {"load_balancing", "look", "model"},
    "marks": {"decide", "load_balancing", "model", "tags"},
    "retry": {"clock"},
    "wait": {"clock", "errors"},
    "json_document": set(),
    "documents": {"errors", "json_document"},
    "mistakes": {"documents", "settings", "suggestions"},
    "lookups": {"documents", "errors"},
    "config": {"documents", "errors", "lookups", "mistakes", "reachable", "settings", "suggestions"},
    "check_series": set(),
    "record": {"check_series", "errors"},
    "recorder": {"clock", "errors", "record"},
    "permissions": set(),
    "filled_policy": {"lookups", "permissions"},
    "config_schema": {"setting_types", "settings"},
    "config_sources": {"config", "documents", "mistakes", "settings", "text"},
    "docker_engine": {"clock", "documents", "errors", "images", "references", "retry", "text"},
    "registry": {"bounded_http", "clock", "errors", "images", "references", "retry"},
    "ports": {"image_scan", "images", "load_balancing", "model", "scaling", "signals"},
    "fence": {"clock", "errors", "model", "ports"},
    "doubts": {"decide", "look", "model"},
    "observe": {"doubts", "load_balancing", "look", "marks", "model", "ports"},
    "definition_file": {"documents", "errors", "load_balancing", "lookups", "suggestions"},
    "definition": {"errors", "model", "suggestions", "text"},
    "run_parameters": {"marks", "model"},
}
"""What each part below the steps may import of ours, at most."""

LAYERS: dict[str, set[str]] = {
    "aws": {
        "aws",
        "batches",
        "bounded_http",
        "clock",
        "errors",
        "image_scan",
        "json_document",
        "load_balancing",
        "marks",
        "model",
        "retry",
        "scaling",
        "signals",
        "stacks",
        "suggestions",
        "text",
    },
    "images": {"documents", "errors", "images", "programs", "references"},
    "reports": {"check_series", "clock", "errors", "model", "record", "recorder", "reports", "text", "wait"},
}
"""The same for folders: adapters know the model and no stage; reports know the record and no AWS."""

ABOVE_STAGES = {"aws", "cli", "commands", "reports", "runner", "wiring"}
ABOVE_STEPS = {*ABOVE_STAGES, "stages"}
ABOVE_CHECKS = {*ABOVE_STEPS, "steps"}

LIBRARIES: dict[str, set[str]] = {
    "boto3": {"aws"},
    "botocore": {"aws"},
    "click": {"arguments", "cli", "commands", "common", "rehearsal", "runner", "streams"},
    "docker": {"docker_engine", "images"},
    "jinja2": {"reports"},
    "junit_xml": {"reports"},
    "markupsafe": {"reports"},
    "pydantic": {
        "checks",
        "check_settings",
        "comparison_settings",
        "config",
        "container_settings",
        "hook_settings",
        "image_settings",
        "metric_settings",
        "reports",
        "setting_types",
        "settings",
    },
    "requests": {"bounded_http", "docker_engine", "registry"},
    "rich": {"reports"},
    "ruamel": {"documents", "stages"},
    "tenacity": {"retry", "wait"},
    "urllib3": {"bounded_http", "docker_engine"},
}
"""Which parts may import a library; any other library is not known here yet."""


@cache
def modules() -> dict[str, frozenset[str]]:
    """What each module of the package imports, by dotted name."""
    files = {one.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): one for one in ROOT.rglob("*.py")}
    return {name.removesuffix(".__init__"): frozenset(_imported(file)) for name, file in files.items()}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def part(module: str) -> str:
    """The folder or file of the package that a module is in."""
    return module.partition(".")[0]


def ours(module: str) -> set[str]:
    """The parts of the package that a module imports."""
    inside = {one.removeprefix("ecs_pipeline.") for one in modules()[module] if one.startswith("ecs_pipeline.")}
    known = {part(one) for one in modules()}
    return {part(one) for one in inside} & known


def of(folder: str) -> list[str]:
    found = [one for one in modules() if part(one) == folder]
    assert found, f"there is no {folder}"
    return found


@pytest.mark.parametrize("module", CORE)
def test_a_part_below_the_steps_imports_only_what_is_below_it(module: str) -> None:
    assert ours(module) <= CORE[module]


@pytest.mark.parametrize("folder", LAYERS)
def test_adapters_and_reports_stay_at_the_edge(folder: str) -> None:
    beyond = {one: ours(one) - LAYERS[folder] for one in of(folder)}
    assert {one: more for one, more in beyond.items() if more} == {}


@pytest.mark.parametrize(
    ("folder", "above"),
    [("checks", ABOVE_CHECKS), ("steps", ABOVE_STEPS), ("stages", ABOVE_STAGES)],
)
def test_steps_and_stages_meet_the_world_only_through_ports(folder: str, above: set[str]) -> None:
    wrong = {one: ours(one) & above for one in of(folder)}
    assert {one: parts for one, parts in wrong.items() if parts} == {}


def test_only_the_wiring_knows_all_and_only_the_command_line_knows_it() -> None:
    knowing = {part(module) for module in modules() if "wiring" in ours(module)}
    assert knowing == {"cli", "commands", "runner"}
    assert {part(module) for module in modules() if "runner" in ours(module)} == {"cli", "commands"}
    assert [one for one in modules() if "cli" in ours(one)] == ["__main__"]
    assert {part(one) for one in modules() if "aws" in ours(one)} == {"aws", "wiring"}


def test_each_library_is_imported_in_its_place_only() -> None:
    standard = set(sys.stdlib_module_names) | {"ecs_pipeline"}
    for module, imported in modules().items():
        for library in {part(one) for one in imported} - standard:
            assert part(module) in LIBRARIES.get(library, set()), f"{module} imports {library}"


def test_no_module_leads_back_to_itself() -> None:
    inside = {
        one: {name.removeprefix("ecs_pipeline.") for name in modules()[one]} & set(modules()) for one in modules()
    }
    assert sum(map(len, inside.values())) > len(CORE)
    TopologicalSorter(inside).prepare()  # raises CycleError
