"""The digest of an image, asked of a registry over real HTTP: its ways to want credentials and to say no."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.images.references import parse
from ecs_pipeline.images.registry import digest_of
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import NO_ANSWER, Answer, http_stub
from tests.unit.registry.fake_registry import BASIC, DIGEST, FOUND, Registry, bearer


def test_the_digest_is_asked_without_fetching_the_manifest(registry: Registry) -> None:
    assert registry.digest() == DIGEST
    (asked,) = registry.http.requests
    assert (asked.method, asked.path) == ("HEAD", "/v2/team/web/manifests/v1")
    for kind in ("image.index.v1", "manifest.list.v2", "image.manifest.v1", "distribution.manifest.v2"):
        assert kind in asked.headers["accept"]
    assert "authorization" not in asked.headers


def test_a_token_is_fetched_with_the_login_where_the_registry_wants_one(registry: Registry) -> None:
    registry.handle = bearer(f"{registry.http.url}/token")
    assert registry.digest() == DIGEST
    assert [request.path.partition("?")[0] for request in registry.http.requests] == [
        "/v2/team/web/manifests/v1",
        "/token",
        "/v2/team/web/manifests/v1",
    ]
    assert registry.http.requests[1].path.endswith("?service=registry&scope=repository%3Ateam%2Fweb%3Apull")
    assert "manifest" in registry.http.requests[2].headers["accept"]


def test_an_older_kind_of_token_answer_is_taken_too(registry: Registry) -> None:
    inner = bearer(f"{registry.http.url}/token")
    registry.handle = lambda request: (
        Answer(200, b'{"access_token": "of-an-hour"}') if request.path.startswith("/token") else inner(request)
    )
    assert registry.digest() == DIGEST


def test_the_login_is_sent_where_the_registry_wants_it(registry: Registry) -> None:
    challenge = Answer(401, b"", {"WWW-Authenticate": 'Basic realm="registry"'})
    registry.handle = lambda request: FOUND if request.headers.get("authorization") == BASIC else challenge
    assert registry.digest() == DIGEST
    assert len(registry.http.requests) == 2


@pytest.mark.parametrize("config", ["", "{", '{"auths": {}}', '{"credsStore": "there-is-none"}'])
def test_without_a_login_the_registry_is_asked_without_one(registry: Registry, tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    registry.handle = bearer(f"{registry.http.url}/token")
    assert "the registry wants credentials" in registry.refused()
    assert "authorization" not in registry.http.requests[1].headers


@pytest.mark.parametrize(
    "realm", ["http://registry.example.com/token", "http://localhost.example.com/token", "http://localhost@evil/", ""]
)
def test_the_login_is_not_sent_in_the_clear(registry: Registry, realm: str) -> None:
    registry.handle = bearer(realm)
    assert "the registry wants credentials" in registry.refused()
    assert len(registry.http.requests) == 1


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (401, "the registry wants credentials"),
        (403, "the registry forbids it"),
        (404, "no such image"),
        (400, "the registry answered 400"),
    ],
)
def test_a_refusal_names_image_reason_and_cure(registry: Registry, status: int, why: str) -> None:
    registry.handle = lambda _request: Answer(status)
    name = f"{registry.http.host}/team/web:v1"
    assert registry.refused() == f"image {name}: {why}; check --image, or give it by digest (…@sha256:…)"


def test_an_index_of_several_platforms_is_taken_as_it_is(registry: Registry) -> None:
    """ECS takes from it what its tasks run on."""
    index = {"Docker-Content-Digest": DIGEST, "Content-Type": "application/vnd.oci.image.index.v1+json"}
    registry.handle = lambda request: (
        Answer(200, b"", index) if "index.v1" in request.headers["accept"] else Answer(404)
    )
    assert registry.digest() == DIGEST


def test_where_the_registry_does_not_tell_the_digest_it_is_that_of_the_manifest(registry: Registry) -> None:
    manifest = b'{"schemaVersion": 2}'
    registry.handle = lambda _request: Answer(200, manifest)
    assert registry.digest() == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert [request.method for request in registry.http.requests] == ["HEAD", "GET"]


def test_a_registry_may_send_a_request_on_but_never_the_login(registry: Registry) -> None:
    with http_stub(lambda _request: FOUND) as elsewhere:
        there = elsewhere.url.replace("127.0.0.1", "localhost")
        challenge = Answer(401, b"", {"WWW-Authenticate": 'Basic realm="registry"'})
        moved = Answer(307, b"", {"Location": f"{there}/v2/team/web/manifests/v1"})
        registry.handle = lambda request: moved if request.headers.get("authorization") else challenge
        assert registry.digest() == DIGEST
    assert "authorization" not in elsewhere.requests[0].headers


def test_a_host_that_there_is_not_is_bad_input() -> None:
    with pytest.raises(InvalidInput, match=r"image host\.invalid/web: there is no host host\.invalid; check --image"):
        digest_of(parse("host.invalid/web:1"), RecordingClock())


@pytest.mark.parametrize("answer", [Answer(500), Answer(503), Answer(429), NO_ANSWER])
def test_trouble_of_the_registry_is_tried_again(registry: Registry, answer: Answer) -> None:
    registry.handle = lambda _request: answer if len(registry.http.requests) < 3 else FOUND
    clock = RecordingClock()
    assert registry.digest(clock) == DIGEST
    assert len(clock.pauses) == 2


@pytest.mark.parametrize(
    ("answer", "why"), [(Answer(502), "HTTP 502"), (NO_ANSWER, "no connection: Remote end closed")]
)
def test_trouble_that_stays_names_the_registry(registry: Registry, answer: Answer, why: str) -> None:
    registry.handle = lambda _request: answer
    with pytest.raises(Trouble, match=f"^registry {registry.http.host}: .*{why}.*; check the network"):
        registry.digest()
    assert len(registry.http.requests) == 4
