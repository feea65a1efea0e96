"""The digest of an image, asked of a registry over real HTTP: its ways to want credentials and to say no."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ecs_pipeline import bounded_http
from ecs_pipeline.bounded_http import Ask, Received
from ecs_pipeline.errors import InvalidInput, PipelineError, Trouble
from ecs_pipeline.images import registry as registries
from ecs_pipeline.images.references import parse
from ecs_pipeline.images.registry import CURE, MOST_BODY, digest_of
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import NO_ANSWER, Answer, HttpStub, Request, http_stub
from tests.unit.raw_server import DROPS, raw_server

DIGEST = "sha256:" + "0a" * 32
FOUND = Answer(200, b"", {"Docker-Content-Digest": DIGEST})
BASIC = "Basic " + base64.b64encode(b"ann:secret").decode()

Handle = Callable[[Request], Answer]


class Registry:
    """A registry whose answers a test sets."""

    def __init__(self) -> None:
        self.handle: Handle = lambda _request: FOUND
        self.http = HttpStub("")

    def answer(self, request: Request) -> Answer:
        """As the test wants it by now."""
        return self.handle(request)

    def digest(self, clock: RecordingClock | None = None) -> str:
        """Ask for web:v1."""
        return digest_of(parse(f"{self.http.host}/team/web:v1"), clock or RecordingClock())

    def refused(self) -> str:
        """What is said when it cannot be had."""
        with pytest.raises(InvalidInput) as caught:
            self.digest()
        assert caught.value.exit_code == 2
        return str(caught.value)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry on loopback, with what `docker login` would have saved for it."""
    found = Registry()
    with http_stub(found.answer) as found.http:
        login = {"auths": {found.http.host: {"auth": BASIC.removeprefix("Basic ")}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        yield found


def bearer(realm: str) -> Handle:
    """A registry that wants a token, and hands it out to who logs in."""

    def handle(request: Request) -> Answer:
        if request.path.startswith("/token"):
            good = request.headers.get("authorization") == BASIC
            return Answer(200, b'{"token": "of-an-hour"}') if good else Answer(401)
        if request.headers.get("authorization") == "Bearer of-an-hour":
            return FOUND
        challenge = f'Bearer realm="{realm}",service="registry",scope="repository:team/web:pull"'
        return Answer(401, b"", {"WWW-Authenticate": challenge})

    return handle


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
    assert [one.path.partition("?")[0] for one in registry.http.requests] == [
        "/v2/team/web/manifests/v1",
        "/token",
        "/v2/team/web/manifests/v1",
    ]
    assert registry.http.requests[1].path.endswith("?service=registry&scope=repository%3Ateam%2Fweb%3Apull")
    assert "manifest" in registry.http.requests[2].headers["accept"]


def test_an_older_kind_of_token_answer_is_taken_too(registry: Registry) -> None:
    inner = bearer(f"{registry.http.url}/token")
    registry.handle = lambda one: (
        Answer(200, b'{"access_token": "of-an-hour"}') if one.path.startswith("/token") else inner(one)
    )
    assert registry.digest() == DIGEST


def test_the_login_is_sent_where_the_registry_wants_it(registry: Registry) -> None:
    challenge = Answer(401, b"", {"WWW-Authenticate": 'Basic realm="registry"'})
    registry.handle = lambda one: FOUND if one.headers.get("authorization") == BASIC else challenge
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
    registry.handle = lambda one: Answer(200, b"", index) if "index.v1" in one.headers["accept"] else Answer(404)
    assert registry.digest() == DIGEST


def test_where_the_registry_does_not_tell_the_digest_it_is_that_of_the_manifest(registry: Registry) -> None:
    manifest = b'{"schemaVersion": 2}'
    registry.handle = lambda _request: Answer(200, manifest)
    assert registry.digest() == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    assert [one.method for one in registry.http.requests] == ["HEAD", "GET"]


def test_a_registry_may_send_a_request_on_but_never_the_login(registry: Registry) -> None:
    with http_stub(lambda _request: FOUND) as elsewhere:
        there = elsewhere.url.replace("127.0.0.1", "localhost")
        challenge = Answer(401, b"", {"WWW-Authenticate": 'Basic realm="registry"'})
        moved = Answer(307, b"", {"Location": f"{there}/v2/team/web/manifests/v1"})
        registry.handle = lambda one: moved if one.headers.get("authorization") else challenge
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


# ---- answers that nobody vouches for


PAGE = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>a captive portal</html>", PAGE),
        Answer(200, b"<html>", {**PAGE, "Docker-Content-Digest": "garbage"}),
        Answer(200, b"{}", {"Docker-Content-Digest": "not-a-digest <script>alert(1)</script>"}),
        Answer(200, b'{"schemaVersion": 2}', {"Docker-Content-Digest": "x/../../evil:latest"}),
        Answer(200, b'{"schemaVersion": 2}', {"Docker-Content-Digest": "sha256:short"}),
        Answer(200, b'{"status": "ok"}', {"Content-Type": "application/json"}),
        Answer(200, b"[" * 100_000),
        Answer(200, b'{"schemaVersion": 2, "x": "' + b"x" * MOST_BODY + b'"}'),
        Answer(200, b""),
    ],
)
def test_a_page_or_anything_else_is_no_image(registry: Registry, answer: Answer) -> None:
    registry.handle = lambda _request: answer
    host = registry.http.host
    assert registry.refused() == (f"image {host}/team/web:v1: what answers at {host} is not a registry; {CURE}")


def test_a_registry_that_tells_another_digest_than_its_content_has_is_not_believed(registry: Registry) -> None:
    manifest = Answer(200, b'{"schemaVersion": 2}', {"Docker-Content-Digest": DIGEST})
    registry.handle = lambda one: manifest if one.method == "GET" else Answer(200)
    assert "is not a registry" in registry.refused()


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (b"{}", "the registry wants credentials"),
        (b'{"token": null}', "the registry wants credentials"),
        (b'{"token": 5}', "the registry wants credentials"),
        (b'{"token": ["x"]}', "the registry wants credentials"),
        (b'{"token": "a\\r\\nX-Evil: 1"}', "the registry wants credentials"),
        (b"[1]", "its token server answers something else than a token"),
        (b'"x"', "its token server answers something else than a token"),
        (b"[" * 100_000, "its token server answers something else than a token"),
        (b"", "its token server answers something else than a token"),
    ],
)
def test_what_a_token_server_says_is_a_token_or_one_line(registry: Registry, token: bytes, why: str) -> None:
    inner = bearer(f"{registry.http.url}/token")
    registry.handle = lambda one: Answer(200, token) if one.path.startswith("/token") else inner(one)
    with pytest.raises(PipelineError) as caught:
        registry.digest()
    assert why in str(caught.value)
    assert "None" not in [one.headers.get("authorization", "").rpartition(" ")[2] for one in registry.http.requests]


def asked_of(monkeypatch: pytest.MonkeyPatch, name: str, challenge: str, location: str = "") -> list[str]:
    """The URLs that are asked when a registry elsewhere sends us on."""
    urls: list[str] = []

    def ask(request: Ask) -> Received:
        urls.append(request.url)
        if location and request.follow(location):
            urls.append(location)
        return Received(401, {"WWW-Authenticate": challenge}, b"", cut=False, charset="", seconds=0.0)

    monkeypatch.setattr(bounded_http, "ask", ask)
    with pytest.raises(PipelineError):
        digest_of(parse(name), RecordingClock())
    return urls


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/any",
        "https://127.0.0.1:8080/any",
        "http://localhost:8080/",
        "https://LOCALHOST./",
        "http://[::1]:2375/v1/containers",
        "https://0.0.0.0/",
        "http://registry.example.com/",
        "https://user@auth.example.com/",
        "https://[/",
        "ftp://auth.example.com/",
        "https://",
    ],
)
def test_a_registry_elsewhere_does_not_send_us_to_this_machine_nor_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    urls = asked_of(monkeypatch, "registry.example.com/web:1", f'Bearer realm="{url}"', location=url)
    assert urls == ["https://registry.example.com/v2/web/manifests/1"]


def test_its_token_server_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = asked_of(monkeypatch, "registry.example.com/web:1", 'Bearer realm="https://auth.example.com/token"')
    assert urls[1] == "https://auth.example.com/token"


def test_a_registry_that_drips_has_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registries, "TIMEOUT", 0.2)
    late = pytest.raises(Trouble, match=r"no answer within 0.2s; check the network")
    with raw_server(b"HTTP/1.1 200 OK\r\n", DROPS * [b"X: x\r\n"]) as server, late:
        digest_of(parse(f"{server.host}/web:1"), RecordingClock())
    assert server.sent < DROPS


def test_a_login_that_cannot_be_had_is_said_where_it_matters(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "desktop"}')
    registry.handle = bearer(f"{registry.http.url}/token")
    assert registry.refused().startswith(
        f"image {registry.http.host}/team/web:v1: the registry wants credentials (docker-credential-desktop, which "
        f"docker's config.json names for {registry.http.host}, is not installed); "
    )


@pytest.mark.parametrize("entry", ['{"auth": "no base64 pair"}', '"text"', '{"auth": 5}', '{"auth": "bm8gcGFpcg=="}'])
def test_a_login_of_another_registry_is_of_no_concern(registry: Registry, tmp_path: Path, entry: str) -> None:
    (tmp_path / "config.json").write_text(f'{{"auths": {{"ghcr.io": {entry}}}}}')
    assert registry.digest() == DIGEST


def test_a_proxy_that_wants_a_login_is_not_asked_again(registry: Registry) -> None:
    registry.handle = lambda _request: Answer(407)
    with pytest.raises(Trouble, match="the proxy wants a login; check HTTPS_PROXY"):
        registry.digest()
    assert len(registry.http.requests) == 1


@pytest.mark.parametrize(("line", "attempts"), [("503 Service Unavailable", 4), ("407 Proxy Authentication", 1)])
def test_a_proxy_is_judged_by_what_it_says(monkeypatch: pytest.MonkeyPatch, line: str, attempts: int) -> None:
    connections = []
    with raw_server(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode()) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:hunter2@{proxy.host}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        clock = RecordingClock()
        with pytest.raises(Trouble) as caught:
            connections.append(digest_of(parse("registry.example.com/web:1"), clock))
    assert len(clock.pauses) == attempts - 1
    assert "hunter2" not in str(caught.value)


def test_trouble_of_the_token_server_is_tried_again(registry: Registry) -> None:
    inner, refusals = bearer(f"{registry.http.url}/token"), iter([Answer(500), Answer(200, b"<html>")])
    registry.handle = lambda one: next(refusals, inner(one)) if one.path.startswith("/token") else inner(one)
    assert registry.digest() == DIGEST
