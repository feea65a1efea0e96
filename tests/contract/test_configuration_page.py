"""docs/configuration.md names every key that a config may have, with its default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.config.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def _keys(schema: dict[str, Any], node: dict[str, Any]) -> list[str]:
    found = []
    for key, value in node.get("properties", {}).items():
        found.append(key)
        reference = value.get("$ref")
        if reference:
            found += _keys(schema, schema["$defs"][reference.rpartition("/")[2]])
    return found


@pytest.mark.parametrize("key", sorted(set(_keys(Settings.model_json_schema(), Settings.model_json_schema()))))
def test_every_key_of_a_config_is_explained(key: str) -> None:
    assert f"`{key}`" in PAGE or f".{key}`" in PAGE, f"docs/configuration.md does not explain {key}"
