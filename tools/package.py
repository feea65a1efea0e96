"""Makes the one file that the Jenkins library hands to an agent: tools/package.py FILE.

It is tools/launch.sh with an archive appended, which zipfile finds from the file's end: python/ecs_pipeline and the
pinned requirements. The same sources make the same bytes: sorted names, one time, one mode, nothing of the machine.
"""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "python"
LAUNCH = ROOT / "tools" / "launch.sh"
REQUIREMENTS = ROOT / "resources" / "ecs_pipeline" / "requirements.txt"
UNIX = 3
READABLE = 0o100644 << 16


def members(sources: Path, requirements: Path) -> dict[str, bytes]:
    """Contents of the archive's files by their names in it; what Python compiled is no source."""
    found = (file for file in (sources / "ecs_pipeline").rglob("*") if file.is_file() and file.suffix != ".pyc")
    package = {file.relative_to(sources).as_posix(): file.read_bytes() for file in sorted(found)}
    return {**package, "requirements.txt": requirements.read_bytes()}


def pack(sources: Path, requirements: Path, target: Path) -> None:
    """Write launch with its archive; a reader sees the old file or the new one, never a part."""
    unfinished = target.with_suffix(".new")
    with unfinished.open("wb") as file:
        file.write(LAUNCH.read_bytes())
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members(sources, requirements).items():
                entry = zipfile.ZipInfo(name)
                entry.create_system, entry.external_attr = UNIX, READABLE
                archive.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=9)
    unfinished.replace(target)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    pack(SOURCES, REQUIREMENTS, Path(sys.argv[1]))
