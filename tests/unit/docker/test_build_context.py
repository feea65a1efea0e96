"""The folder that is built: its stage, its ignore file, what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.images.build import Build, Secret
from ecs_pipeline.images.build_context import ignored
from ecs_pipeline.images.docker_engine import DockerEngine
from tests.unit.clocks import RecordingClock
from tests.unit.docker.fake_engine import FakeEngine, build, helper, refusing


def test_the_engine_builds_the_stage_that_is_named(engine: FakeEngine, app: Path) -> None:
    wanted = Build(app, "Dockerfile", {}, "linux/amd64", "r/web:v1", {"team": "shop"}, target="runtime")
    DockerEngine(RecordingClock()).build(wanted, lambda _line: None)
    query = dict(parse_qsl(urlsplit(engine.built.path).query))
    assert (query["target"], query["labels"]) == ("runtime", '{"team": "shop"}')


@pytest.mark.parametrize(
    ("members", "keys"),
    [
        ({"secrets": {"token": Secret(variable="HOME")}}, "image.secrets needs"),
        ({"cache_from": ["type=registry,ref=r/web:cache"]}, "image.cache_from needs"),
        ({"cache_from": ["r/web"], "cache_to": ["type=inline"]}, "image.cache_from and image.cache_to need"),
    ],
)
def test_what_takes_buildkit_is_refused_where_there_is_no_buildx(
    engine: FakeEngine, app: Path, members: dict[str, Any], keys: str
) -> None:
    wanted = Build(app, "Dockerfile", {}, "linux/amd64", "r/web:v1", **members)
    with pytest.raises(InvalidInput, match=rf"^{keys} `docker buildx`, which is not on this machine; install Docker's"):
        DockerEngine(RecordingClock()).build(wanted, lambda _line: None)
    assert engine.http.requests == []


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_an_ignored_file_is_not_in_the_image_whatever_the_file_begins_with(
    engine: FakeEngine, app: Path, mark: bytes
) -> None:
    """A byte-order mark became a part of the first pattern, and the secret a part of the image."""
    (app / "secret.env").write_text("x")
    (app / "kept").write_text("x")
    (app / ".dockerignore").write_bytes(mark + b"secret.env\r\n# comment\r\n")
    build(app)
    assert engine.files == {"Dockerfile", "kept", ".dockerignore"}


@pytest.mark.parametrize("name", [".dockerignore", "Dockerfile.dockerignore"])
@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_an_ignore_file_in_another_encoding_is_bad_input(
    engine: FakeEngine, app: Path, name: str, encoding: str
) -> None:
    (app / name).write_bytes("sëcret\n".encode(encoding))
    with pytest.raises(InvalidInput) as caught:
        build(app)
    assert str(caught.value) == f"{app}/{name}: not UTF-8 text; save the file as UTF-8"
    assert engine.http.requests == []


def test_a_file_that_cannot_be_read_is_named_and_no_engine_is_blamed(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app / "key.pem").write_text("x")
    refusing(monkeypatch, "docker.utils.build.open", PermissionError(13, "Permission denied", f"{app}/key.pem"))
    with pytest.raises(InvalidInput) as caught:
        build(app)
    where = f"{app}/Dockerfile"  # the first that is read
    assert str(caught.value) == f"{where}: Permission denied; make it readable, or name it in .dockerignore"


def test_a_folder_that_cannot_be_read_is_named_too(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "docker.utils.build.os.listdir", PermissionError(13, "Permission denied", f"{app}/cache"))
    with pytest.raises(InvalidInput, match=f"^{app}/cache: Permission denied; make it readable"):
        build(app)


@pytest.mark.parametrize("builder", ["engine", "buildx"])
@pytest.mark.parametrize(
    "case",
    [
        ("key.pem", "", "key.pem"),
        ("cache", "*.log\n", "cache"),
        ("cache/a", "cache/b\n", "cache/a"),
        ("key.pem", "*.pem\n", None),
        ("cache/a", "cache\n", None),
        ("cache/a", "cache\n!cache/a\n", "cache/a"),
        ("Dockerfile", "*\n", "Dockerfile"),
    ],
)
def test_what_this_user_may_not_read_is_found_before_it_is_sent_empty(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch, builder: str, case: tuple[str, str, str | None]
) -> None:
    """BuildKit's client sends a file that it cannot read as an empty one."""
    closed, ignored, named = case
    (app / "cache").mkdir()
    for name in ("key.pem", "cache/a", "cache/b"):
        (app / name).write_text("x")
    (app / ".dockerignore").write_text(ignored)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != app / closed and real(path, mode))
    if builder == "buildx":
        helper(app.parent, monkeypatch, "", "cat >/dev/null; exit 0")
        (app.parent / "helpers" / "docker-credential-").rename(app.parent / "helpers" / "docker")
    if named is None:
        build(app)
        return
    with pytest.raises(InvalidInput) as caught:
        build(app)
    assert str(caught.value) == f"{app}/{named}: Permission denied; make it readable, or name it in .dockerignore"


def test_no_room_to_pack_it_is_no_mistake_of_the_files(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "docker.utils.build.open", OSError(28, "No space left on device"))
    with pytest.raises(Trouble, match=r"^the build context cannot be packed: No space left on device; make room"):
        build(app)


def test_a_dockerfile_beside_the_context_goes_along(engine: FakeEngine, app: Path) -> None:
    (app.parent / "other.Dockerfile").write_text("FROM scratch\n")
    build(app, "../other.Dockerfile")
    assert [name for name in engine.files if name.startswith(".dockerfile.")]


def test_an_ignore_file_that_is_a_pipe_holds_no_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "PIPE_WITHIN", 0.1)
    os.mkfifo(tmp_path / ".dockerignore")
    held = os.open(tmp_path / ".dockerignore", os.O_RDWR)
    try:
        with pytest.raises(InvalidInput, match=r"\.dockerignore: nothing came of it within 0\.1s"):
            ignored(tmp_path, "Dockerfile")
    finally:
        os.close(held)


def test_a_dockerfile_that_is_a_link_out_of_the_context_is_told(engine: FakeEngine, app: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("FROM scratch\n")
    (app / "Linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match=r"Linked: a link out of"):
        DockerEngine(RecordingClock()).build(Build(app, "Linked", {}, "linux/amd64", "r/web:v2"), lambda _line: None)
    assert engine.http.requests == []
