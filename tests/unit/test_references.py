"""Image references, taken apart as Docker does, and those that are none."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images.references import Reference, parse

DIGEST = "sha256:" + "0a" * 32
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("nginx", ("docker.io", "library/nginx", "latest", "")),
        ("docker.io/nginx:1.27", ("docker.io", "library/nginx", "1.27", "")),
        ("nginx:1.27", ("docker.io", "library/nginx", "1.27", "")),
        ("grafana/grafana", ("docker.io", "grafana/grafana", "latest", "")),
        ("a/b/c:x", ("docker.io", "a/b/c", "x", "")),
        ("ghcr.io/a/b:1", ("ghcr.io", "a/b", "1", "")),
        ("localhost/a", ("localhost", "a", "latest", "")),
        ("localhost:5000/a", ("localhost:5000", "a", "latest", "")),
        ("registry:5000/a/b:1.0", ("registry:5000", "a/b", "1.0", "")),
        ("[::1]:5000/a:1", ("[::1]:5000", "a", "1", "")),
        (f"{ECR}/web:v1", (ECR, "web", "v1", "")),
        (f"{ECR}/team/web@{DIGEST}", (ECR, "team/web", "", DIGEST)),
        (f"{ECR}/web:v1@{DIGEST}", (ECR, "web", "v1", DIGEST)),
        (f"nginx@{DIGEST}", ("docker.io", "library/nginx", "", DIGEST)),
        ("a__b/c-d--e/f.g:_x", ("docker.io", "a__b/c-d--e/f.g", "_x", "")),
        ("a:" + "t" * 128, ("docker.io", "library/a", "t" * 128, "")),
    ],
)
def test_a_reference_is_taken_apart(text: str, parts: tuple[str, str, str, str]) -> None:
    assert parse(text) == Reference(*parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ":",
        "@",
        "/",
        "a:",
        ":v1",
        "a@",
        "a/",
        "/a",
        "a//b",
        "a.com/",
        "a.com//b",
        "UPPER/case",
        "Nginx",
        "a b",
        "a:b c",
        "a:-x",
        "a:.x",
        "a:" + "t" * 129,
        "a:b:c/d:e:f",
        "-a",
        "a-",
        "a..b",
        "a___b",
        "ünicode",
        "a:ü",
        "a\n",
        "a:1\n",
        "\na",
        "a\x00b",
        "a@sha256:short",
        "a@sha256:" + "g" * 64,
        f"a@{DIGEST}@{DIGEST}",
        f"a@{DIGEST} ",
        "user@host/a",
        "http://a.com/b",
        "https://a.com/b:1",
        "a.com/b;rm -rf",
        "a.com/$(id)",
        "a.com/../b",
        "a.com/b?x=1",
        "a.com/b#c",
        "evil.com\nX/x:y",
        "evil.com\x1b[2J/x:y",
        "evil\u202e.com/x:y",
        "127.0.0.1:1?a=/x:y",
        "host:port/x",
        "host:123456/x",
        "-host.com/x",
        "host-.com-/x",
        "[::1/x",
        "[evil]:1/x",
        "user:pw@host.com/x:1",
        "a.com:1:2/x",
        "é.com/x",
        "a.com/" + 600 * "x",
        f"a@sha512:{128 * 'a'}",
        f"a@{DIGEST.upper()}",
    ],
)
def test_what_is_no_reference_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert str(caught.value) == f"{text!r} is not an image reference; write REGISTRY/REPOSITORY:TAG or …@sha256:…"


@given(st.one_of(st.text(max_size=60), st.text(alphabet="a.:/@-_[]1\n\x1b?", max_size=30)))
def test_any_text_is_a_reference_of_harmless_parts_or_refused_in_a_line(text: str) -> None:
    try:
        found = parse(text)
    except InvalidInput as error:
        assert "\n" not in str(error)  # noqa: PT017 - either is fine
        return
    for part in (found.registry, found.repository, found.tag, found.digest):
        assert re.fullmatch(r"[A-Za-z0-9._:/\[\]-]*", part)
    assert (
        parse(f"{found.name}{f':{found.tag}' if found.tag else ''}{f'@{found.digest}' if found.digest else ''}")
        == found
    )


def test_a_reference_is_pinned_by_digest_and_loses_its_tag() -> None:
    assert parse(f"{ECR}/web:v1").pinned(DIGEST) == f"{ECR}/web@{DIGEST}"
    assert parse("nginx:1").pinned(DIGEST) == f"docker.io/library/nginx@{DIGEST}"


@pytest.mark.parametrize(
    ("host", "account_and_region"),
    [
        (ECR, ("123456789012", "eu-west-1")),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", ("123456789012", "us-gov-west-1")),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", ("123456789012", "cn-north-1")),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", ("123456789012", "eu-west-1")),
        ("public.ecr.aws", None),
        ("12345.dkr.ecr.eu-west-1.amazonaws.com", None),
        (f"{ECR}.example.com", None),
        (f"evil-{ECR}", None),
        (f"{ECR}:443", None),
        ("docker.io", None),
    ],
)
def test_a_private_registry_of_ecr_is_known_by_its_name(host: str, account_and_region: tuple[str, str] | None) -> None:
    assert Reference(host, "web").ecr == account_and_region
