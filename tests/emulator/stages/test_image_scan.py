"""`image.scan` on the embedded AWS: an image that was built here is scanned, waited for, and refused or released."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from embedded_aws.images import APP_FOLDER
from tests.emulator.stages.deployer import Deployer, documents
from tests.emulator.stages.images import REPOSITORY
from tests.emulator.stages.scene import Scene

BAD = [{"name": "CVE-2026-1", "severity": "CRITICAL"}, {"name": "CVE-2026-2", "severity": "LOW"}]


@pytest.fixture
def release(scene: Scene) -> Iterator[str]:
    """The id of a release whose image is like no other, in a repository that scans on push."""
    shutil.copytree(APP_FOLDER, scene.folder / "app")
    scene.config(
        image={
            "context": "app",
            "build_args": {"VERSION": f"scanned for {scene.name}"},
            "scan": {"fail_on": "HIGH", "within": "60s"},
        }
    )
    scene.start(1)
    repository = {"repositoryName": REPOSITORY}
    ecr = scene.client("ecr")
    ecr.put_image_scanning_configuration(**repository, imageScanningConfiguration={"scanOnPush": True})
    yield f"{scene.name}-1"
    ecr.put_image_scanning_configuration(**repository, imageScanningConfiguration={"scanOnPush": False})
    scene.server.configure(enhanced_scanning=False, scan_seconds=0.0, scan_status="", scan_findings=[])


@pytest.mark.parametrize("enhanced", [False, True], ids=["basic", "enhanced"])
def test_an_image_is_refused_for_its_findings_before_a_revision_is_registered(
    scene: Scene, release: str, *, enhanced: bool
) -> None:
    scene.server.configure(enhanced_scanning=enhanced, scan_seconds=2.0, scan_findings=BAD)
    canary = scene.ecs_pipeline("canary", "--release", release)
    assert canary.code == 1, canary.stderr
    assert "ECR's scan found 1 CRITICAL in image" in canary.stderr
    assert "CRITICAL CVE-2026-1" in canary.stderr
    assert "CVE-2026-2" not in canary.stderr
    assert (canary.step("image"), canary.step("task-definition")) == ("failed", "skipped")
    scene.assert_nothing_left()
    assert scene.revisions() == [1]


def test_a_clean_image_is_released_once_its_scan_is_over(scene: Scene, release: str) -> None:
    scene.server.configure(scan_seconds=2.0, scan_findings=BAD[1:])
    canary = scene.ecs_pipeline("canary", "--release", release)
    assert canary.code == 0, canary.stderr
    assert canary.message("image").endswith("; ECR's scan found 1 LOW")


def test_with_the_statement_of_the_page_the_findings_may_be_read_and_without_it_that_is_said(
    scene: Scene, release: str
) -> None:
    deployer = Deployer(scene)
    refused = deployer.runs("canary", "--release", release)
    assert refused.code == 4, refused.stderr
    assert "ecr:DescribeImageScanFindings" in refused.report["message"]
    deployer.allow([*deployer.stages["Statement"], *deployer.filled(documents()[-1])["Statement"]])
    done = deployer.runs("canary", "--release", release)
    assert done.code == 0, done.stderr
