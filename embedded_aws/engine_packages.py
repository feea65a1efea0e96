"""Install what a Docker engine and its images need on Debian and Ubuntu; standard library only."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path


class EngineMissing(RuntimeError):
    """No Docker engine answers and none can be started here; the message says what to install."""


LISTS = Path("/var/lib/apt/lists")
BUSYBOX = Path("/bin/busybox")
PT_INTERP = 3
#: The processes of a parallel test run find the same program missing at the same moment; apt's own wait for a lock
#: does not cover its package lists.
INSTALL_LOCK = Path("/run/ecs-pipeline-install.lock")
#: Somebody else's installation, such as the system's own upgrades, is waited for this long.
WAIT_FOR_OTHERS = "--option=DPkg::Lock::Timeout=300"


def ensure_program(program: str, package: str) -> None:
    """Install the Debian package of a program that is not on the PATH; raise EngineMissing where that is impossible."""
    if shutil.which(program) is None:
        install(package)


def ensure_busybox() -> None:
    """Install Debian's static busybox, which all stand-in images are made of, also in place of the dynamic one."""
    if not BUSYBOX.exists() or needs_interpreter(BUSYBOX):
        install("busybox-static")


def needs_interpreter(program: Path) -> bool:
    """True for a dynamic ELF program: alone in an image it cannot start (elf(5), program header PT_INTERP)."""
    with program.open("rb") as file:
        header = file.read(64)
        wide, order = header[4] == 2, "<" if header[5] == 1 else ">"
        table = struct.unpack_from(order + ("Q" if wide else "I"), header, 32 if wide else 28)[0]
        size, count = struct.unpack_from(order + "HH", header, 54 if wide else 42)
        file.seek(table)
        types = [struct.unpack(order + "I", file.read(size)[:4])[0] for _ in range(count)]
    return PT_INTERP in types


def install(package: str) -> None:
    """Install a Debian package quietly, asking nothing; the package lists are fetched first when there are none."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise EngineMissing(
            f"{package} is missing. Install it (Debian, Ubuntu: apt-get install {package}, as root) "
            "and see to it that a Docker engine answers."
        )
    with INSTALL_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(LISTS.glob("*_Packages*")):
            _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", package)


def _apt_get(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(
        ["apt-get", "-qq", WAIT_FOR_OTHERS, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise EngineMissing(f"apt-get {' '.join(arguments)} failed: {result.stderr.strip()[-500:]}")


def main() -> None:
    """Install one program where it is missing: python -m embedded_aws.engine_packages PROGRAM PACKAGE."""
    if len(sys.argv) != 3:
        raise SystemExit(main.__doc__)
    try:
        ensure_program(*sys.argv[1:])
    except EngineMissing as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
