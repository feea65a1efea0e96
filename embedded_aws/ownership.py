"""Whose containers these are, and the removal of those whose owner is gone.

A server holds a lock on a file in its private folder for as long as it lives; its containers are labelled with that
folder. The kernel frees the lock however the server dies, so a lock that can be taken proves that the owner is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from docker.errors import APIError

if TYPE_CHECKING:
    import docker

FOLDER_LABEL = "ecs-pipeline.embedded-aws.folder"
FOLDER_PREFIX = "embedded-aws-"
_LOCK_NAME = "owner.lock"
_log = logging.getLogger(__name__)


def hold(folder: Path, registry: str) -> IO[str]:
    """Take the lock of a private folder; whoever keeps the returned file open owns what is labelled with it.

    `registry` is the address of its image registry, whose images go when it ends: nobody can pull them any more.
    """
    lock = (folder / _LOCK_NAME).open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(registry)  # until now a sweep leaves the folder alone: its owner is just starting
    lock.flush()
    return lock


def remove_containers(client: docker.DockerClient, folder: Path) -> int:
    """Kill and remove all containers of one folder's owner; give their number."""
    containers = client.containers.list(all=True, ignore_removed=True, filters={"label": f"{FOLDER_LABEL}={folder}"})
    if containers:
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(_remove, containers))
    return len(containers)


def remove_images(client: docker.DockerClient, registry: str) -> None:
    """Remove all names of images that begin with a registry's address."""
    for image in client.images.list():
        for name in [*image.tags, *(image.attrs["RepoDigests"] or [])]:
            if name.startswith(f"{registry}/"):
                try:
                    client.images.remove(name, force=True)
                except APIError as error:  # it went with another of its names
                    _log.debug("image %s: %s", name, error)


def clean_up(client: docker.DockerClient, folder: Path) -> int:
    """Remove containers and images of the owner of a folder; give the number of containers."""
    number = remove_containers(client, folder)
    with contextlib.suppress(OSError):
        registry = (folder / _LOCK_NAME).read_text()
        if registry:
            remove_images(client, registry)
    return number


def sweep_dead_owners(client: docker.DockerClient, own_folder: Path) -> None:
    """Remove the containers and folders of servers that died without cleaning up."""
    labelled = client.containers.list(all=True, ignore_removed=True, filters={"label": FOLDER_LABEL})
    folders = {Path(container.labels[FOLDER_LABEL]) for container in labelled}
    folders.update(own_folder.parent.glob(f"{FOLDER_PREFIX}*"))
    for folder in folders - {own_folder}:
        with contextlib.suppress(OSError), (folder / _LOCK_NAME).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not lock.read():
                continue
            number = clean_up(client, folder)
            shutil.rmtree(folder, ignore_errors=True)
            _log.info("removed %d containers of the dead owner of %s", number, folder)


def _remove(container: Any) -> None:
    try:
        container.remove(force=True, v=True)
    except APIError as error:  # gone already, or on its way out
        _log.debug("container %s: %s", container.id, error)
