"""Where a build's cache comes from and goes to, as `docker buildx build --cache-from` and `--cache-to` take it.

Docker Docs, "Cache storage backends"; moby/buildkit reads an entry as one line of CSV.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

CREDENTIALS = frozenset(("access_key_id", "account_key", "secret_access_key", "session_token", "token", "ghtoken"))
"""Attributes that no file should hold: buildx takes them from the environment."""
REFERENCE = re.compile(r"[A-Za-z0-9._/:@-]+")
OF_FOLDERS = frozenset(("src", "dest"))
"""Attributes that are paths."""


def attributes(entry: str) -> dict[str, str]:
    """The attributes of an entry; a reference alone is a cache in a registry. Raises ValueError."""
    try:
        fields = next(csv.reader(io.StringIO(entry), strict=True), [])
    except csv.Error as error:
        raise ValueError(f"this cannot be read: {error}") from None
    pairs = [part.partition("=") for part in fields]
    if REFERENCE.fullmatch(entry):
        return {"type": "registry", "ref": entry}
    found = {key.strip().lower(): value for key, mark, value in pairs if mark}
    if len(found) < len(pairs) or not found.get("type"):
        raise ValueError("this is not a cache; write type=registry,ref=REPOSITORY:TAG, type=inline or type=local,…")
    secret = sorted(CREDENTIALS & set(found))
    if secret:
        raise ValueError(f"{secret[0]} does not belong in a file; buildx takes it from the environment")
    return found


def resolved(entry: str, folder: Path) -> str:
    """The entry with the paths of a local cache made absolute: buildx does not run in the config's folder."""
    found = attributes(entry)
    if found["type"] == "local":
        found |= {key: os.path.normpath(folder / found[key]) for key in OF_FOLDERS & set(found)}
    return joined(found)


def joined(pairs: Mapping[str, str]) -> str:
    """Attributes as one line of CSV."""
    return line([f"{key}={value}" for key, value in pairs.items()])


def line(fields: Sequence[str]) -> str:
    """Fields as one line of CSV."""
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(fields)
    return written.getvalue()
