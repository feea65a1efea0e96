"""Amazon ECR at the embedded AWS' own address, for the engine's pushes and pulls."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
import requests
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment
from tests.emulator.embedded_aws.repository import Repository


def test_another_accounts_registry_has_nothing_to_show(environment: Environment) -> None:
    """DescribeRepositories and DescribeImages, parameter registryId."""
    repository = Repository(environment)
    own = repository.ecr.describe_repositories(repositoryNames=[repository.name])["repositories"][0]["registryId"]
    described = repository.ecr.describe_repositories(registryId=own, repositoryNames=[repository.name])
    assert described["repositories"][0]["repositoryUri"] == repository.uri
    other = {"registryId": "210987654321"}
    with pytest.raises(ClientError, match=r"RepositoryNotFoundException.*210987654321"):
        repository.ecr.describe_repositories(repositoryNames=[repository.name], **other)
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        repository.ecr.describe_images(repositoryName=repository.name, **other)


def test_an_archived_image_is_shown_only_to_who_asks_for_it(environment: Environment) -> None:
    """UpdateImageStorageClass; data type DescribeImagesFilter: by default "only images with ACTIVE status"."""
    repository = Repository(environment)
    assert repository.push("v1", "one") == ""
    image = {"repositoryName": repository.name, "imageId": {"imageTag": "one"}}
    repository.ecr.update_image_storage_class(**image, targetStorageClass="ARCHIVE")
    asked = {"repositoryName": repository.name, "imageIds": [{"imageTag": "one"}]}
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        repository.ecr.describe_images(**asked)
    shown = repository.ecr.describe_images(**asked, filter={"imageStatus": "ANY"})["imageDetails"]
    assert [each["imageStatus"] for each in shown] == ["ARCHIVED"]
    repository.ecr.update_image_storage_class(**image, targetStorageClass="STANDARD")
    assert repository.digest("one")


def test_images_are_pushed_and_pulled_with_the_token(environment: Environment) -> None:
    """GetAuthorizationToken; the registry refuses who has none (ECR User Guide, "Private registry authentication")."""
    repository = Repository(environment)
    port = environment.server.endpoint.rpartition(":")[2]
    assert repository.uri == f"127.0.0.1:{port}/{environment.name}"
    data = repository.ecr.get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == f"http://127.0.0.1:{port}"
    assert "unauthorized" in repository.push("v1", "one", {"username": "AWS", "password": "wrong"})
    assert repository.push("v1", "one") == ""
    repository.engine.images.remove(f"{repository.uri}:one")
    pulled = repository.engine.images.pull(repository.uri, tag="one", auth_config=repository.credentials())
    assert f"{repository.uri}@{repository.digest('one')}" in pulled.attrs["RepoDigests"]


def test_an_immutable_tag_keeps_its_digest(environment: Environment) -> None:
    """ECR User Guide, "Preventing image tags from being overwritten"; PutImage, its two errors."""
    repository = Repository(environment, imageTagMutability="IMMUTABLE")
    assert repository.push("v1", "one") == ""
    assert repository.push("v1", "one") == ""
    assert "immutable" in repository.push("v2", "one")
    assert repository.push("v2", "two") == ""
    manifests = repository.ecr.batch_get_image(
        repositoryName=repository.name, imageIds=[{"imageTag": "one"}, {"imageTag": "two"}]
    )["images"]
    one, two = (each["imageManifest"] for each in manifests)
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        repository.ecr.put_image(repositoryName=repository.name, imageManifest=one, imageTag="one")
    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        repository.ecr.put_image(repositoryName=repository.name, imageManifest=two, imageTag="one")
    repository.ecr.put_image(repositoryName=repository.name, imageManifest=one, imageTag="latest")
    assert repository.digest("latest") == repository.digest("one")


def test_a_layers_url_opens_this_layer_and_nothing_else(environment: Environment) -> None:
    """GetDownloadUrlForLayer: "the pre-signed Amazon S3 download URL corresponding to an image layer … referenced in an
    image"; of the configuration too, as Docker's pull asks for both in the same way.
    """
    repository = Repository(environment)
    repository.push("v1", "one")
    (image,) = repository.ecr.batch_get_image(repositoryName=repository.name, imageIds=[{"imageTag": "one"}])["images"]
    manifest = json.loads(image["imageManifest"])
    for blob in (manifest["config"], *manifest["layers"]):
        answer = repository.ecr.get_download_url_for_layer(repositoryName=repository.name, layerDigest=blob["digest"])
        assert answer["layerDigest"] == blob["digest"]
        content = requests.get(answer["downloadUrl"], timeout=10).content
        assert f"sha256:{hashlib.sha256(content).hexdigest()}" == blob["digest"]
    url = str(answer["downloadUrl"])
    others = (f"{url[:-1]}x", url.partition("?")[0], url.replace(blob["digest"], manifest["config"]["digest"]))
    assert [requests.get(other, timeout=10).status_code for other in others] == [401, 401, 401]
    assert requests.delete(url, timeout=10).status_code == 401
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        repository.ecr.get_download_url_for_layer(repositoryName=repository.name, layerDigest=f"sha256:{64 * '0'}")


def test_excluded_tags_may_move(environment: Environment) -> None:
    """CreateRepository: IMMUTABLE_WITH_EXCLUSION and its filters."""
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    repository = Repository(
        environment,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    described = repository.ecr.describe_repositories(repositoryNames=[repository.name])["repositories"][0]
    assert described["imageTagMutabilityExclusionFilters"] == filters
    assert repository.push("v1", "dev-x") + repository.push("v2", "dev-x") == ""
    assert repository.push("v1", "one") == ""
    assert "immutable" in repository.push("v2", "one")


def test_tags_and_images_are_deleted_apart(environment: Environment) -> None:
    """BatchDeleteImage: a tag is taken away, and the image with its last tag; ListImages: one id a tag."""
    repository = Repository(environment)
    repository.push("v1", "one")
    repository.push("v1", "two")
    assert len(repository.ecr.list_images(repositoryName=repository.name)["imageIds"]) == 2
    repository.ecr.batch_delete_image(repositoryName=repository.name, imageIds=[{"imageTag": "one"}])
    details = repository.ecr.describe_images(repositoryName=repository.name)["imageDetails"]
    assert [each["imageTags"] for each in details] == [["two"]]
    assert details[0]["imageSizeInBytes"] > 500_000
    repository.ecr.batch_delete_image(repositoryName=repository.name, imageIds=[{"imageTag": "two"}])
    assert repository.ecr.describe_images(repositoryName=repository.name)["imageDetails"] == []


def test_what_is_missing_has_an_error_of_its_own(environment: Environment) -> None:
    """DescribeImages, errors ImageNotFoundException and RepositoryNotFoundException."""
    repository = Repository(environment)
    with pytest.raises(ClientError, match="ImageNotFoundException"):
        repository.digest("none")
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        repository.ecr.describe_images(repositoryName="no-such-repository")


def test_tasks_pull_from_the_registry_and_tell_the_digest(environment: Environment) -> None:
    """Data type Container, imageDigest: the digest of the image manifest."""
    repository = Repository(environment)
    repository.push("v1", "one")
    digest = repository.digest("one")
    repository.engine.images.remove(f"{repository.uri}:one")
    for image in (f"{repository.uri}:one", f"{repository.uri}@{digest}"):
        arn = environment.run(environment.register("v1", container={"image": image}))
        assert environment.wait_for_task(arn)["containers"][0]["imageDigest"] == digest


def test_a_deployment_resolves_a_tag_once(environment: Environment) -> None:
    """Developer Guide, "Container image resolution": all tasks of a deployment run the same digest."""
    repository = Repository(environment)
    repository.push("v1", "stable")
    first = repository.digest("stable")
    definition = environment.register("v1", container={"image": f"{repository.uri}:stable"})
    environment.create_service(definition, loadBalancers=[])
    environment.wait_until_stable()
    repository.push("v2", "stable")
    environment.update(desiredCount=2)

    def digests() -> list[str]:
        return [each["containers"][0].get("imageDigest", "") for each in environment.tasks()]

    wait_for(lambda: digests() == [first, first])
    environment.update(forceNewDeployment=True)
    wait_for(lambda: digests() == [repository.digest("stable")] * 2)


def test_an_image_goes_after_the_index_that_refers_to_it(environment: Environment) -> None:
    """BatchDeleteImage, data type ImageFailure: ImageReferencedByManifestList; at most 100 identifiers."""
    repository = Repository(environment)
    assert repository.push("v1", "one") == ""
    child = repository.digest("one")
    media = "application/vnd.oci.image.index.v1+json"
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": child, "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, "manifests": [entry]})
    name = {"repositoryName": repository.name}
    repository.ecr.put_image(**name, imageManifest=manifest, imageManifestMediaType=media, imageTag="all")
    index = repository.digest("all")
    refused = repository.ecr.batch_delete_image(**name, imageIds=[{"imageDigest": child}])
    assert [failure["failureCode"] for failure in refused["failures"]] == ["ImageReferencedByManifestList"]
    assert repository.digest("one") == child
    for digest in (index, child):
        answer = repository.ecr.batch_delete_image(**name, imageIds=[{"imageDigest": digest}])
        assert answer["failures"] == []
    assert repository.ecr.describe_images(**name)["imageDetails"] == []
    with pytest.raises(ClientError, match="InvalidParameter"):
        repository.ecr.batch_delete_image(**name, imageIds=[{"imageDigest": index}] * 101)
