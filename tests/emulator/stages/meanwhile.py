"""What happens while a command of a test runs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene


def while_running(scene: Scene, act: Callable[[], object], *words: str) -> Outcome:
    """Run a command, and do something meanwhile."""
    command, reports = scene.command(*words)
    with subprocess.Popen(
        command,
        cwd=scene.folder,
        env=scene.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        act()
        stdout, stderr = process.communicate(timeout=120)
    return scene.outcome(words[0], process.returncode, stdout, stderr, reports)
