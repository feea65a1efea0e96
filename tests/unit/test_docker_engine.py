"""Building with buildx and pushing: what the `docker` command and the engine are told, and what they say.

Debian 12 has no buildx package, so a script stands in for it; the engine's own builder is used for real by the
tests on the embedded AWS.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest
import requests

from ecs_pipeline.errors import Interrupted, InvalidInput, Trouble
from ecs_pipeline.images.build import Build, Secret
from ecs_pipeline.images.buildx import has_buildx
from ecs_pipeline.images.docker_engine import PUSH_ATTEMPTS, DockerEngine, follow_push
from ecs_pipeline.timing.retry import Transient
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import NO_ANSWER, Answer, Request, http_stub

SCRIPT = """#!/bin/sh
if [ "$2" = version ]; then exit {version}; fi
printf '%s\\n' "$@" > "{folder}/arguments"
env > "{folder}/environment"
pwd > "{folder}/place"
cat "$4" > "{folder}/definition"
{builds}
"""
LOGIN = ("AWS", "s3cret")
ARGUMENTS = {"TOKEN": "hunter2"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build context, and nothing but a script called `docker` on the path."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def stand_in(folder: Path, builds: str = "exit 0", version: int = 0) -> None:
    script = folder / "bin" / "docker"
    script.write_text(SCRIPT.format(version=version, folder=folder, builds=builds))
    script.chmod(0o755)


def build(folder: Path, clock: RecordingClock | None = None, **members: Any) -> list[str]:
    """Build; what was told."""
    told: list[str] = []
    wanted = {"context": folder / "app", "dockerfile": "Dockerfile", "arguments": {}, "platform": "", "tag": "r/web:v1"}
    DockerEngine(clock or RecordingClock()).build(Build(**{**wanted, **members}), told.append)
    return told


def given(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment that the command was called with."""
    pairs = (line.partition("=") for line in (folder / "environment").read_text().splitlines())
    return (folder / "arguments").read_text().splitlines(), {key: value for key, _, value in pairs}


def defined(folder: Path) -> dict[str, Any]:
    """The target that the command was told to build."""
    target: dict[str, Any] = json.loads((folder / "definition").read_text())["target"]["default"]
    return target


def test_the_command_builds_and_loads_the_image_under_its_tag(folder: Path) -> None:
    stand_in(folder)
    assert build(folder, platform="linux/arm64") == ["building with docker buildx"]
    context = str(folder / "app")
    arguments, _ = given(folder)
    assert [*arguments[:3], *arguments[4:]] == [
        "buildx", "bake", "--file", "--load", "--provenance=false", "--progress=plain",
    ]  # fmt: skip
    assert arguments[3].endswith(".json")
    assert defined(folder) == {
        "context": context,
        "dockerfile": f"{context}/Dockerfile",
        "tags": ["r/web:v1"],
        "args": {},
        "labels": {},
        "platforms": ["linux/arm64"],
    }


def test_stage_secrets_and_caches_are_in_the_definition_and_no_secret_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker reads a secret itself, from the file or from its environment: only BuildKit's form names it."""
    monkeypatch.setenv("NPM_TOKEN", "npm-s3cret")
    monkeypatch.setenv("ECS_PIPELINE_TOKEN", "own-s3cret")
    (folder / "odd, name").write_text("file-s3cret\n")
    stand_in(folder, "cat /dev/null")
    build(
        folder,
        arguments={"NPM_TOKEN": None},
        target="runtime",
        secrets={
            "npm": Secret(variable="NPM_TOKEN"),
            "own": Secret(variable="ECS_PIPELINE_TOKEN"),
            "rc": Secret(file=folder / "odd, name"),
        },
        cache_from=["type=registry,ref=r/web:${x}"],
        cache_to=["type=inline"],
    )
    target = defined(folder)
    assert {key: target[key] for key in ("target", "secret", "cache-from", "cache-to")} == {
        "target": "runtime",
        "secret": [
            "type=env,id=npm,env=NPM_TOKEN",
            "type=env,id=own,env=ECS_PIPELINE_TOKEN",
            f'type=file,id=rc,"src={folder}/odd, name"',
        ],
        "cache-from": ["type=registry,ref=r/web:$${x}"],
        "cache-to": ["type=inline"],
    }
    arguments, environment = given(folder)
    assert (environment["NPM_TOKEN"], environment["ECS_PIPELINE_TOKEN"]) == ("npm-s3cret", "own-s3cret")
    assert "s3cret" not in " ".join(arguments)
    assert "s3cret" not in json.dumps({**target, "args": {}})


def test_a_secret_that_the_build_prints_is_hidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_TOKEN", "npm-s3cret")
    (folder / "rc").write_text("{\n//registry:_authToken=file-s3cret\n}\n")
    (folder / "pin").write_text("4711\n")
    stand_in(folder, "echo '{ npm-s3cret //registry:_authToken=file-s3cret 4711 }'; exit 3")
    secrets = {
        "npm": Secret(variable="NPM_TOKEN"),
        "rc": Secret(file=folder / "rc"),
        "pin": Secret(file=folder / "pin"),
    }
    with pytest.raises(Trouble) as caught:
        build(folder, secrets=secrets)
    assert caught.value.evidence == ("{ *** *** *** }",)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (Secret(variable="NOT_THERE"), "NOT_THERE is not set; set it in the job's environment"),
        (Secret(file=Path("/nowhere/rc")), "there is no file /nowhere/rc; the path is relative to the config file"),
    ],
)
def test_a_secret_that_is_not_there_is_told_before_anything_is_built(folder: Path, secret: Secret, why: str) -> None:
    stand_in(folder)
    with pytest.raises(InvalidInput) as caught:
        build(folder, secrets={"npm": secret})
    assert str(caught.value) == f"image.secrets.npm: {why}"
    assert not (folder / "arguments").exists()


def test_nothing_of_the_workspace_tells_docker_what_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From where it is started bake reads `.env`, and asks for leave to read what is not below that."""
    stand_in(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DOCKER_CONFIG", "settings")
    build(folder)
    assert (folder / "place").read_text() == "/\n"
    arguments, environment = given(folder)
    assert (environment["BUILDX_BAKE_ENTITLEMENTS_FS"], environment["DOCKER_CONFIG"]) == ("0", f"{folder}/settings")
    assert not Path(arguments[3]).parent.exists()


def test_values_of_build_arguments_are_neither_in_the_argument_list_nor_in_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "outside-value")
    stand_in(folder)
    build(folder, arguments={"TOKEN": "hunter2", "FROM_OUTSIDE": None})
    assert defined(folder)["args"] == {"TOKEN": "hunter2", "FROM_OUTSIDE": "outside-value"}
    arguments, environment = given(folder)
    said = " ".join([*arguments, *environment, *environment.values()])
    assert "hunter2" not in said
    assert "outside-value" not in said


def test_build_arguments_do_not_change_docker_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were docker's own environment: `PATH: ./bin` ran a program of the workspace, DOCKER_HOST led elsewhere."""
    hostile = {"PATH": "./bin", "LD_PRELOAD": "/evil.so", "DOCKER_HOST": "tcp://evil:1", "AWS_PROFILE": "evil"}
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    stand_in(folder)
    build(folder, arguments=hostile)
    assert defined(folder)["args"] == hostile
    environment = given(folder)[1]
    assert environment["DOCKER_HOST"] == "tcp://127.0.0.1:1"
    assert environment["PATH"] == f"{folder / 'bin'}:/usr/bin:/bin"
    assert not {"LD_PRELOAD", "AWS_PROFILE"} & set(environment)


def test_variables_that_docker_needs_itself_stay_where_they_are_arguments_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    stand_in(folder)
    build(folder, arguments={"HTTPS_PROXY": None})
    assert (defined(folder)["args"]["HTTPS_PROXY"], given(folder)[1]["HTTPS_PROXY"]) == (2 * ("http://proxy:3128",))


def test_values_are_no_templates_of_bake(folder: Path) -> None:
    stand_in(folder)
    build(folder, arguments={"A": "${HOME} %{if} $$ $x {}", "B": "$${x} $", "C": 'line\n"quoted" \\'})
    assert defined(folder)["args"] == {
        "A": "$${HOME} %%{if} $$ $x {}",
        "B": "$$${x} $",
        "C": 'line\n"quoted" \\',
    }


def test_a_docker_of_the_workspace_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", "bin:./bin:.")
    assert not has_buildx()


def test_labels_are_given_to_the_command(folder: Path) -> None:
    stand_in(folder)
    labels = {"ecs-pipeline.service": "prd/web", "org.opencontainers.image.revision": "ab12cd3"}
    build(folder, labels=labels)
    assert defined(folder)["labels"] == labels


def test_an_argument_without_a_value_anywhere_leaves_the_dockerfiles_default(folder: Path) -> None:
    stand_in(folder)
    build(folder, arguments={"NOWHERE_TO_BE_FOUND": None})
    assert defined(folder)["args"] == {}


def test_the_builders_lines_are_told_as_they_come_without_noise(folder: Path) -> None:
    stand_in(folder, "echo '#1 FROM scratch'; echo; echo ' ---> 0123'; echo '#2 COPY' >&2")
    assert build(folder)[1:] == ["#1 FROM scratch", "#2 COPY"]


@pytest.mark.parametrize(
    ("value", "printed", "told"),
    [
        ("hunter2", "the token is hunter2.", "the token is ***."),
        ("prd", "prd: stage prd-1, approdprd, prd", "***: stage ***-1, approdprd, ***"),
        ("1", "#1 [1/12] v1.10", "#*** [***/12] v1.10"),
        ("-----BEGIN KEY-----\nMIIBOgIBAAJBAK\nab\n", "x MIIBOgIBAAJBAK y", "x *** y"),
        ("-----BEGIN KEY-----\nMIIBOgIBAAJBAK\nab\n", "-----BEGIN KEY----- ab abc", "*** *** abc"),
        ("a.c", "abc a.c", "abc ***"),
    ],
)
def test_a_value_from_the_environment_is_not_told_when_the_dockerfile_prints_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, value: str, printed: str, told: str
) -> None:
    monkeypatch.setenv("TOKEN", value)
    (folder / "printed").write_text(printed)
    stand_in(folder, f"cat {folder}/printed; exit 1")
    with pytest.raises(Trouble) as caught:
        build(folder, arguments={"TOKEN": None})
    assert caught.value.evidence == (told,)


def test_a_value_that_begins_like_another_leaves_nothing_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT", "hunter2")
    monkeypatch.setenv("LONG", "hunter2-and-more")
    stand_in(folder, "echo hunter2-and-more hunter2")
    assert build(folder, arguments={"SHORT": None, "LONG": None})[-1] == "*** ***"


def test_a_builders_line_without_an_end_is_cut(folder: Path) -> None:
    stand_in(folder, "head -c 300000 /dev/zero | tr '\\0' x; printf '\\377\\n'")
    told = build(folder)[1:]
    assert all(len(line) < 5_000 for line in told)
    assert sum(line.count("x") for line in told) > 4_000


def test_what_the_engine_refuses_is_told_without_the_build_arguments(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in the URL of the request, which docker's own errors repeat."""

    def refuse(request: Request) -> Answer:
        if "/build" in request.path:
            return Answer(400, b'{"message": "the Dockerfile cannot be empty"}', {"Content-Type": "application/json"})
        return Answer(200, b'{"ApiVersion": "1.41"}', {"Content-Type": "application/json"})

    with http_stub(refuse) as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.url.replace("http", "tcp"))
        with pytest.raises(Trouble) as caught:
            build(folder, arguments=ARGUMENTS)
    assert any("hunter2" in one.path for one in engine.requests)
    assert str(caught.value) == "Docker: the Dockerfile cannot be empty; correct the build"
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_an_engine_that_goes_away_is_told_without_the_build_arguments(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(request: Request) -> Answer:
        version = Answer(200, b'{"ApiVersion": "1.41"}', {"Content-Type": "application/json"})
        return NO_ANSWER if "/build" in request.path else version

    with http_stub(die) as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.url.replace("http", "tcp"))
        with pytest.raises(Trouble, match=r"^no Docker engine answers: ") as caught:
            build(folder, arguments=ARGUMENTS)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_build_that_fails_is_told_with_its_last_lines(folder: Path) -> None:
    stand_in(folder, 'i=0; while [ $i -lt 40 ]; do echo "line $i"; i=$((i+1)); done; exit 17')
    with pytest.raises(Trouble, match=r"^the image could not be built: docker buildx exited 17; ") as caught:
        build(folder)
    assert caught.value.evidence == tuple(f"line {number}" for number in range(10, 40))


@pytest.mark.parametrize("builds", ["exec sleep 60", "trap '' TERM; sleep 60", "sleep 60 & wait"])
def test_an_interruption_ends_the_builder(folder: Path, builds: str) -> None:
    class InterruptedClock(RecordingClock):
        def check(self) -> None:
            raise Interrupted(15)

    stand_in(folder, f"echo begun; {builds}")
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        build(folder, InterruptedClock())
    assert time.monotonic() - begun < 10


def test_a_missing_dockerfile_is_told_by_its_path(folder: Path) -> None:
    stand_in(folder)
    with pytest.raises(Trouble, match=f"^no Dockerfile {folder}/app/other; check image.context and image.dockerfile"):
        build(folder, dockerfile="other")


@pytest.mark.parametrize(("version", "found"), [(0, True), (1, False), (125, False)])
def test_buildx_is_used_where_it_answers(folder: Path, version: int, *, found: bool) -> None:
    stand_in(folder, version=version)
    assert has_buildx() is found


def test_buildx_is_not_used_without_a_docker_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not has_buildx()


def test_without_buildx_and_without_an_engine_the_cure_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(folder, version=1)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(Trouble, match=r"^no Docker engine answers: .*; start one, point DOCKER_HOST at one, or give"):
        build(folder)


# ---- the push


def followed(*events: Mapping[str, Any]) -> list[str]:
    told: list[str] = []
    follow_push(iter(events), told.append)
    return told


def test_each_layer_is_told_once_when_it_is_there() -> None:
    told = followed(
        {"status": "The push refers to repository [r/web]"},
        {"status": "Preparing", "id": "a1"},
        {"status": "Pushing", "id": "a1", "progressDetail": {"current": 1, "total": 2}},
        {"status": "Pushed", "id": "a1"},
        {"status": "Pushed", "id": "a1"},
        {"status": "Layer already exists", "id": "b2"},
        {"status": "v1: digest: sha256:1 size: 2"},
        {"progressDetail": {}, "aux": {"Tag": "v1"}},
    )
    assert told == ["layer a1: pushed, 1 done", "layer b2: layer already exists, 2 done"]


@pytest.mark.parametrize(
    "text",
    [
        "denied: requested access to the resource is denied",
        "unauthorized: authentication required",
        "name unknown: The repository with name 'web' does not exist: not found",
        "tag invalid: The image tag 'v1' already exists and cannot be overwritten because the tag is immutable.",
    ],
)
def test_an_error_that_another_push_does_not_overcome_is_final(text: str) -> None:
    with pytest.raises(Trouble, match=r"^push: .*; check the repository and the permissions of ECR's push") as caught:
        followed({"status": "Pushed", "id": "a1"}, {"error": text, "errorDetail": {"message": text}})
    assert text in str(caught.value)


@pytest.mark.parametrize("text", ["EOF", "received unexpected HTTP status: 503 Service Unavailable", "i/o timeout"])
def test_any_other_error_may_pass(text: str) -> None:
    with pytest.raises(Transient) as caught:
        followed({"error": text})
    assert str(caught.value.cause).startswith(f"push: {text}")


class Engine:
    """A Docker engine whose pushes end as told, one after another; the last way is repeated."""

    def __init__(self, *ends: Any) -> None:
        self.ends = list(ends)
        self.pushed: list[tuple[str, dict[str, Any]]] = []
        self.closed = 0
        self.images = self

    def push(self, repository: str, **options: Any) -> Iterator[Mapping[str, Any]]:
        self.pushed.append((repository, options))
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if isinstance(end, Exception):
            raise end
        return iter([end])

    def close(self) -> None:
        self.closed += 1


def push(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setattr(docker, "from_env", lambda **_: engine)
    DockerEngine(RecordingClock()).push("registry:5000/web:v1", LOGIN, lambda _line: None)


def test_the_password_goes_to_the_engine_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"status": "v1: digest"})
    push(monkeypatch, engine)
    ((repository, options),) = engine.pushed
    assert (repository, options["tag"]) == ("registry:5000/web", "v1")
    assert options["auth_config"] == {"username": "AWS", "password": "s3cret"}
    assert engine.closed == 1


def test_a_push_that_broke_off_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"error": "EOF"}, {"error": "EOF"}, {"status": "v1: digest"})
    push(monkeypatch, engine)
    assert (len(engine.pushed), engine.closed) == (3, 3)


def test_a_push_that_goes_on_breaking_off_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"error": "EOF"})
    with pytest.raises(Trouble, match=r"^push: EOF; "):
        push(monkeypatch, engine)
    assert len(engine.pushed) == PUSH_ATTEMPTS


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (docker.errors.APIError("server\nerror"), "Docker: server error"),
        (requests.ConnectionError("refused"), "no Docker engine answers: refused; start one"),
        (OSError("no such file"), "no Docker engine answers: no such file"),
    ],
)
def test_trouble_with_the_engine_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    with pytest.raises(Trouble, match=f"^{words}") as caught:
        push(monkeypatch, Engine(error))
    assert "s3cret" not in str(caught.value)
