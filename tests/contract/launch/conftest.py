"""An agent for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded_aws.engine_packages import ensure_busybox, ensure_program
from tests.contract.launch.agent import SHELLS, Agent


@pytest.fixture(params=SHELLS)
def each(request: pytest.FixtureRequest, tmp_path: Path) -> Agent:
    """The same agent with each shell that an agent may have as sh."""
    return Agent(tmp_path, needed(str(request.param)))


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """An agent whose sh is dash, as Debian's and Ubuntu's."""
    return Agent(tmp_path, needed("dash"))


def needed(shell: str) -> str:
    """That shell, installed where it is missing."""
    if shell == "busybox":
        ensure_busybox()  # Debian's package busybox would take the place of the static one that the images need
    else:
        ensure_program(shell, shell)
    return shell
