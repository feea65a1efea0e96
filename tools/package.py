"""Packs python/ecs_pipeline into the one resource that the Jenkins library hands to an agent: tools/package.py FILE.

The same sources make the same bytes: sorted names, one time, one mode, nothing of the machine.
"""

import sys
import zipfile
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "python"
UNIX = 3
READABLE = 0o100644 << 16


def members(sources: Path) -> dict[str, bytes]:
    """Contents of the package's files by their names in the archive; what Python compiled is no source."""
    found = (one for one in (sources / "ecs_pipeline").rglob("*") if one.is_file() and one.suffix != ".pyc")
    return {one.relative_to(sources).as_posix(): one.read_bytes() for one in sorted(found)}


def pack(sources: Path, archive: Path) -> None:
    """Write the archive; a reader sees the old one or the new one, never a part."""
    unfinished = archive.with_suffix(".new")
    with zipfile.ZipFile(unfinished, "w") as target:
        for name, content in members(sources).items():
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = UNIX, READABLE
            target.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    unfinished.replace(archive)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pack(SOURCES, Path(sys.argv[1]))
