"""What an agent's Docker brings along: settings, contexts and logins, the folder that is built, a strange engine."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import tarfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import docker
import pytest
import requests
import urllib3

from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput, PipelineError, Trouble
from ecs_pipeline.images import docker_config, dockerfile
from ecs_pipeline.images.build import Build, Secret
from ecs_pipeline.images.build_context import ignored
from ecs_pipeline.images.docker_config import Login, NoLogin
from ecs_pipeline.images.docker_engine import PUSH_ATTEMPTS, DockerEngine
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer, HttpStub, Request, http_stub
from tests.unit.test_docker_engine import LOGIN, Engine, push

JSON = {"Content-Type": "application/json"}
BUILT = b'{"stream": "Successfully built 0123\\n"}\n'
SECRET = base64.b64encode(b"ann:hunter2").decode()


class FakeEngine:
    """An engine on loopback that builds and pushes whatever it is given."""

    def __init__(self) -> None:
        self.http = HttpStub("")
        self.said = BUILT

    def answer(self, request: Request) -> Answer:
        """As the engine's API does."""
        if "/build" in request.path or "/push" in request.path:
            return Answer(200, self.said, JSON)
        return Answer(200, b'{"ApiVersion": "1.41"}', JSON)

    @property
    def built(self) -> Request:
        """The request to build."""
        (found,) = [one for one in self.http.requests if "/build" in one.path]
        return found

    @property
    def files(self) -> set[str]:
        """What the build was given."""
        with tarfile.open(fileobj=io.BytesIO(self.built.body)) as packed:
            return set(packed.getnames())

    @property
    def logins(self) -> dict[str, Any]:
        """The logins that the build was given."""
        header = self.built.headers.get("x-registry-config", "e30=")
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header))
        return {key: value for key, value in found.items() if value}


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


def configured(tmp_path: Path, text: str) -> None:
    (tmp_path / "home" / ".docker").mkdir(parents=True, exist_ok=True)
    (tmp_path / "home" / ".docker" / "config.json").write_text(text)


def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    folder = tmp_path / "helpers"
    folder.mkdir(exist_ok=True)
    (folder / f"docker-credential-{name}").write_text(f"#!/bin/sh\n{script}\n")
    (folder / f"docker-credential-{name}").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


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


def build(app: Path, dockerfile_name: str = "Dockerfile", **arguments: str) -> list[str]:
    told: list[str] = []
    wanted = Build(app, dockerfile_name, arguments, "linux/amd64", "r/web:v1")
    DockerEngine(RecordingClock()).build(wanted, told.append)
    return told


# ---- the folder that is built


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


def refusing(monkeypatch: pytest.MonkeyPatch, place: str, error: OSError) -> None:
    """Root may read everything: what an ordinary user is told when a file may not be read."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(place, refuse, raising=False)


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


# ---- logins: none of the agent's is in the way of a build that needs none


@pytest.mark.parametrize(
    "config",
    [
        '{"credsStore": "desktop"}',
        '{"credHelpers": {"gcr.io": "gcloud"}}',
        '{"auths": {"ghcr.io": {"auth": "no base64 pair"}}}',
        '{"auths": {"ghcr.io": "text"}}',
        '{"auths": ["ghcr.io"], "credHelpers": "x"}',
        "[]",
        "{",
        '{"auths": {"ghcr.io": {"auth": 5}}, "credsStore": 7}',
        "[" * 100_000,
    ],
)
def test_a_login_that_is_not_needed_is_in_nobodys_way(
    engine: FakeEngine, app: Path, tmp_path: Path, config: str
) -> None:
    configured(tmp_path, config)
    assert build(app) == ["building with the engine's builder", "Successfully built 0123"]
    assert engine.logins == {}
    DockerEngine(RecordingClock()).push("registry:5000/web:v1", LOGIN, lambda _line: None)


def test_the_registry_of_a_base_image_gets_its_login_and_no_other_one_is_asked_for(
    engine: FakeEngine, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stages = "ARG R=quay.io\nFROM ${R}/base:1 AS base\nFROM base\nCOPY --from=ghcr.io/a/b:1 x y\n"
    (app / "Dockerfile").write_text(stages)
    answer = '{"Username": "u", "Secret": "s"}'
    helper(tmp_path, monkeypatch, "store", f"cat >> {tmp_path}/asked; echo '{answer}'")
    configured(
        tmp_path,
        json.dumps(
            {
                "auths": {"https://ghcr.io/v1/": {"auth": SECRET}, "gcr.io": {"auth": SECRET}},
                "credHelpers": {"registry.example.com": "store", "public.ecr.aws": "store"},
            }
        ),
    )
    build(app, R="registry.example.com")
    assert engine.logins == {
        "registry.example.com": {"username": "u", "password": "s", "serveraddress": "registry.example.com"},
        "ghcr.io": {"username": "ann", "password": "hunter2", "serveraddress": "ghcr.io"},
    }
    assert (tmp_path / "asked").read_text() == "registry.example.com"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"credsStore": "desktop"}, "docker-credential-desktop, which docker's config.json names for ghcr.io, is not"),
        ({"credHelpers": {"ghcr.io": "../evil"}}, "docker-credential-../evil, which docker's config.json names for"),
        ({"auths": {"ghcr.io": {"auth": "no pair"}}}, "docker's login for ghcr.io is not base64 of USER:PASSWORD"),
        ({"auths": {"ghcr.io": []}}, "docker's login for ghcr.io is not an object"),
    ],
)
def test_a_login_that_is_needed_and_cannot_be_had_is_one_line_and_the_build_goes_on(
    engine: FakeEngine, app: Path, tmp_path: Path, config: Any, why: str
) -> None:
    (app / "Dockerfile").write_text("FROM ghcr.io/a/b\n")
    configured(tmp_path, json.dumps(config))
    told = build(app)
    assert told[1].startswith(why)
    assert told[1].endswith(": images of ghcr.io are asked for without a login")
    assert told[2] == "Successfully built 0123"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('echo \'{"Username": "u", "Secret": "s"}\'', Login("u", "s")),
        ('echo \'{"Username": "<token>", "Secret": "s"}\'', Login(identity_token="s")),
        ("echo 'credentials not found in native keychain'; exit 1", None),
        ('echo \'{"Username": "", "Secret": ""}\'', None),
        ("echo '[1]'", None),
    ],
)
def test_a_helper_is_asked_as_docker_asks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: Login | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    helper(tmp_path, monkeypatch, "x", f'test "$1" = get && test "$(cat)" = {docker_config.HUB_KEY} && {script}')
    configured(tmp_path, '{"credsStore": "x"}')
    assert docker_config.login("docker.io") == found


@pytest.mark.parametrize("script", ["echo nonsense", "exec sleep 60", "printf '\\377'"])
def test_a_helper_that_gives_no_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(docker_config, "HELPER_WITHIN", 0.5)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    helper(tmp_path, monkeypatch, "x", script)
    configured(tmp_path, '{"credsStore": "x"}')
    with pytest.raises(NoLogin, match=r"^docker-credential-x (gave no answer within 0.5s|does not answer as)"):
        docker_config.login("ghcr.io")


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "index.docker.io", "docker.io"])
def test_docker_hub_is_found_under_each_of_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "home" / ".docker"))
    configured(tmp_path, json.dumps({"auths": {key: {"auth": SECRET}}}))
    assert docker_config.login("docker.io") == Login("ann", "hunter2")
    assert docker_config.login("ghcr.io") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM alpine", ["docker.io"]),
        ("from --platform=$BUILDPLATFORM ghcr.io/a/b:1 as one\nFROM one\nCOPY --from=one a b", ["ghcr.io"]),
        ("FROM scratch\nCOPY --from=0 a b", []),
        ("ARG TAG=1\nARG R\nFROM ${R:-quay.io}/x:${TAG}", ["quay.io"]),
        ("ARG R=quay.io\nFROM $R/x \\\n  AS y", ["quay.io"]),
        ("FROM ${UNKNOWN}/x\nFROM \nFROM", []),
        ("# FROM ghcr.io/a/b\nRUN echo FROM ghcr.io/a/b", []),
    ],
)
def test_the_registries_of_a_dockerfile_are_told_as_far_as_they_can_be(text: str, found: list[str]) -> None:
    assert dockerfile.registries(text, {}) == found


# ---- contexts


def context(tmp_path: Path, name: str, meta: str) -> None:
    from docker.context.config import get_context_id

    folder = tmp_path / "home" / ".docker" / "contexts" / "meta" / get_context_id(name)
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(meta)


def named(host: str) -> str:
    endpoint = {"Host": host, "SkipTLSVerify": False}
    return json.dumps({"Name": "other", "Metadata": {}, "Endpoints": {"docker": endpoint}})


@pytest.mark.parametrize("by", ["variable", "use"])
def test_the_engine_of_the_context_in_use_builds(
    engine: FakeEngine, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    configured(tmp_path, '{"currentContext": "other"}' if by == "use" else '{"currentContext": "gone"}')
    if by == "variable":
        monkeypatch.setenv("DOCKER_CONTEXT", "other")
    context(tmp_path, "other", named(engine.http.url.replace("http", "tcp")))
    build(app)
    assert "Dockerfile" in engine.files


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        (None, "there is no Docker context other"),
        ("{", "Docker context other cannot be read: "),
        ('{"Name": "other"}', "Docker context other cannot be read: "),
        (named("ssh://root@host"), "Docker context other leads to an engine over ssh, which is not supported"),
    ],
)
def test_a_context_that_leads_nowhere_is_bad_input(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch, meta: str | None, why: str
) -> None:
    tmp_path = app.parent
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    configured(tmp_path, "{}")
    if meta is not None:
        context(tmp_path, "other", meta)
    for act in (
        lambda: build(app),
        lambda: DockerEngine(RecordingClock()).push("r:5000/web:v1", LOGIN, lambda _line: None),
    ):
        with pytest.raises(InvalidInput) as caught:
            act()
        assert str(caught.value).startswith(why)
    assert engine.http.requests == []


def test_an_engine_over_ssh_is_refused_in_a_line(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://root@host")
    with pytest.raises(InvalidInput, match=r"^DOCKER_HOST leads to an engine over ssh, .*; forward its socket"):
        build(app)


# ---- whatever docker-py raises


@pytest.mark.parametrize(
    "said",
    [b"\xff\xfe", b"[1]\n", b'"text"\n', b"<html>", b'{"stream": 5}\n', b'{"error": {"a": 1}}\n', b"{", b"null\n"],
)
def test_an_engine_that_says_something_else_is_an_error_of_ours(engine: FakeEngine, app: Path, said: bytes) -> None:
    engine.said = said
    try:
        build(app)
    except PipelineError as error:
        assert "\n" not in str(error)  # noqa: PT017 - no error is fine as well
    try:
        DockerEngine(RecordingClock()).push("registry:5000/web:v1", LOGIN, lambda _line: None)
    except PipelineError as error:
        assert "s3cret" not in "".join(traceback.format_exception(error))  # noqa: PT017


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        KeyError("message"),
        TypeError("bytes"),
        RuntimeError("stream"),
        AttributeError("get"),
        docker.errors.StreamParseError("x"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    ],
)
def test_any_other_error_of_the_library_is_trouble(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with pytest.raises(Trouble, match=r"^Docker: its answer cannot be read: "):
        push(monkeypatch, Engine(error))


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("reset"),
        requests.exceptions.ChunkedEncodingError("cut"),
        requests.ReadTimeout("slow"),
        urllib3.exceptions.ProtocolError("broken"),
        urllib3.exceptions.ReadTimeoutError(None, "", "slow"),  # type: ignore[arg-type]
    ],
)
def test_a_push_whose_connection_ends_is_made_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    engine = Engine(error, {"status": "v1: digest"})
    push(monkeypatch, engine)
    assert len(engine.pushed) == 2
    engine = Engine(error)
    with pytest.raises(Trouble, match=r"^no Docker engine answers: "):
        push(monkeypatch, engine)
    assert len(engine.pushed) == PUSH_ATTEMPTS


def test_a_docker_that_cannot_be_started_is_trouble(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(app.parent, monkeypatch, "x", "cat >/dev/null; exit 0")
    (app.parent / "helpers" / "docker-credential-x").rename(app.parent / "helpers" / "docker")
    real = subprocess.Popen

    def refuse(command: Any, **settings: Any) -> Any:
        if "bake" in command:
            raise PermissionError(13, "Permission denied")
        return real(command, **settings)

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(Trouble, match=r"^docker cannot be started: Permission denied; see what"):
        build(app)


def test_a_client_that_cannot_be_made_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ValueError("no pair")

    monkeypatch.setattr(docker, "from_env", broken)
    with pytest.raises(Trouble, match=r"^no Docker engine answers: no pair"):
        DockerEngine(RecordingClock()).push("r:5000/web:v1", LOGIN, lambda _line: None)


def test_dockers_settings_are_where_they_were_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    push(monkeypatch, Engine({"status": "v1: digest"}))
    assert os.environ["DOCKER_CONFIG"] == str(tmp_path)
    monkeypatch.delenv("DOCKER_CONFIG")
    push(monkeypatch, Engine({"status": "v1: digest"}))
    assert "DOCKER_CONFIG" not in os.environ


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


def test_docker_settings_that_are_a_pipe_hold_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "PIPE_WITHIN", 0.1)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    os.mkfifo(tmp_path / "config.json")
    assert docker_config.read() == {}
