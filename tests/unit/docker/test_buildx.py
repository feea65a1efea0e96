"""Building with buildx: what the `docker` command is told, and what it says.

Debian 12 has no buildx package, so a script stands in for it; the engine's own builder is used for real by the
tests on the embedded AWS.
"""

from __future__ import annotations

import json
import time
import traceback
from pathlib import Path

import pytest

from ecs_pipeline.errors import Interrupted, InvalidInput, Trouble
from ecs_pipeline.images.build import Secret
from ecs_pipeline.images.buildx import has_buildx
from tests.unit.clocks import RecordingClock
from tests.unit.docker.buildx import ARGUMENTS, build, defined, given, stand_in
from tests.unit.http_stub import NO_ANSWER, Answer, Request, http_stub


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


def test_a_docker_of_the_workspace_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", "bin:./bin:.")
    assert not has_buildx()


def test_the_builders_lines_are_told_as_they_come_without_noise(folder: Path) -> None:
    stand_in(folder, "echo '#1 FROM scratch'; echo; echo ' ---> 0123'; echo '#2 COPY' >&2")
    assert build(folder)[1:] == ["#1 FROM scratch", "#2 COPY"]


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
    assert any("hunter2" in request.path for request in engine.requests)
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
