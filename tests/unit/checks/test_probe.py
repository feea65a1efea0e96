"""The probe against servers that say anything: it never raises, and has one deadline for the whole answer."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_pipeline.bounded_http import LATE, Ask, NoAnswer, ask
from ecs_pipeline.checks import probe as probes
from ecs_pipeline.checks.probe import Answer, Request, probe, read_text
from tests.unit.http_stub import Answer as Said
from tests.unit.http_stub import http_stub
from tests.unit.raw_server import DROPS, raw_server

HEAD = b"HTTP/1.1 200 OK\r\n"


def asked(host: str, timeout: float = 20, scheme: str = "http") -> Answer:
    return probe(Request(f"{scheme}://{host}/", {}, timeout, verified=False))


@pytest.mark.parametrize(
    ("scheme", "said", "drop"),
    [
        ("http", HEAD + b"Content-Length: 16384\r\n\r\n", b"x"),
        ("http", HEAD + b"\r\n", b"x"),
        ("http", HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        ("http", HEAD, b"X-Header: x\r\n"),
        ("http", HEAD + b"X-Header: ", b"x"),
        ("http", b"HTTP/1.1 200 ", b"x"),
        ("http", b"", b"x"),
        ("https", b"\x16\x03\x03\x40\x00", b"x"),
    ],
    ids=["body", "body of no length", "chunks", "headers", "a header", "status line", "nothing", "TLS"],
)
def test_an_answer_that_drips_has_one_deadline_for_all_of_it(scheme: str, said: bytes, drop: bytes) -> None:
    with raw_server(said, DROPS * [drop]) as server:
        found = asked(server.host, 0.3, scheme)
        assert (found.status, found.trouble) == (0, "no answer within 0.3s")
        assert server.left.wait(20)
    assert server.sent < DROPS


def test_what_is_late_or_not_there_may_pass() -> None:
    with raw_server(HEAD, DROPS * [b"X-H: x\r\n"]) as server, pytest.raises(NoAnswer) as caught:
        ask(Ask(f"http://{server.host}/", 0.2, 10))
    assert (caught.value.kind, caught.value.may_pass) == (LATE, True)


@pytest.mark.parametrize(
    "charset",
    ["utf-8", "", "utf8mb4", "binary", "hex", "rot13", "utf-8,gbk", "none", "punycode", "idna", "unicode_escape"],
)
def test_an_answer_is_judged_whatever_charset_it_names(charset: str) -> None:
    kind = {"Content-Type": f"text/html; charset={charset}"}
    with http_stub(lambda _request: Said(200, "grün".encode(), kind)) as server:
        found = asked(server.host)
    assert (found.status, found.body) == (200, "grün")


@given(st.binary(max_size=60), st.one_of(st.text(max_size=20), st.sampled_from(["utf-16", "gbk", "iso-2022-jp", "hz"])))
def test_any_body_in_any_charset_is_text(body: bytes, charset: str) -> None:
    assert isinstance(read_text(body, charset), str)


def test_known_charsets_are_read_as_such() -> None:
    for name in ("latin-1", "cp1252", "Shift_JIS", "EUC-KR", "big5", "KOI8-R", "utf-16"):
        text = "abc" if codecs.lookup(name).name in ("shift_jis", "euc_kr", "big5", "koi8-r") else "grün"
        assert read_text(text.encode(name), name) == text


PIECES = [
    b"HTTP/1.1 ",
    b"HTTP/1.0 200 OK",
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: -1",
    b"Content-Length: 5",
    b"Content-Length: 99999999999999999999",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br, gzip",
    b"Transfer-Encoding: chunked",
    b"Location: //[",
    b"Location: \xff",
    b"Set-Cookie: =;=",
    b"Content-Type: text/html; charset=\x00",
    b"302 ",
    b"999 ",
    b"FFFFFFFFFFFFFFFFFF\r\n",
    b"\x1f\x8b\x08",
]
SAID = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=12).map(b"".join)


@settings(max_examples=60)
@given(SAID)
def test_whatever_a_server_says_is_an_answer_or_none_and_never_an_error(said: bytes) -> None:
    with raw_server(said) as server:
        found = asked(server.host)
    assert found.status or found.trouble
    assert "\n" not in found.trouble


def test_whatever_goes_wrong_in_the_probe_itself_is_a_failed_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_request: Ask) -> None:
        raise RecursionError("deep")

    monkeypatch.setattr(probes, "ask", broken)
    assert asked("127.0.0.1:1").trouble == "no answer: RecursionError"


@pytest.mark.parametrize(
    "url", ["http://", "http://[", "nothing", "http://a b/", "http://127.0.0.1:99999/", "ftp://h/"]
)
def test_a_url_that_is_none_is_no_answer(url: str) -> None:
    assert probe(Request(url, {"X": "1"}, 5)).trouble


def test_a_body_is_read_as_far_as_it_counts() -> None:
    with http_stub(lambda _request: Said(200, b"x" * (probes.MOST_BODY + 5))) as server:
        assert len(asked(server.host).body) == probes.MOST_BODY
