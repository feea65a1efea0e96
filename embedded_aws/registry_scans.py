"""Amazon ECR's image scans: basic scanning on push, enhanced scanning, and DescribeImageScanFindings.

ECR API Reference, DescribeImageScanFindings, ImageScanStatus; User Guide, "Scan images for software vulnerabilities".
Nothing is scanned in fact: the switches of behaviour.py say how long a scan takes and what it finds.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from embedded_aws import behaviour, registry_images
from embedded_aws.api import ApiError, page

if TYPE_CHECKING:
    from embedded_aws.api import Members

_MOST, _DEFAULT = 1000, 100
_DESCRIPTIONS = {
    "PENDING": "Pending start of the image scan.",
    "IN_PROGRESS": "The image scan is in progress.",
    "COMPLETE": "The scan was completed successfully.",
    "ACTIVE": "Continuous scan is selected for image.",
    "FAILED": "ScanFailedError: the image could not be scanned.",
    "UNSUPPORTED_IMAGE": "UnsupportedImageError: The operating system and/or package manager are not supported.",
}


def begin(repository: Members, image: Members) -> None:
    """Begin the scan of an image that was just pushed, where the repository or the registry is scanned.

    Of an image index no scan is made: its images have one each (User Guide, "Scan images for OS vulnerabilities").
    """
    scanned = behaviour.current.enhanced_scanning or repository["imageScanningConfiguration"].get("scanOnPush")
    if scanned and "manifests" not in json.loads(image["imageManifest"]):
        image["scanBegan"] = time.time()


def describe(request: Members) -> Members:
    """DescribeImageScanFindings of an image."""
    most = request.get("maxResults", _DEFAULT)
    if not 1 <= most <= _MOST:
        raise ApiError("InvalidParameterException", f"maxResults: between 1 and {_MOST}")
    name = registry_images.repository(request)["repositoryName"]
    identifier = request.get("imageId") or {}
    image = registry_images.find(name, identifier) if identifier else None
    if image is None:
        raise registry_images.not_found(name, identifier)
    age = time.time() - image["scanBegan"] if "scanBegan" in image else -1.0
    took = behaviour.current.scan_seconds
    enhanced = behaviour.current.enhanced_scanning
    if age < 0 or (age < took / 3 and not enhanced):
        raise ApiError(
            "ScanNotFoundException",
            f"Image scan does not exist for the image with {registry_images.named(identifier)} in the repository "
            f"with name '{name}' in the registry with id '{registry_images.registry()}'",
        )
    status = _status(age, took, enhanced=enhanced)
    return {
        "registryId": registry_images.registry(),
        "repositoryName": name,
        "imageId": {"imageDigest": image["imageDigest"], **identifier},
        "imageScanStatus": {"status": status, "description": _DESCRIPTIONS[status]},
        **_findings(request, image["scanBegan"] + took, status, enhanced=enhanced),
    }


def _status(age: float, took: float, *, enhanced: bool) -> str:
    """PENDING, then for a basic scan IN_PROGRESS, then how it ends."""
    if age < took * 2 / 3:
        return "PENDING"
    if age < took:
        return "COMPLETE" if enhanced else "IN_PROGRESS"
    return behaviour.current.scan_status or ("ACTIVE" if enhanced else "COMPLETE")


def _findings(request: Members, ended: float, status: str, *, enhanced: bool) -> Members:
    """A page of what was found, and the counts of all; users of AWS saw an enhanced scan COMPLETE before it had any
    (github.com/aws/aws-sdk, issue 289).
    """
    if time.time() < ended:
        return {"imageScanFindings": {"findings": []}} if enhanced else {}
    if status not in ("COMPLETE", "ACTIVE"):
        return {}
    found = behaviour.current.scan_findings
    shown, more = page(found, request, _DEFAULT)
    counts: dict[str, int] = {}
    for finding in found:
        counts[finding["severity"]] = counts.get(finding["severity"], 0) + 1
    listed = {"enhancedFindings": [_enhanced(finding) for finding in shown]} if enhanced else {"findings": shown}
    times = {"imageScanCompletedAt": ended, "vulnerabilitySourceUpdatedAt": ended}
    return {"imageScanFindings": {**times, **listed, "findingSeverityCounts": counts}, **more}


def _enhanced(finding: Members) -> Members:
    """Data type EnhancedImageScanFinding."""
    details: Any = {"vulnerabilityId": finding["name"]}
    return {
        "title": f"{finding['name']} - a package",
        "type": "PACKAGE_VULNERABILITY",
        "severity": finding["severity"],
        "status": finding.get("status", "ACTIVE"),
        "packageVulnerabilityDetails": details,
    }
