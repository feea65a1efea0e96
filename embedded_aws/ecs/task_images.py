"""The images of containers: pulled from our registry with its credentials, or found in the engine."""

from __future__ import annotations

import threading
from typing import NamedTuple

import docker
from docker.errors import APIError, ImageNotFound

from embedded_aws import behaviour, registry_address

THROTTLED = "pull image manifest has been retried 5 time(s): toomanyrequests: You have reached your pull rate limit: "
"""How a registry's throttle arrives (guide, "CannotPullContainer task errors")."""


class CannotPull(Exception):
    """The image could not be had; the message is the engine's (Developer Guide, "CannotPullContainerError")."""


class TaskImage(NamedTuple):
    """An image in the engine, and the digest of its manifest where it came from a registry."""

    id: str
    digest: str


class PinnedDigests:
    """What the tags of one deployment were resolved to, once for all its tasks.

    Developer Guide, "Amazon ECS container image resolution" (version consistency).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: dict[str, str] = {}

    def obtain(self, client: docker.DockerClient, container: str, reference: str) -> TaskImage:
        """Get the image that this container has in all tasks of the deployment; raise CannotPull."""
        with self._lock:
            pinned = self._digests.get(container)
            image = obtain(client, f"{_repository(reference)}@{pinned}" if pinned else reference)
            if image.digest:
                self._digests[container] = image.digest
            return image

    def as_dict(self) -> dict[str, str]:
        """Give the digests by the names of the containers."""
        with self._lock:
            return dict(self._digests)


def obtain(client: docker.DockerClient, reference: str) -> TaskImage:
    """Get an image by tag or digest; raise CannotPull."""
    if behaviour.take("throttled_pulls"):
        raise CannotPull(f"{THROTTLED}{reference}")
    ours = reference.startswith(f"{registry_address.address()}/")
    if not ours or "@" in reference:
        try:
            return _image(client, reference)
        except ImageNotFound:
            pass
    try:
        repository, separator, version = _split(reference)
        credentials = registry_address.pull_credentials() if ours else None
        client.api.pull(repository, tag=version, auth_config=credentials)
        return _image(client, f"{repository}{separator}{version}")
    except (APIError, ImageNotFound) as error:
        raise CannotPull(str(error.explanation or error)) from error


def _image(client: docker.DockerClient, reference: str) -> TaskImage:
    image = client.images.get(reference)
    repository = _repository(reference)
    digests = [each.split("@")[1] for each in image.attrs["RepoDigests"] if each.split("@")[0] == repository]
    named = reference.partition("@")[2]
    return TaskImage(str(image.id), named or (digests[0] if digests else ""))


def _split(reference: str) -> tuple[str, str, str]:
    if "@" in reference:
        return reference.partition("@")
    repository = _repository(reference)
    return repository, ":", reference[len(repository) + 1 :] or "latest"


def _repository(reference: str) -> str:
    reference = reference.partition("@")[0]
    folder, slash, name = reference.rpartition("/")
    return folder + slash + name.partition(":")[0]
