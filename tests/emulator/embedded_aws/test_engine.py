"""The Docker engine: used where one answers, started where none does, ended with its last user."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from embedded_aws import engine, engine_packages
from embedded_aws.engine import EngineSettings, answers, ensure_engine
from embedded_aws.engine_packages import EngineMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def settings() -> Iterator[EngineSettings]:
    """An engine beside the machine's own: in namespaces of its own, so that it can take nothing away.

    Its folder's name is short, for the sockets in it may have 104 characters.
    """
    with tempfile.TemporaryDirectory(prefix="engine-") as name:
        folder = Path(name)
        yield EngineSettings(
            folder=folder / "run",
            data_root=folder / "data",
            host=f"unix://{folder}/d.sock",
            program=("unshare", "--net", "--mount", "dockerd"),
            options=("--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"),
        )


def test_an_engine_that_answers_is_used(engine: str) -> None:
    assert answers(engine)
    with ensure_engine() as again:
        assert again == engine
    assert answers(engine)


def test_an_engine_is_started_shared_and_ended_with_its_last_user(settings: EngineSettings) -> None:
    with ensure_engine(settings):
        pid = settings.pid_file.read_text()
        with ensure_engine(settings):
            assert settings.pid_file.read_text() == pid
        assert answers(settings.host)
    assert not answers(settings.host)
    assert not Path(f"/proc/{pid}").exists()


def test_stale_pid_files_do_not_stop_the_start(settings: EngineSettings) -> None:
    """dockerd refuses to start when any process has the number in its pid file."""
    containerd = settings.folder / "exec" / "containerd" / "containerd.pid"
    for pid_file in (settings.pid_file, containerd):
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        pid_file.write_text(str(os.getpid()))
    with ensure_engine(settings):
        assert settings.pid_file.read_text() != str(os.getpid())


def test_a_dead_containerd_socket_is_removed_and_a_living_one_stays(settings: EngineSettings, tmp_path: Path) -> None:
    socket_file = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(socket_file))
        server.listen()
        engine.remove_stale_files(settings, socket_file)
        assert socket_file.exists()
    engine.remove_stale_files(settings, socket_file)
    assert not socket_file.exists()


def test_the_command_keeps_to_its_own_folders(settings: EngineSettings) -> None:
    command = engine.start_command(EngineSettings())
    assert command[0] == "dockerd"
    assert "--pidfile=/run/ecs-pipeline-engine/dockerd.pid" in command
    assert "--exec-root=/run/ecs-pipeline-engine/exec" in command
    assert "--data-root=/var/lib/ecs-pipeline-engine" in command
    assert engine.start_command(settings)[-1] == "--storage-driver=vfs"


def test_an_engine_that_cannot_start_is_told_with_its_log(settings: EngineSettings) -> None:
    broken = EngineSettings(settings.folder, settings.data_root, settings.host, options=("--no-such-option",))
    with pytest.raises(EngineMissing, match=r"(?s)dockerd did not start.*no-such-option"), ensure_engine(broken):
        pytest.fail("it started")


def test_a_named_engine_that_does_not_answer_is_not_replaced(monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineMissing, match="DOCKER_HOST"), ensure_engine():
        pytest.fail("it answered")


def test_where_nothing_can_be_installed_the_cure_is_told(monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineMissing, match=r"apt-get install docker\.io"):
        engine_packages.ensure_program("dockerd", "docker.io")


@pytest.fixture
def apt_get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Put a script in apt-get's place, without package lists, and with a lock that no real installation holds."""

    def replace(script: str) -> None:
        program = tmp_path / "apt-get"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setattr(engine_packages, "INSTALL_LOCK", tmp_path / "install.lock")
        monkeypatch.setattr(engine_packages, "LISTS", tmp_path)

    return replace


def test_package_lists_are_fetched_where_there_are_none(tmp_path: Path, apt_get: Callable[[str], None]) -> None:
    calls = tmp_path / "calls"
    apt_get(f'echo "$DEBIAN_FRONTEND $*" >>{calls}')
    engine_packages.install("docker.io")
    (tmp_path / "x_Packages.lz4").touch()
    engine_packages.install("docker.io")
    quietly = "noninteractive -qq --option=DPkg::Lock::Timeout=300"
    install = f"{quietly} install --yes --no-install-recommends docker.io"
    assert calls.read_text().splitlines() == [f"{quietly} update", install, install]


def test_installations_that_begin_at_once_run_one_after_the_other(
    tmp_path: Path, apt_get: Callable[[str], None]
) -> None:
    """Threads stand for processes: each opens the lock file anew, and flock tells these apart."""
    calls = tmp_path / "calls"
    apt_get(f"mkdir {tmp_path}/at-work && sleep 0.2 && rmdir {tmp_path}/at-work && echo done >>{calls}")
    (tmp_path / "x_Packages.lz4").touch()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(engine_packages.install, ["no-such-package"] * 4))
    assert calls.read_text().splitlines() == ["done"] * 4


@pytest.mark.parametrize(("program", "installed"), [(sys.executable, True), (None, True), ("/bin/busybox", False)])
def test_a_busybox_that_is_missing_or_dynamic_is_replaced(
    program: str | None, *, installed: bool, tmp_path: Path, apt_get: Callable[[str], None], monkeypatch: Any
) -> None:
    """Debian's packages busybox and busybox-static have the same path; only the second starts in an empty image."""
    engine_packages.ensure_busybox()
    calls = tmp_path / "calls"
    apt_get(f"echo $* >>{calls}")
    (tmp_path / "x_Packages.lz4").touch()
    monkeypatch.setattr(engine_packages, "BUSYBOX", Path(program) if program else tmp_path / "none")
    engine_packages.ensure_busybox()
    assert (calls.exists() and "busybox-static" in calls.read_text()) == installed


def test_a_program_can_be_asked_for_on_the_command_line(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.argv", ["engine_packages", "sh", "no-such-package"])
    engine_packages.main()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="no-such-package is missing"):
        engine_packages.main()
