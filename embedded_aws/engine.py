"""Use the Docker engine that answers, else install and start one; standard library only.

An engine that was started here is ended when its last user ends. Its users hold a shared lock on a file; whoever can
take that lock alone at the end stops the engine by its process id.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from embedded_aws.engine_packages import EngineMissing, ensure_busybox, ensure_program

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_HOST = "unix:///var/run/docker.sock"
SYSTEM_CONTAINERD = Path("/run/containerd/containerd.sock")
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class EngineSettings:
    """Where an engine of ours lives: its own pid files, log and state, so that another one's cannot stop it."""

    folder: Path = Path("/run/ecs-pipeline-engine")
    data_root: Path = Path("/var/lib/ecs-pipeline-engine")
    host: str = DEFAULT_HOST
    #: How dockerd is started; a second engine beside another one belongs in namespaces of its own
    #: ("unshare", "--net", "--mount", "dockerd"), for without them --bridge=none removes the other's bridge.
    program: tuple[str, ...] = ("dockerd",)
    options: tuple[str, ...] = ()

    @property
    def pid_file(self) -> Path:
        """Holds the process id of the engine that was started here."""
        return self.folder / "dockerd.pid"

    @property
    def log(self) -> Path:
        """The engine's output."""
        return self.folder / "dockerd.log"


@contextlib.contextmanager
def ensure_engine(settings: EngineSettings | None = None) -> Iterator[str]:
    """Give the address of a Docker engine that answers, starting one where needed; end it after its last user.

    Raises EngineMissing where none can be installed or started, and when DOCKER_HOST names one that does not answer.
    """
    named = os.environ.get("DOCKER_HOST") if settings is None else None
    if named and not answers(named):
        raise EngineMissing(f"No Docker engine answers at DOCKER_HOST={named}: start it, or unset DOCKER_HOST.")
    ensure_busybox()
    ours = settings or EngineSettings()
    host = named or ours.host
    is_foreign = answers(host) and not ours.pid_file.exists()
    with contextlib.nullcontext() if named or is_foreign else _shared_engine(ours):
        yield host


def answers(host: str) -> bool:
    """Whether a Docker engine answers at this address (Docker Engine API, operation SystemPing)."""
    connection = _connection(host)
    try:
        connection.request("GET", "/_ping")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def start_command(settings: EngineSettings) -> list[str]:
    """Build dockerd's command line."""
    return [
        *settings.program,
        f"--host={settings.host}",
        f"--pidfile={settings.pid_file}",
        f"--exec-root={settings.folder / 'exec'}",
        f"--data-root={settings.data_root}",
        "--log-opt=max-size=5m",
        *settings.options,
    ]


def remove_stale_files(settings: EngineSettings, containerd_socket: Path = SYSTEM_CONTAINERD) -> None:
    """Remove what a dead engine left and a new one would stumble over.

    dockerd refuses to start when the number in its pid file belongs to any process, and it joins a containerd whose
    socket file exists, also when nobody listens there any more.
    """
    for pid_file in (settings.pid_file, settings.folder / "exec" / "containerd" / "containerd.pid"):
        if pid_file.exists() and not _is_engine(_read_pid(pid_file)):
            pid_file.unlink()
    if containerd_socket.exists() and not _listens(containerd_socket):
        containerd_socket.unlink()


@contextlib.contextmanager
def _shared_engine(settings: EngineSettings) -> Iterator[None]:
    settings.folder.mkdir(parents=True, exist_ok=True)
    with (settings.folder / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (settings.folder / "start.lock").open("w") as starter:
            fcntl.flock(starter, fcntl.LOCK_EX)
            if not answers(settings.host):
                _start(settings)
        try:
            yield
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _stop(settings)


def _start(settings: EngineSettings) -> None:
    ensure_program("dockerd", "docker.io")
    if answers(settings.host):  # the package's own service may have started it
        return
    remove_stale_files(settings)
    with settings.log.open("ab") as log:
        process = subprocess.Popen(
            start_command(settings), stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not answers(settings.host):
        if process.poll() is not None or time.monotonic() > deadline:
            _end(process)
            tail = settings.log.read_text(errors="replace")[-1500:]
            raise EngineMissing(f"dockerd did not start:\n{tail}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End an engine that does not answer; SIGTERM first, for with that it ends its containerd and its mounts too."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _stop(settings: EngineSettings) -> None:
    pid = _read_pid(settings.pid_file)
    if not _is_engine(pid):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_engine(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline += STOP_SECONDS
        time.sleep(0.1)
    with contextlib.suppress(ChildProcessError):  # a child of this process would stay a zombie
        os.waitpid(pid, 0)


def _read_pid(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text().strip())
    except (OSError, ValueError):
        return 0


def _is_engine(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    name, state = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2]
    return name in {"dockerd", "containerd"} and state != "Z"


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(path)) == 0


def _connection(host: str) -> http.client.HTTPConnection:
    parts = urlsplit(host)
    if parts.scheme != "unix":
        return http.client.HTTPConnection(parts.hostname or "localhost", parts.port or 2375, timeout=5)
    connection = http.client.HTTPConnection("localhost", timeout=5)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(5)
    with contextlib.suppress(OSError):
        connection.sock.connect(parts.path)
    return connection
