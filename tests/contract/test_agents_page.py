"""The installation that docs/agents.md puts on an agent's PATH: nothing of the workspace is taken for a module."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ecs_pipeline import __version__

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")


def test_the_command_on_the_path_runs_no_code_of_the_workspace(tmp_path: Path) -> None:
    (found,) = re.findall(r"printf '(#!/bin/sh\\nexec /opt/ecs-pipeline/bin/python .*?)' > /usr/local/bin", PAGE)
    command = tmp_path / "ecs-pipeline"
    command.write_text(found.replace("\\n", "\n").replace("/opt/ecs-pipeline/bin/python", sys.executable))
    command.chmod(0o755)
    workspace = tmp_path / "workspace"
    (workspace / "ecs_pipeline").mkdir(parents=True)
    for name in ("sitecustomize.py", "usercustomize.py", "json.py", "ecs_pipeline/__init__.py"):
        (workspace / name).write_text(f"open({str(tmp_path / 'left')!r}, 'w')\n")
    environment = {**os.environ, "PYTHONPATH": str(workspace)}
    done = subprocess.run(
        [str(command), "--version"], cwd=workspace, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip().endswith(__version__)) == (0, True)
    assert not (tmp_path / "left").exists()
