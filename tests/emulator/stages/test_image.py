"""The image: built and pushed once, taken when it is there, pinned by digest, and nothing of the password left."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from embedded_aws.images import APP_FOLDER
from tests.emulator.stages.images import REPOSITORY
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene

NO_ENGINE = "tcp://127.0.0.1:1"


@pytest.fixture
def project(scene: Scene) -> Path:
    """A user's project: a Dockerfile and what it copies, in a clean git repository with a config."""
    shutil.copytree(APP_FOLDER, scene.folder / "app")
    scene.config(image={"context": "app", "build_args": {"VERSION": "built", "TOKEN": None}})
    (scene.folder / ".gitignore").write_text("reports-*\n")
    git(scene.folder, "init", "--quiet")
    commit(scene.folder)
    return scene.folder


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return subprocess.run(
        ["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a change")
    return git(folder, "rev-parse", "HEAD")


def tags_of(scene: Scene) -> set[str]:
    found = scene.client("ecr").describe_images(repositoryName=REPOSITORY)["imageDetails"]
    return {tag for image in found for tag in image.get("imageTags", [])}


def built(canary: Outcome) -> bool:
    return "image: build" in canary.stderr


def test_an_image_is_built_pushed_and_pinned(scene: Scene, project: Path) -> None:
    scene.start(1)
    release = f"{scene.name}-1"
    canary = scene.ecs_pipeline("canary", "--release", release, TOKEN="a-build-secret")
    assert canary.code == 0, canary.stderr
    assert built(canary)
    assert release in tags_of(scene)
    image = scene.image_of(scene.canaries()[0]["taskDefinitionArn"])
    assert image == scene.images.digest_of_tag(release)
    assert "a-build-secret" not in canary.stderr + canary.stdout + canary.junit.read_text()


def test_an_image_is_pushed_to_the_registry_that_is_named(scene: Scene, project: Path) -> None:
    scene.start(1)
    found = scene.client("ecr").describe_repositories(repositoryNames=[REPOSITORY])["repositories"][0]
    registry = f"{found['registryId']}/{scene.server.region}"
    scene.config(image={"registry": registry, "context": "app", "build_args": {"VERSION": "built"}})
    canary = scene.ecs_pipeline("canary", "--release", f"{scene.name}-r")
    assert canary.code == 0, canary.stderr
    assert f"push {found['repositoryUri']}:{scene.name}-r with the job's own AWS credentials" in canary.stderr
    scene.client("ecr").update_image_storage_class(
        repositoryName=REPOSITORY, imageId={"imageTag": f"{scene.name}-r"}, targetStorageClass="ARCHIVE"
    )
    assert scene.ecs_pipeline("rollback").code == 0
    archived = scene.ecs_pipeline("canary", "--image", f"{found['repositoryUri']}:{scene.name}-r")
    assert archived.code == 2
    assert "is ARCHIVED" in archived.stderr


def test_an_image_that_ecr_has_is_neither_built_nor_pushed_again(scene: Scene, project: Path) -> None:
    scene.start(1)
    release = f"{scene.name}-1"
    assert built(scene.ecs_pipeline("canary", "--release", release))
    assert scene.ecs_pipeline("rollback").code == 0
    again = scene.ecs_pipeline("canary", "--release", release, DOCKER_HOST=NO_ENGINE)
    assert again.code == 0, again.stderr
    assert not built(again)


def labels_of(scene: Scene, tag: str) -> dict[str, str]:
    """The labels of an image, as `docker inspect` would show them."""
    ecr = scene.client("ecr")
    (image,) = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": tag}])["images"]
    digest = json.loads(image["imageManifest"])["config"]["digest"]
    url = ecr.get_download_url_for_layer(repositoryName=REPOSITORY, layerDigest=digest)["downloadUrl"]
    labels = requests.get(url, timeout=10).json()["config"]["Labels"]
    return {key: value for key, value in labels.items() if key.startswith(("ecs-pipeline.", "org.opencontainers."))}


def test_what_is_built_says_where_it_comes_from(scene: Scene, project: Path) -> None:
    git(project, "remote", "add", "origin", "https://ann:s3cret@git.example.com/shop.git")
    scene.start(1)
    release = f"{scene.name}-1"
    assert scene.ecs_pipeline("canary", "--release", release).code == 0
    labels = labels_of(scene, release)
    committed = datetime.fromtimestamp(int(git(project, "log", "-1", "--format=%ct")), timezone.utc)
    assert labels == {
        "org.opencontainers.image.created": f"{committed:%Y-%m-%dT%H:%M:%SZ}",
        "org.opencontainers.image.revision": git(project, "rev-parse", "HEAD"),
        "org.opencontainers.image.source": "https://git.example.com/shop.git",
        "org.opencontainers.image.version": release,
        "ecs-pipeline.service": f"{scene.name}/{scene.name}",
        "ecs-pipeline.context": "app",
        "ecs-pipeline.dockerfile": "Dockerfile",
    }


@pytest.mark.parametrize("other", ["folder", "commit"])
def test_an_image_of_another_folder_or_commit_under_the_same_id_is_refused(
    scene: Scene, project: Path, other: str
) -> None:
    scene.start(1)
    release = f"{scene.name}-1"
    assert scene.ecs_pipeline("canary", "--release", release).code == 0
    assert scene.ecs_pipeline("rollback").code == 0
    if other == "folder":
        shutil.copytree(APP_FOLDER, project / "batch")
        scene.config(image={"context": "batch"})
    else:
        commit(project)
    before = (scene.marks(), scene.revisions())
    canary = scene.ecs_pipeline("canary", "--release", release)
    assert (canary.code, canary.report["failed_step"]) == (3, "image")
    why = "was built from folder app, not from batch" if other == "folder" else "is of commit "
    assert canary.report["message"].startswith(f"image {REPOSITORY}:{release} is in the registry already, and {why}")
    assert (scene.marks(), scene.revisions(), scene.canaries()) == (*before, [])


def test_an_image_that_somebody_else_pushed_is_taken_and_told(scene: Scene, project: Path) -> None:
    scene.start(1)
    scene.images.uri("v2")
    canary = scene.ecs_pipeline("canary", "--release", "v2")
    assert canary.code == 0, canary.stderr
    line = (
        f"{REPOSITORY}:v2 is taken from the registry, not built: not built by ecs-pipeline, no label names its commit"
    )
    assert f"image: {line}" in canary.stderr
    assert canary.report["notes"] == [line]


def test_of_an_index_the_image_that_the_tasks_run_is_looked_at(scene: Scene, project: Path) -> None:
    scene.start(1)
    first, index = f"{scene.name}-1", f"{scene.name}-2"
    assert scene.ecs_pipeline("canary", "--release", first).code == 0
    assert scene.ecs_pipeline("rollback").code == 0
    ecr = scene.client("ecr")
    (image,) = ecr.batch_get_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": first}])["images"]
    media_type = "application/vnd.oci.image.index.v1+json"
    entry = {
        "mediaType": image["imageManifestMediaType"],
        "digest": image["imageId"]["imageDigest"],
        "size": len(image["imageManifest"]),
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    document = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [entry]})
    ecr.put_image(repositoryName=REPOSITORY, imageManifest=document, imageManifestMediaType=media_type, imageTag=index)
    commit(project)
    canary = scene.ecs_pipeline("canary", "--release", index)
    assert (canary.code, canary.report["failed_step"]) == (3, "image")
    assert "is of commit " in canary.report["message"]


def test_an_immutable_repository_takes_a_rerun(scene: Scene, project: Path) -> None:
    scene.client("ecr").create_repository(repositoryName=scene.name, imageTagMutability="IMMUTABLE")
    scene.config(image={"context": "app", "repository": scene.name, "build_args": {"VERSION": "built"}})
    commit(scene.folder)
    scene.start(1)
    for _ in range(2):
        assert scene.ecs_pipeline("canary", "--release", "r1").code == 0
        assert scene.ecs_pipeline("rollback").code == 0


def test_the_same_clean_commit_goes_on_with_its_release_and_an_unclean_tree_does_not(
    scene: Scene, project: Path
) -> None:
    scene.start(1)
    first = scene.ecs_pipeline("canary")
    assert first.code == 0, first.stderr
    short = git(project, "rev-parse", "HEAD")[:7]
    assert re.fullmatch(rf"\d{{8}}-\d{{6}}-{short}-[0-9a-z]{{5}}", first.report["release"]["id"])
    again = scene.ecs_pipeline("canary")
    assert again.code == 0
    assert again.report["release"]["id"] == first.report["release"]["id"]
    (project / "app" / "new").write_text("a change")
    assert scene.ecs_pipeline("canary").code == 3


def test_the_password_of_ecr_is_left_nowhere(scene: Scene, project: Path) -> None:
    scene.start(1)
    canary = scene.ecs_pipeline("canary", "--release", f"{scene.name}-1")
    token = scene.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    said = (
        canary.stderr
        + canary.stdout
        + "".join(path.read_text() for path in canary.junit.parent.iterdir() if path.is_file())
    )
    assert token not in said
    assert not list(project.glob("**/config.json"))


def test_an_image_given_needs_no_engine(scene: Scene) -> None:
    scene.start(1)
    by_tag, by_digest = scene.images.uri("v2"), scene.images.digest("v2")
    for image in (by_tag, by_digest):
        canary = scene.ecs_pipeline("canary", "--image", image, "--release", "v2", DOCKER_HOST=NO_ENGINE)
        assert canary.code == 0, canary.stderr
    assert scene.image_of(scene.canaries()[0]["taskDefinitionArn"]) == by_digest


def test_the_same_image_given_goes_on_with_its_release(scene: Scene) -> None:
    scene.start(1)
    words = ("canary", "--image", scene.images.uri("v2"))
    first, second = scene.ecs_pipeline(*words), scene.ecs_pipeline(*words)
    assert first.report["release"]["id"] == second.report["release"]["id"]
    assert len(scene.canaries()) == 1


def test_a_release_id_that_lives_with_another_image_is_refused(scene: Scene) -> None:
    scene.start(1)
    scene.canary("v2", "--release", "r1")
    refused = scene.ecs_pipeline("canary", "--image", scene.images.uri("v3"), "--release", "r1")
    assert refused.code == 3
    assert "lives with image" in refused.stderr


@pytest.mark.parametrize(
    ("words", "changes", "told"),
    [
        (("--image", "{repository}:nothing"), {}, "has no image nothing"),
        (("--image", "Not/An:Image:Name"), {}, "is not an image reference"),
        ((), {"image": {"repository": "no-such-repository"}}, "no ECR repository no-such-repository"),
        ((), {"image": {"registry": "210987654321"}}, f"no ECR repository {REPOSITORY} in registry 210987654321"),
        (("--service", "nobody"), {}, "no service nobody"),
        (("--cluster", "nowhere"), {}, "no cluster nowhere"),
        ((), {"container": "ap"}, "no container ap in the task definition (did you mean app?)"),
    ],
)
def test_what_does_not_exist_is_told_in_one_line_and_nothing_is_touched(
    scene: Scene, words: tuple[str, ...], changes: dict[str, Any], told: str
) -> None:
    scene.start(1)
    scene.config(**changes)
    filled = [word.replace("{repository}", scene.images.repository) for word in words]
    canary = scene.ecs_pipeline("canary", *filled)
    assert canary.code == 2
    assert told in canary.stderr
    assert canary.cases()["preflight"] == "failure"
    assert scene.marks() == {}
    assert scene.revisions() == [1]


def test_without_an_engine_a_build_says_what_to_do(scene: Scene, project: Path) -> None:
    scene.start(1)
    canary = scene.ecs_pipeline("canary", "--release", f"{scene.name}-1", DOCKER_HOST=NO_ENGINE)
    assert canary.code == 4
    assert "no Docker engine answers" in canary.stderr
    assert "--image" in canary.stderr
    assert canary.cases()["image"] == "error"


def test_a_build_that_fails_shows_its_last_lines_and_the_same_command_resumes(scene: Scene, project: Path) -> None:
    scene.start(1)
    release, dockerfile = f"{scene.name}-1", project / "app" / "Dockerfile"
    good = dockerfile.read_text()
    dockerfile.write_text(f'{good}\nRUN ["sh", "-c", "echo nonsense here; false"]\n')
    failed = scene.ecs_pipeline("canary", "--release", release)
    assert failed.code == 4
    assert "nonsense here" in failed.stderr
    assert scene.canaries() == []
    dockerfile.write_text(good)
    assert scene.ecs_pipeline("canary", "--release", release).code == 0
