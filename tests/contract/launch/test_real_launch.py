"""Launch with the package and the requirements that the library carries, a real venv and pip, and no network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ecs_pipeline import __version__
from tests.contract.launch.agent import REAL_PYTHON, RESOURCES, Agent

WHEELS = Path(__file__).parents[3] / ".cache" / "wheels"
"""Kept between runs, so that nothing is downloaded twice."""


def downloaded() -> Path:
    """The wheels of the pinned requirements, as an agent without network gets them."""
    pins, stamp = RESOURCES / "requirements.txt", WHEELS / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != pins.read_bytes():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"]
        subprocess.run([*command, "--dest", WHEELS, "--requirement", pins], check=True)
        shutil.copy(pins, stamp)
    return WHEELS


def test_the_whole_command_line_is_installed_from_a_folder_of_wheels(agent: Agent) -> None:
    shutil.copytree(downloaded(), agent.wheels, dirs_exist_ok=True)
    agent.carry_the_real_ones()
    agent.program("python3", f'exec "{REAL_PYTHON}" "$@"')
    done = agent.run("--version")
    assert (done.code, done.out) == (0, f"ecs-pipeline, version {__version__}\n"), done.err
    missing = agent.run("canary", "--config", "nowhere.yml")
    assert missing.code == 2
    assert "nowhere.yml: No such file" in missing.err
