"""ECR's scan: what it tells over the wire, when it is over, and what in it refuses an image."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.aws.image_scans import ImageScans
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.model.image_scan import Finding, ImageScan, counted
from ecs_pipeline.model.release import EcrRegistry, Repository
from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.world import World
from tests.unit.aws_stub import AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary

DIGEST = "sha256:" + "1" * 64
WEB = Repository("web", f"{REGISTRY}/web", EcrRegistry("210987654321", "eu-west-1"))
TIMES = {"imageScanCompletedAt": 1.0}

PENDING, RUNNING = ImageScan("PENDING"), ImageScan("IN_PROGRESS")
CLEAN = ImageScan("COMPLETE", complete=True)
BAD = ImageScan(
    "COMPLETE",
    complete=True,
    findings=[Finding("CVE-2", "HIGH"), Finding("CVE-1", "CRITICAL"), Finding("CVE-3", "LOW")],
)


# ---- the wire


def scans() -> ImageScans:
    return ImageScans(session(RecordingClock()))


def basic(*names: str, status: str = "COMPLETE", **more: Any) -> dict[str, Any]:
    findings = [{"name": name, "severity": "HIGH"} for name in names]
    told = {**TIMES, "findings": findings, "findingSeverityCounts": {"HIGH": len(names)}}
    return {"imageScanStatus": {"status": status, "description": "text"}, "imageScanFindings": told, **more}


def test_a_basic_scan_is_read_page_by_page(aws: AwsStub) -> None:
    aws.on("DescribeImageScanFindings", ok(basic("CVE-1", nextToken="more")), ok(basic("CVE-2")))
    found = scans().scan(WEB, DIGEST)
    assert found is not None
    assert (found.status, found.description, found.done) == ("COMPLETE", "text", True)
    assert found.findings == (Finding("CVE-1", "HIGH"), Finding("CVE-2", "HIGH"))
    first, second = (request.json for request in aws.asked("DescribeImageScanFindings"))
    assert first == {
        "registryId": "210987654321",
        "repositoryName": "web",
        "imageId": {"imageDigest": DIGEST},
        "maxResults": 1000,
    }
    assert second == {**first, "nextToken": "more"}


def test_an_endless_list_of_findings_is_read_for_so_long_only(aws: AwsStub) -> None:
    aws.on("DescribeImageScanFindings", ok(basic("CVE-1", nextToken="more")))
    found = scans().scan(WEB, DIGEST)
    assert found is not None
    assert len(found.findings) == len(aws.asked("DescribeImageScanFindings")) == 10


def test_an_enhanced_scan_counts_what_is_not_suppressed(aws: AwsStub) -> None:
    finding = {"title": "CVE-1 - openssl", "severity": "CRITICAL", "status": "ACTIVE"}
    details = {"packageVulnerabilityDetails": {"vulnerabilityId": "CVE-2"}}
    listed = [finding, {**finding, **details}, {**finding, "status": "SUPPRESSED"}]
    told = {**TIMES, "enhancedFindings": listed, "findingSeverityCounts": {"CRITICAL": 3}}
    aws.on("DescribeImageScanFindings", ok({"imageScanStatus": {"status": "ACTIVE"}, "imageScanFindings": told}))
    found = scans().scan(WEB, DIGEST)
    assert found is not None
    assert found.done
    assert found.by_severity == {"CRITICAL": 2}
    assert found.named("CRITICAL") == ["CRITICAL CVE-1 - openssl", "CRITICAL CVE-2"]


@pytest.mark.parametrize("told", [{}, {"imageScanFindings": {"findings": []}}])
def test_a_scan_is_not_over_before_it_says_when(aws: AwsStub, told: dict[str, Any]) -> None:
    """Users of AWS saw COMPLETE without any findings, and a minute later with many (aws/aws-sdk, issue 289)."""
    aws.on("DescribeImageScanFindings", ok({"imageScanStatus": {"status": "COMPLETE"}, **told}))
    found = scans().scan(WEB, DIGEST)
    assert found is not None
    assert (found.done, found.under_way) == (False, True)


def test_no_scan_is_none_and_what_is_denied_is_trouble(aws: AwsStub) -> None:
    aws.on("DescribeImageScanFindings", refused("ScanNotFoundException"), refused("AccessDeniedException"))
    assert scans().scan(WEB, DIGEST) is None
    with pytest.raises(AwsError, match="ecr:DescribeImageScanFindings"):
        scans().scan(WEB, DIGEST)


def test_of_an_index_the_image_of_the_platform_is_scanned(aws: AwsStub) -> None:
    def entry(number: str, architecture: str) -> str:
        platform = f'{{"os": "linux", "architecture": "{architecture}"}}'
        return f'{{"digest": "sha256:{number}", "platform": {platform}}}'

    index = f'{{"manifests": [{entry("a", "amd64")}, {entry("b", "arm64")}]}}'
    for manifest, digest in ((index, "sha256:b"), ('{"config": {}}', DIGEST), ('{"manifests": []}', DIGEST)):
        aws.on("BatchGetImage", ok({"images": [{"imageManifest": manifest}]}))
        assert scans().scanned(WEB, DIGEST, "linux/arm64") == digest


# ---- what it says


def test_the_worst_come_first_and_unrated_ones_are_the_least() -> None:
    scan = ImageScan("COMPLETE", findings=[Finding("X", "UNTRIAGED"), *BAD.findings], counts={"HIGH": 5})
    assert counted(scan.by_severity) == "1 CRITICAL, 5 HIGH, 1 LOW, 1 UNTRIAGED"
    assert scan.at_least("HIGH") == {"CRITICAL": 1, "HIGH": 5}
    assert scan.at_least("LOW") == {"CRITICAL": 1, "HIGH": 5, "LOW": 1}
    assert "UNTRIAGED" in scan.at_least("INFORMATIONAL")
    assert scan.named("HIGH") == ["CRITICAL CVE-1", "HIGH CVE-2", "and 4 more"]
    assert counted({}) == "nothing"


# ---- the stage


def released(world: World, *, dry_run: bool = False, image: str = "", **scan: str) -> End:
    settings = {"image": {"repository": "web", "scan": scan}}
    return canary(world, release="A", settings=settings, dry_run=dry_run, image=image)


def world_with(*scans: ImageScan | None) -> World:
    world = start_of("P runs")
    world.images["A"] = digest_of("A")
    world.image_scans = list(scans)
    return world


def test_the_image_is_released_once_its_scan_is_over_and_clean_enough() -> None:
    end = released(world_with(None, PENDING, RUNNING, CLEAN))
    assert end.code == 0, end.text
    assert end.message("image").endswith("; ECR's scan found nothing")


def test_what_is_not_as_bad_is_told_and_does_not_refuse() -> None:
    scan = ImageScan("ACTIVE", complete=True, findings=BAD.findings[2:])
    end = released(world_with(scan), fail_on="HIGH")
    assert (end.code, end.message("image").rpartition("; ")[2]) == (0, "ECR's scan found 1 LOW")


@pytest.mark.parametrize(
    ("fail_on", "found", "named"),
    [
        ("CRITICAL", "1 CRITICAL", ("CRITICAL CVE-1",)),
        ("HIGH", "1 CRITICAL, 1 HIGH", ("CRITICAL CVE-1", "HIGH CVE-2")),
    ],
)
def test_findings_refuse_the_image_before_a_revision_is_registered(
    fail_on: str, found: str, named: tuple[str, ...]
) -> None:
    world = world_with(RUNNING, BAD)
    before = world.marks()
    end = released(world, fail_on=fail_on)
    assert end.code == 1
    assert end.text.startswith(f"ECR's scan found {found} in image web@{digest_of('A')}; ")
    assert end.text.endswith("the service runs web:2 as before")
    assert end.message("image") == (
        f"ECR's scan found {found} in image web@{digest_of('A')}; "
        "repair the image and begin a new release, or raise image.scan.fail_on"
    )
    assert end.run.recorder.record.step("image").evidence == named
    assert "RegisterTaskDefinition" not in end.writes
    assert (world.marks()["wanted"], world.alive()) == (before["wanted"], [])
    assert "under-way" not in world.marks()


@pytest.mark.parametrize("status", ["FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED", "OF_LATER_YEARS"])
def test_an_image_that_cannot_be_scanned_is_refused(status: str) -> None:
    end = released(world_with(ImageScan(status, "why")))
    assert end.code == 1
    assert f": {status}: why; " in end.text


def test_a_repository_that_is_not_scanned_is_refused_soon_and_clearly() -> None:
    world = world_with(None)
    before, began = world.marks(), world.now
    end = released(world, within="10m")
    assert end.code == 2
    assert end.text.startswith("ECR repository web has no scan of the image, which image.scan asks for; switch on")
    assert world.marks() == before
    assert world.now - began < 120


@pytest.mark.parametrize("scan", [PENDING, RUNNING, ImageScan("COMPLETE")])
def test_a_scan_that_is_not_over_in_time_is_trouble_and_the_same_command_resumes(scan: ImageScan) -> None:
    world = world_with(scan)
    end = released(world, within="5s")
    assert (end.code, end.text) == (
        4,
        "the scan of image web is not over within 5s; the same command resumes; image.scan.within gives it longer",
    )
    assert "RegisterTaskDefinition" not in end.writes
    world.image_scans = [CLEAN]
    assert released(world).code == 0


def test_a_dry_run_tells_that_it_would_wait() -> None:
    end = released(world_with(BAD), dry_run=True)
    assert end.code == 0, end.text
    assert "wait for ECR's scan, and refuse findings of CRITICAL" in end.run.recorder.record.plan
    assert end.writes == []


def test_an_image_that_is_given_is_scanned_too() -> None:
    image = f"{REGISTRY}/web:A"
    assert released(world_with(CLEAN), image=image).code == 0
    assert released(world_with(BAD), image=image).code == 1


def test_an_image_of_elsewhere_cannot_be_scanned_by_ecr() -> None:
    image = f"ghcr.io/shop/web@{digest_of('A')}"
    end = released(world_with(BAD), image=image)
    assert (end.code, end.writes) == (2, [])
    assert end.text == (
        f"image {image} is in no repository of ECR, and image.scan asks for ECR's scan; "
        "push it to ECR, or take image.scan out of the config"
    )


def test_without_image_scan_nobody_asks_for_one() -> None:
    world = world_with(BAD)
    assert canary(world, release="A", settings={"image": {"repository": "web"}}).code == 0
    assert "DescribeImageScanFindings" not in [name for _, name, _ in world.log]
