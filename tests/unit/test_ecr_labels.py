"""The labels of an image in ECR: manifest, configuration, what hostile or broken ones come to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ecs_pipeline.aws import blobs
from ecs_pipeline.aws.ecr import Ecr
from ecs_pipeline.errors import Trouble
from tests.unit.aws_stub import AwsStub, aws_stub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import NO_ANSWER, Answer, Request, http_stub

IMAGE = "sha256:" + 64 * "1"
LABELS = {"ecs-pipeline.service": "prd/web", "maintainer": "somebody"}
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": LABELS}}).encode()
SIGNED = "?X-Amz-Signature=s3cret"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry:
    """ECR with one image, and the place where its blobs are."""

    def __init__(self, aws: AwsStub, blobs_at: str, stored: dict[str, bytes]) -> None:
        self.aws, self._url, self._stored = aws, blobs_at, stored
        self.ecr = Ecr(session(RecordingClock()), RecordingClock())

    def holds(self, config: bytes = CONFIG, *, media_type: str = "application/vnd.oci.image.manifest.v1+json") -> None:
        """A plain image with that configuration."""
        self.answers(self.manifest(config, media_type))
        self.aws.on("GetDownloadUrlForLayer", ok({"downloadUrl": self.url(config), "layerDigest": digest_of(config)}))

    def manifest(self, config: bytes, media_type: str = "") -> str:
        self._stored[digest_of(config)] = config
        return json.dumps({"mediaType": media_type, "config": {"digest": digest_of(config)}, "layers": []})

    def url(self, config: bytes) -> str:
        return f"{self._url}/{digest_of(config)}{SIGNED}"

    def answers(self, *manifests: str) -> None:
        self.aws.on("BatchGetImage", *(ok({"images": [{"imageManifest": manifest}]}) for manifest in manifests))

    def labels(self, platform: str = "linux/amd64") -> dict[str, str]:
        return self.ecr.labels("web", IMAGE, platform)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    stored: dict[str, bytes] = {}

    def answer(request: Request) -> Answer:
        return Answer(200, stored[request.path.partition("?")[0].lstrip("/")])

    with aws_stub(monkeypatch) as aws, http_stub(answer) as place:
        yield Registry(aws, place.url, stored)


def test_the_labels_are_in_the_configuration_that_the_manifest_names(registry: Registry) -> None:
    registry.holds()
    assert registry.labels() == LABELS
    assert registry.aws.asked("BatchGetImage")[0].json == {
        "repositoryName": "web",
        "imageIds": [{"imageDigest": IMAGE}],
    }
    asked = registry.aws.asked("GetDownloadUrlForLayer")[0].json
    assert asked == {"repositoryName": "web", "layerDigest": digest_of(CONFIG)}


def entry(digest: str, architecture: str, **more: str) -> dict[str, Any]:
    return {"digest": digest, "platform": {"os": "linux", "architecture": architecture, **more}}


def test_of_an_index_the_image_for_the_platform_is_read_and_no_attestation(registry: Registry) -> None:
    attestation = {"digest": "sha256:a", "platform": {"os": "unknown", "architecture": "unknown"}}
    manifests = [attestation, entry("sha256:x", "amd64"), entry("sha256:y", "arm64", variant="v8")]
    registry.holds()
    registry.answers(json.dumps({"manifests": manifests}), registry.manifest(CONFIG))
    assert registry.labels("linux/arm64") == LABELS
    assert [request.json["imageIds"] for request in registry.aws.asked("BatchGetImage")] == [
        [{"imageDigest": IMAGE}],
        [{"imageDigest": "sha256:y"}],
    ]


def test_an_index_without_the_platform_has_no_labels(registry: Registry) -> None:
    registry.answers(json.dumps({"manifests": [entry("sha256:x", "s390x")]}))
    assert registry.labels() == {}


@pytest.mark.parametrize(
    "manifest",
    [
        json.dumps({"schemaVersion": 1, "history": []}),
        json.dumps({"config": "x"}),
        json.dumps({"config": {"digest": 7}}),
        json.dumps({"manifests": "x"}),
        json.dumps([]),
        "no JSON",
        "[" * 100_000,
    ],
)
def test_a_manifest_that_names_no_configuration_has_none(registry: Registry, manifest: str) -> None:
    registry.answers(manifest)
    assert registry.labels() == {}


@pytest.mark.parametrize(
    "config",
    [b"{}", b"[]", b"\xff", b'{"config": null}', b'{"config": {"Labels": null}}', b'{"config": {"Labels": {"a": 1}}}'],
)
def test_a_configuration_without_labels_has_none(registry: Registry, config: bytes) -> None:
    registry.holds(config)
    assert registry.labels() == {}


def test_an_image_that_was_deleted_meanwhile_is_trouble(registry: Registry) -> None:
    registry.aws.on("BatchGetImage", ok({"images": [], "failures": [{"failureCode": "ImageNotFound"}]}))
    with pytest.raises(Trouble, match=f"ECR repository web has no image {IMAGE} any more"):
        registry.labels()


def test_a_missing_permission_is_named(registry: Registry) -> None:
    registry.answers(registry.manifest(CONFIG))
    registry.aws.on("GetDownloadUrlForLayer", refused("AccessDeniedException"))
    with pytest.raises(Trouble, match="allow ecr:GetDownloadUrlForLayer"):
        registry.labels()


# ---- the blob


def fetched(*answers: Answer, digest: str = digest_of(CONFIG)) -> tuple[bytes, int]:
    """What comes of these answers, and how often was asked."""
    waiting = list(answers)
    with http_stub(lambda _request: waiting.pop(0) if len(waiting) > 1 else waiting[0]) as place:
        return blobs.download(f"{place.url}/blob{SIGNED}", digest, RecordingClock()), len(place.requests)


@pytest.mark.parametrize("passing", [NO_ANSWER, Answer(503), Answer(429)])
def test_what_passes_is_tried_again(passing: Answer) -> None:
    assert fetched(passing, Answer(200, CONFIG)) == (CONFIG, 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(403, b"<Error/>"), "127.0.0.1 answered 403; let the agent reach 127.0.0.1"),
        (Answer(503), "127.0.0.1 answered 503"),
        (Answer(200, b"something else"), f"127.0.0.1 sent something else than {digest_of(CONFIG)}"),
        (NO_ANSWER, "the image's configuration: 127.0.0.1: "),
    ],
)
def test_what_does_not_is_told_without_the_signature(answer: Answer, words: str) -> None:
    with pytest.raises(Trouble) as trouble:
        fetched(answer)
    assert words in str(trouble.value)
    assert "s3cret" not in str(trouble.value)


def test_a_host_that_cannot_be_reached_is_named_without_the_signature() -> None:
    with pytest.raises(Trouble) as trouble:
        blobs.download(f"http://127.0.0.1:1/blob{SIGNED}", IMAGE, RecordingClock())
    assert str(trouble.value).startswith("the image's configuration: 127.0.0.1: ")
    assert "s3cret" not in str(trouble.value)


def test_more_than_a_configuration_can_be_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "LARGEST", 1000)
    with pytest.raises(Trouble, match="sent more than 1000 bytes"):
        fetched(Answer(200, 2000 * b"x"))


def test_the_platforms_of_an_index_are_those_of_its_images(registry: Registry) -> None:
    attestation = {"digest": "sha256:a", "platform": {"os": "unknown", "architecture": "unknown"}}
    manifests = [
        attestation,
        entry("sha256:x", "amd64"),
        entry("sha256:y", "arm64", variant="v8"),
        {"digest": "sha256:z"},
    ]
    registry.answers(json.dumps({"manifests": manifests}))
    assert registry.ecr.platforms("web", IMAGE) == ["linux/amd64", "linux/arm64/v8"]
    assert registry.aws.asked("GetDownloadUrlForLayer") == []


@pytest.mark.parametrize(
    ("config", "platforms"),
    [(CONFIG, ["linux/amd64"]), (b"{}", []), (b"[]", []), (b'{"os": 7, "architecture": "amd64"}', [])],
)
def test_the_platform_of_a_plain_image_is_in_its_configuration(
    registry: Registry, config: bytes, platforms: list[str]
) -> None:
    registry.holds(config)
    assert registry.ecr.platforms("web", IMAGE) == platforms


def test_an_artifact_has_no_platform(registry: Registry) -> None:
    registry.answers(json.dumps({"schemaVersion": 1, "history": []}))
    assert registry.ecr.platforms("web", IMAGE) == []
