"""What builds read and ask, for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.docker.fake_engine import FakeEngine
from tests.unit.http_stub import http_stub


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build context, and nothing but a script called `docker` on the path."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeEngine]:
    """The engine that DOCKER_HOST leads to; no `docker` command, nothing of this machine's settings."""
    made = FakeEngine()
    monkeypatch.setenv("PATH", "/usr/bin/nowhere")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    with http_stub(made.answer) as made.http:
        monkeypatch.setenv("DOCKER_HOST", made.http.url.replace("http", "tcp"))
        yield made


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder to build."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder
