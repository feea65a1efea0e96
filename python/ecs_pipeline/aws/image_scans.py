"""Amazon ECR: what its scan of an image found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecs_pipeline.aws import image_manifest
from ecs_pipeline.aws.session import AwsError, AwsSession
from ecs_pipeline.model.image_scan import Finding, ImageScan
from ecs_pipeline.model.release import Repository

PAGE = 1000
MOST_PAGES = 10
"""Ten thousand findings; the counts tell of more."""


class ImageScans:
    """The scans of a repository's images; it may be another account's or region's."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def scanned(self, repository: Repository, digest: str, platform: str) -> str:
        """The digest that is scanned: of an index that of the platform's image (BatchGetImage)."""
        client = self._session.client("ecr", repository.registry.region)
        answer = client.call("BatchGetImage", imageIds=[{"imageDigest": digest}], **_of(repository))
        for image in answer.get("images", []):
            entries = image_manifest.children(image["imageManifest"])
            return image_manifest.of_platform(entries, platform) or digest
        return digest

    def scan(self, repository: Repository, digest: str) -> ImageScan | None:
        """The scan as it is now (DescribeImageScanFindings), None when there is none."""
        client = self._session.client("ecr", repository.registry.region)
        asked = {"imageId": {"imageDigest": digest}, "maxResults": PAGE, **_of(repository)}
        try:
            answer = client.call("DescribeImageScanFindings", **asked)
            pages = [answer]
            while answer.get("nextToken") and len(pages) < MOST_PAGES:
                answer = client.call("DescribeImageScanFindings", **asked, nextToken=answer["nextToken"])
                pages.append(answer)
        except AwsError as error:
            if error.code == "ScanNotFoundException":
                return None
            raise
        return _scan(pages)


def _of(repository: Repository) -> dict[str, Any]:
    account = repository.registry.account
    return {"repositoryName": repository.name, **({"registryId": account} if account else {})}


def _scan(pages: list[dict[str, Any]]) -> ImageScan:
    """The scan that pages tell of.

    ECR may say COMPLETE before an enhanced scan has found anything (github.com/aws/aws-sdk, issue 289); its time is
    missing then. The counts of an enhanced scan have in them what a rule of Amazon Inspector suppresses.
    """
    status = pages[0].get("imageScanStatus") or {}
    told = [page.get("imageScanFindings") or {} for page in pages]
    enhanced = any(part.get("enhancedFindings") for part in told)
    counts = {} if enhanced else told[0].get("findingSeverityCounts") or {}
    return ImageScan(
        status=str(status.get("status", "")),
        description=str(status.get("description", "")),
        complete="imageScanCompletedAt" in told[0],
        findings=tuple(finding for part in told for finding in _findings(part)),
        counts={str(severity): int(count) for severity, count in counts.items()},
    )


def _findings(part: Mapping[str, Any]) -> Iterator[Finding]:
    for finding in part.get("findings") or ():
        yield Finding(str(finding.get("name", "")), str(finding.get("severity", "")))
    for finding in part.get("enhancedFindings") or ():
        if finding.get("status", "ACTIVE") == "ACTIVE":
            details = finding.get("packageVulnerabilityDetails") or {}
            name = details.get("vulnerabilityId") or finding.get("title", "")
            yield Finding(str(name), str(finding.get("severity", "")))
