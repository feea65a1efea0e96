"""Logins of an agent's Docker: none is in the way of a build that needs none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.images import docker_config, dockerfile
from ecs_pipeline.images.docker_config import Login, NoLogin
from ecs_pipeline.images.docker_engine import DockerEngine
from tests.unit.clocks import RecordingClock
from tests.unit.docker.fake_engine import SECRET, FakeEngine, build, configured, helper
from tests.unit.docker.pushes import LOGIN


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
