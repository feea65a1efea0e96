"""A config that is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ecs_pipeline.config.load import load
from ecs_pipeline.config.settings import Settings
from ecs_pipeline.errors import InvalidInput
from tests.unit.config.mistakes import Tell


@pytest.fixture(autouse=True, scope="session")
def _one_schema() -> Iterator[None]:
    """The schema, which names the keys near an unknown one, is made once: making it takes longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Settings, "model_json_schema", cache(Settings.model_json_schema))
        yield


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Read a config that is wrong: what is said of it, the first line first."""
    monkeypatch.chdir(tmp_path)

    def telling(text: str | bytes, environment: str = "", **flags: str) -> list[str]:
        Path("c.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InvalidInput) as caught:
            load("c.yml", environment, flags)
        assert caught.value.exit_code == 2
        return [str(caught.value), *caught.value.evidence]

    return telling
