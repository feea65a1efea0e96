"""docs/ecs-pipeline.schema.json is the schema of the settings, and takes the configs that the documentation shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cfnlint.jsonschema import StandardValidator
from ruamel.yaml import YAML

from ecs_pipeline.config.schema import config_schema

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "ecs-pipeline.schema.json"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def mistakes(config: Any) -> list[str]:
    """What the schema finds wrong with a config."""
    return [error.message for error in StandardValidator(config_schema()).iter_errors(config)]


def test_the_published_schema_is_that_of_the_settings() -> None:
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert published == config_schema(), "ecs-pipeline config --schema > docs/ecs-pipeline.schema.json"


def test_the_config_of_the_readme_is_valid() -> None:
    [text] = [block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "environments:" in block]
    assert mistakes(YAML(typ="safe").load(text)) == []


CHECK = {"http": {"path": "/health", "p95": "300ms", "status": "2xx"}, "interval": "5s"}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"canary": {"checks": [CHECK, {"logs": {"filter": "ERROR", "at_most": 0}}]}},
        {"image": {"build_args": {"VERSION": 1.10, "DEBUG": True, "TOKEN": None}}},
        {"environments": {"stg": {"canary": {"bake": "0s"}}, "dev": None}},
        {"canary": {"tasks": "${env:TASKS:-1}", "bake": "${ssm:/bake}", "baseline": "${env:BASELINE}"}},
        {"image": {"registry": "${env:TOOLS_ACCOUNT}/eu-west-1"}},
        {"promote": {"stable_within": "auto"}, "rollback": {"drain": "30s"}},
    ],
)
def test_what_a_file_may_say_is_valid(config: dict[str, Any]) -> None:
    assert mistakes(config) == []


@pytest.mark.parametrize(
    "config",
    [
        {"canery": {}},
        {"canary": {"bake": "5 minutes"}},
        {"canary": {"checks": [{"http": {"p42": "1s"}}]}},
        {"canary": {"checks": [{"http": {"percentiles": {"95": "1s"}}}]}},
        {"environments": {"stg": {"canary": {"tasks": "two"}}}},
        {"environments": {"stg": {"environments": {}}}},
    ],
)
def test_what_a_file_may_not_say_is_a_mistake(config: dict[str, Any]) -> None:
    assert mistakes(config)


def test_defaults_are_written_as_a_file_has_them() -> None:
    canary = config_schema()["$defs"]["CanarySettings"]["properties"]
    assert canary["bake"]["default"] == "5m"
    assert "default" not in canary["percent"]
