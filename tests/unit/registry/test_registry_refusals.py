"""What a registry says that nobody vouches for, and what is in the way to it: pages, digests, proxies, deadlines."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline import bounded_http
from ecs_pipeline.bounded_http import Ask, Received
from ecs_pipeline.errors import PipelineError, Trouble
from ecs_pipeline.images import registry as registries
from ecs_pipeline.images.references import parse
from ecs_pipeline.images.registry import CURE, MOST_BODY, digest_of
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer
from tests.unit.raw_server import DROPS, raw_server
from tests.unit.registry.fake_registry import DIGEST, Registry, bearer

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
    registry.handle = lambda request: manifest if request.method == "GET" else Answer(200)
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
    registry.handle = lambda request: Answer(200, token) if request.path.startswith("/token") else inner(request)
    with pytest.raises(PipelineError) as caught:
        registry.digest()
    assert why in str(caught.value)
    assert "None" not in [
        request.headers.get("authorization", "").rpartition(" ")[2] for request in registry.http.requests
    ]


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
    registry.handle = lambda request: (
        next(refusals, inner(request)) if request.path.startswith("/token") else inner(request)
    )
    assert registry.digest() == DIGEST
