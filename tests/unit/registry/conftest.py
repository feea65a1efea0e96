"""A registry that every test of this folder may ask."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.http_stub import http_stub
from tests.unit.registry.fake_registry import BASIC, Registry


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry on loopback, with what `docker login` would have saved for it."""
    found = Registry()
    with http_stub(found.answer) as found.http:
        login = {"auths": {found.http.host: {"auth": BASIC.removeprefix("Basic ")}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        yield found
