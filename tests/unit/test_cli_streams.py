"""Where a command's output leads: no Unicode, no reader, closed streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IN_MEMORY = """
import os, sys, pytest
from pathlib import Path
from tests.unit.commands import NAMED, Commands
os.fsync = lambda file: None  # as in tests/conftest.py
patch = pytest.MonkeyPatch()
class Nothing:
    def readouterr(self): return "", ""
code = Commands(patch, Nothing())(*sys.argv[1:], *NAMED).code
sys.exit(code)
"""


def in_a_process(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command on a world in memory, its stdout as the shell leads it."""
    script = folder / "in_memory.py"
    script.write_text(IN_MEMORY)
    return subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def test_a_stdout_that_knows_no_unicode_gets_it_escaped(tmp_path: Path) -> None:
    done = in_a_process(tmp_path, '"$1" "$2" canary --release A --dry-run', PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "\\u2192" in done.stdout


@pytest.mark.parametrize("words", ["status", "canary --release A --dry-run", "canary --release A --output json"])
def test_a_reader_that_has_gone_does_not_change_the_outcome(tmp_path: Path, words: str) -> None:
    done = in_a_process(tmp_path, f'{{ "$1" "$2" {words}; echo "exit $?" >&2; }} | true')
    assert done.stderr.splitlines()[-1] == "exit 0", done.stderr
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("status", 0), ("canary --release A", 0), ("nonsense", 2)])
def test_a_closed_stream_does_not_change_the_outcome(tmp_path: Path, closed: str, words: str, code: int) -> None:
    done = in_a_process(tmp_path, f'"$1" "$2" {words} {closed}')
    assert done.returncode == code


def test_what_is_closed_is_not_the_next_file_that_is_opened(tmp_path: Path) -> None:
    """AWS is away: the command ends with 4, and the reports are what they are."""
    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "eu-west-1"}
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    done = subprocess.run(
        ["sh", "-c", '"$1" -m ecs_pipeline rollback --cluster c --service s 2>&-', "sh", sys.executable],
        cwd=tmp_path,
        env={**os.environ, **environment, **keys},
        check=False,
    )
    assert done.returncode == 4
    assert json.loads((tmp_path / "ecs-pipeline-reports" / "rollback.json").read_text())["exit_code"] == 4
