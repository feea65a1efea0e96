"""Build the images of demo and tests from Debian's static busybox, for no image registry can be asked.

Each build carries the digest of its sources and arguments as a label: an image that is there is not built again.
Within one process each is looked at once.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import docker
from docker.errors import ImageNotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent / "images"
APP_FOLDER = FOLDER / "app"
BASE_IMAGE = "ecs-pipeline-demo/base:1"
BUSYBOX = Path("/bin/busybox")
_SOURCE_LABEL = "ecs-pipeline-demo.source"

APP_VARIANTS: Mapping[str, Mapping[str, str]] = {
    "v1": {"VERSION": "v1"},
    "v2": {"VERSION": "v2"},
    "v3": {"VERSION": "v3"},
    "crash": {"VERSION": "crash", "CRASH": "3"},
    "crash-when-asked": {"VERSION": "crash-when-asked", "CRASH_WHEN_ASKED": "3"},
    "unhealthy": {"VERSION": "unhealthy", "UNHEALTHY": "1"},
    "failing": {"VERSION": "failing", "FAILING": "1"},
    "slower": {"VERSION": "slower", "SLOW": "60"},
    "slow-start": {"VERSION": "slow-start", "SLOW_START": "6"},
}


@cache
def build_base() -> str:
    """Build the image that all others begin with; return its name.

    Raises FileNotFoundError when the static busybox is missing (package busybox-static, see engine.ensure_busybox).
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(FOLDER / "base" / "Dockerfile", folder)
        shutil.copy(BUSYBOX, Path(folder) / "busybox")
        return _build(Path(folder), BASE_IMAGE, {})


@cache
def build_app(variant: str) -> str:
    """Build one variant of the stand-in app (a key of APP_VARIANTS); return its name."""
    build_base()
    return _build(APP_FOLDER, f"ecs-pipeline-demo/app:{variant}", APP_VARIANTS[variant])


@cache
def build_sidecar(name: str) -> str:
    """Build the stand-in of a sidecar such as datadog or flume; return its name."""
    build_base()
    return _build(FOLDER / "sidecar", f"ecs-pipeline-demo/{name}:1", {"NAME": name})


def _build(folder: Path, image: str, arguments: Mapping[str, str]) -> str:
    client = docker.from_env(version="auto")
    source = _digest(folder, arguments, base="" if image == BASE_IMAGE else _image_id(client, BASE_IMAGE))
    try:
        if client.images.get(image).labels.get(_SOURCE_LABEL) == source:
            return image
    except ImageNotFound:
        pass
    client.images.build(path=str(folder), tag=image, buildargs=dict(arguments), labels={_SOURCE_LABEL: source}, rm=True)
    return image


def _image_id(client: docker.DockerClient, image: str) -> str:
    return str(client.images.get(image).id)


def _digest(folder: Path, arguments: Mapping[str, str], base: str) -> str:
    digest = hashlib.sha256(repr((sorted(arguments.items()), base)).encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
