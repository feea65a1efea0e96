"""Start and end an embedded AWS from any Python; standard library only."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from embedded_aws.defaults import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_VENV = ROOT / ".cache" / "embedded-aws"
START_SECONDS = 60.0
STOP_SECONDS = 30.0


class StartFailed(RuntimeError):
    """The server did not come up; the message ends with the tail of its log."""


class EmbeddedAws:
    """A running embedded AWS: a context manager that starts it and removes every trace of it at the end.

    It ends with the process that started it, however that dies. `venv` holds ministack (requirements/embedded-aws.txt).
    """

    def __init__(self, venv: Path = DEFAULT_VENV, region: str = REGION, account: str = ACCOUNT) -> None:
        self.venv = venv.absolute()
        self.region = region
        self.account = account
        self.endpoint = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    def __enter__(self) -> EmbeddedAws:
        """Start the server and wait until it answers; raise StartFailed when it does not."""
        self._folder = Path(tempfile.mkdtemp(prefix="embedded-aws-"))
        try:
            self._start(self._folder)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server and remove its containers and its folder."""
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make the AWS CLI and SDKs talk to this instance."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid if self._process else 0

    def load_balancer_url(self, name: str) -> str:
        """Give the address at which a load balancer of this name takes requests."""
        return f"{self.endpoint}/_alb/{name}"

    def configure(self, **behaviour: Any) -> None:
        """Set behaviour switches (see behaviour.py); raise ValueError when one is unknown."""
        self._behaviour("POST", behaviour)

    def reset_behaviour(self) -> None:
        """Switch all behaviour switches off."""
        self._behaviour("DELETE", {})

    def log_tail(self, lines: int = 40) -> str:
        """Give the last lines of the server's log."""
        if self._folder is None:
            return ""
        text = (self._folder / "server.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """End the server: SIGTERM, then SIGKILL; then nothing of it is left."""
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            if process.returncode != 0 and folder is not None:
                self._clean_up(folder)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, folder: Path) -> None:
        options = ("--region", self.region, "--account", self.account)
        with (folder / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command("embedded_aws.server", folder, *options),
                cwd=folder,
                stdin=subprocess.PIPE,  # closes when this process dies, which ends the server
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._server_environment(folder),
            )
        assert self._process.stdout is not None
        self.endpoint = self._first_line(self._process.stdout)

    def _first_line(self, output: IO[bytes]) -> str:
        deadline = time.monotonic() + START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            ready = selector.select(deadline - time.monotonic())
        line = output.readline().decode().strip() if ready else ""
        if not line:
            what = "died" if ready else f"said nothing for {START_SECONDS:.0f} s"
            raise StartFailed(f"the embedded AWS {what}; its log ends with:\n{self.log_tail()}")
        return line

    def _command(self, module: str, folder: Path, *arguments: str) -> list[str]:
        python = self.venv / "bin" / "python"
        if not python.exists():
            raise StartFailed(
                f"{python} is missing: create it with python3 -m venv {self.venv} "
                f"and {self.venv}/bin/pip install -r requirements/embedded-aws.txt"
            )
        return [str(python), "-m", module, "--folder", str(folder), *arguments]

    def _server_environment(self, folder: Path) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TMPDIR": str(folder)}

    def _clean_up(self, folder: Path) -> None:
        command = self._command("embedded_aws.clean_up", folder)
        subprocess.run(command, cwd=ROOT, env=self._server_environment(folder), check=False, capture_output=True)

    def _behaviour(self, method: str, values: Mapping[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/_embedded_aws/behaviour", json.dumps(values).encode(), method=method
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with contextlib.closing(opener.open(request, timeout=10)) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None
