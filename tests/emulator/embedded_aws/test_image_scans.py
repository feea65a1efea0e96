"""Amazon ECR's image scans: when there is one, how it goes on, and what it tells, page by page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.embedded_aws.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.embedded_aws.environment import Environment

FINDINGS = [{"name": f"CVE-2026-{number}", "severity": "HIGH" if number % 2 else "LOW"} for number in range(5)]


@pytest.fixture(autouse=True)
def unscanned_afterwards(environment: Environment) -> Iterator[None]:
    """Other tests find the switches off."""
    yield
    environment.server.configure(enhanced_scanning=False, scan_seconds=0.0, scan_status="", scan_findings=[])


def scanned(environment: Environment, **members: Any) -> Repository:
    """A repository that scans on push, with one image."""
    repository = Repository(environment, imageScanningConfiguration={"scanOnPush": True}, **members)
    assert repository.push("v1", "one") == ""
    return repository


def findings(repository: Repository, **members: Any) -> Any:
    asked = {"repositoryName": repository.name, "imageId": {"imageTag": "one"}, **members}
    return repository.ecr.describe_image_scan_findings(**asked)


def test_a_repository_that_is_not_scanned_has_no_scan(environment: Environment) -> None:
    """DescribeImageScanFindings, errors."""
    repository = Repository(environment)
    assert repository.push("v1", "one") == ""
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        findings(repository)
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        findings(repository, imageId={"imageTag": "none"})
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        findings(repository, repositoryName="no-such-repository")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        findings(repository, maxResults=1001)


def test_a_basic_scan_goes_on_to_its_end(environment: Environment) -> None:
    """ImageScanStatus: PENDING, IN_PROGRESS, COMPLETE; the findings are there with the last one."""
    environment.server.configure(scan_seconds=3.0, scan_findings=FINDINGS)
    repository = scanned(environment)
    seen: list[str] = []

    def over() -> bool:
        try:
            answer = findings(repository)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ScanNotFoundException":
                return False
            raise
        status = answer["imageScanStatus"]["status"]
        seen.append(status)
        assert ("imageScanFindings" in answer) == (status == "COMPLETE")
        return bool(status == "COMPLETE")

    wait_for(over)
    assert set(seen) <= {"PENDING", "IN_PROGRESS", "COMPLETE"}
    assert findings(repository)["imageScanFindings"]["findingSeverityCounts"] == {"LOW": 3, "HIGH": 2}


def test_findings_come_in_pages_with_the_counts_of_all(environment: Environment) -> None:
    """DescribeImageScanFindings, maxResults and nextToken."""
    environment.server.configure(scan_findings=FINDINGS)
    repository = scanned(environment)
    names: list[str] = []
    token: dict[str, str] = {}
    for size in (2, 2, 1):
        answer = findings(repository, maxResults=2, **token)
        page = answer["imageScanFindings"]
        assert (len(page["findings"]), page["findingSeverityCounts"]) == (size, {"LOW": 3, "HIGH": 2})
        names += [finding["name"] for finding in page["findings"]]
        token = {"nextToken": answer["nextToken"]} if "nextToken" in answer else {}
    assert (names, token) == ([finding["name"] for finding in FINDINGS], {})


def test_an_enhanced_scan_stays_active(environment: Environment) -> None:
    """User Guide, "Retrieving the findings for enhanced scans"; data type EnhancedImageScanFinding."""
    environment.server.configure(enhanced_scanning=True, scan_findings=FINDINGS[:1])
    repository = Repository(environment)
    assert repository.push("v1", "one") == ""
    answer = findings(repository)
    assert answer["imageScanStatus"]["status"] == "ACTIVE"
    (finding,) = answer["imageScanFindings"]["enhancedFindings"]
    assert finding["packageVulnerabilityDetails"]["vulnerabilityId"] == "CVE-2026-0"
    assert "findings" not in answer["imageScanFindings"]


def test_an_index_has_no_scan_its_images_have(environment: Environment) -> None:
    """User Guide, "Scan images for OS vulnerabilities": of a multi-architecture image each image is scanned."""
    repository = scanned(environment)
    media = "application/vnd.oci.image.index.v1+json"
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": repository.digest("one"),
        "size": 1,
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, "manifests": [entry]})
    repository.ecr.put_image(
        repositoryName=repository.name, imageManifest=manifest, imageManifestMediaType=media, imageTag="all"
    )
    assert findings(repository)["imageScanStatus"]["status"] == "COMPLETE"
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        findings(repository, imageId={"imageTag": "all"})


@pytest.mark.parametrize("status", ["FAILED", "UNSUPPORTED_IMAGE"])
def test_a_scan_may_end_without_findings(environment: Environment, status: str) -> None:
    """ImageScanStatus, status."""
    environment.server.configure(scan_status=status)
    answer = findings(scanned(environment))
    assert answer["imageScanStatus"]["status"] == status
    assert "imageScanFindings" not in answer
