"""Holds an engine and an embedded AWS in the background, for `make demo KEEP=1`, until `make demo-stop`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from embedded_aws.engine import ensure_engine
from embedded_aws.launcher import EmbeddedAws

STATE = Path(".cache") / "demo-keeper.json"
STARTED_WITHIN = 120.0


@dataclass(frozen=True)
class Kept:
    """A running keeper: what the demo needs of its embedded AWS."""

    pid: int
    endpoint: str
    environment: dict[str, str]

    def load_balancer_url(self, name: str) -> str:
        """The address at which a load balancer of this name takes requests."""
        return f"{self.endpoint}/_alb/{name}"


def start() -> Kept:
    """Start a keeper of its own session, and wait until its embedded AWS answers. Raises RuntimeError."""
    stop()
    process = subprocess.Popen([sys.executable, "-m", "demo.keeper"], start_new_session=True)
    until = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < until and process.poll() is None:
        if STATE.exists():
            return Kept(**json.loads(STATE.read_text()))
        time.sleep(0.1)
    raise RuntimeError("the embedded AWS did not start")


def stop() -> bool:
    """End the keeper that runs, if one does: by the process id that it wrote down, if that is a keeper."""
    if not STATE.exists():
        return False
    pid = int(json.loads(STATE.read_text())["pid"])
    STATE.unlink()
    if b"demo.keeper" not in _command_of(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    while b"demo.keeper" in _command_of(pid):
        time.sleep(0.1)
    return True


def hold() -> None:
    """Be the keeper: hold everything until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as everything:
        everything.enter_context(ensure_engine())
        aws = everything.enter_context(EmbeddedAws())
        kept = {"pid": os.getpid(), "endpoint": aws.endpoint, "environment": aws.environment}
        STATE.parent.mkdir(exist_ok=True)
        new = STATE.with_suffix(".new")
        new.write_text(json.dumps(kept))
        new.rename(STATE)
        while True:
            signal.pause()


def _command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="demo.keeper", description=__doc__)
    parser.add_argument("--stop", action="store_true")
    if parser.parse_args().stop:
        print("stopped" if stop() else "nothing runs")  # noqa: T201
    else:
        hold()
