"""What the Jenkins library carries is what is in the repository: launch with its archive, and the template."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ecs_pipeline import __version__
from tools.package import LAUNCH, REQUIREMENTS, SOURCES, members, pack

ROOT = Path(__file__).parents[2]
RESOURCES = ROOT / "resources" / "ecs_pipeline"
CURE = "run `make package` and commit resources/ecs_pipeline/launch"


def carried() -> dict[str, bytes]:
    with zipfile.ZipFile(RESOURCES / "launch") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_library_carries_the_package_as_it_is() -> None:
    here, there = members(SOURCES, REQUIREMENTS), carried()
    changed = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    assert changed == [], f"not as in python/: {CURE}"
    assert (RESOURCES / "launch").read_bytes().startswith(LAUNCH.read_bytes()), f"not as in tools/launch.sh: {CURE}"


def test_the_package_is_whole() -> None:
    names = set(carried())
    needed = {
        "__main__.py",
        "cli/commands/main.py",
        "py.typed",
        "resources/environment.yml",
        "reports/templates/report.html",
    }
    assert {f"ecs_pipeline/{name}" for name in needed} | {"requirements.txt"} <= names
    assert {Path(name).suffix for name in names} <= {".py", ".typed", ".yml", ".html", ".css", ".svg", ".txt"}


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    pack(SOURCES, REQUIREMENTS, tmp_path / "first")
    shutil.copytree(SOURCES, tmp_path / "elsewhere")
    for number, file in enumerate(file for file in (tmp_path / "elsewhere").rglob("*") if file.is_file()):
        file.chmod(0o700)
        os.utime(file, (number, number))
    (tmp_path / "elsewhere" / "ecs_pipeline" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "elsewhere" / "ecs_pipeline" / "__pycache__" / "cli.cpython-310.pyc").write_bytes(b"compiled")
    pack(tmp_path / "elsewhere", REQUIREMENTS, tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_the_requirements_pin_what_setup_cfg_asks_for() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    asked = [Requirement(line) for line in settings["options"]["install_requires"].strip().splitlines()]
    pins = (RESOURCES / "requirements.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==([^ ;]+)[^\n]* \\\n    --hash=sha256:", pins, re.MULTILINE)
    pinned = {canonicalize_name(name): version for name, version in found}
    assert len(asked) > 5
    wrong = [
        str(requirement)
        for requirement in asked
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert wrong == [], "run `make requirements`"


def test_launch_starts_the_version_of_the_package() -> None:
    assert f"\nversion={__version__}\n" in LAUNCH.read_text(encoding="utf-8"), "change it in tools/launch.sh"


def test_there_is_one_template() -> None:
    assert (SOURCES / "ecs_pipeline" / "resources" / "environment.yml").samefile(RESOURCES / "environment.yml")
