"""Manifests and configurations of images, read leniently: they are what somebody pushed.

OCI Image Format Specification, "Image Index", "Image Manifest", "Image Configuration"; Docker's own forms have the same
members.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def children(manifest: str) -> list[Mapping[str, Any]]:
    """The entries of an index, [] for a plain manifest; attestations that lie beside the images are left out."""
    entries = _list(_object(manifest).get("manifests"))
    return [entry for entry in entries if _platform(entry) != "unknown/unknown"]


def members(manifest: str) -> list[str]:
    """The digests of all that an index refers to, attestations too; [] for a plain manifest."""
    return [digest for entry in _list(_object(manifest).get("manifests")) if (digest := _text(entry.get("digest")))]


def of_platform(entries: list[Mapping[str, Any]], platform: str) -> str:
    """The digest of the entry for a platform (`linux/amd64`); '' when there is none."""
    found = (entry for entry in entries if platform in (_platform(entry), _platform(entry).rpartition("/")[0]))
    return _text(next(found, {}).get("digest"))


def config_of(manifest: str) -> str:
    """The digest of the configuration; '' when the manifest has none (schema 1, an artifact)."""
    return _text(_mapping(_object(manifest).get("config")).get("digest"))


def platforms(manifest: str) -> list[str]:
    """The platforms of an index, OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT; [] for a plain manifest."""
    return [platform for entry in children(manifest) if "/" in (platform := _platform(entry))]


def platform_of(configuration: bytes) -> str:
    """The platform in a configuration; '' when it names none."""
    found = _named(_object(configuration))
    return found if "/" in found else ""


def labels_of(configuration: bytes) -> dict[str, str]:
    """The labels in a configuration."""
    labels = _mapping(_mapping(_object(configuration).get("config")).get("Labels"))
    return {str(key): value for key, value in labels.items() if isinstance(value, str)}


def _platform(entry: Mapping[str, Any]) -> str:
    """OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT."""
    return _named(_mapping(entry.get("platform")))


def _named(platform: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (_text(platform.get(key)) for key in ("os", "architecture", "variant"))))


def _object(document: str | bytes) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(document))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
