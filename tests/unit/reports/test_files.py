import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.reports.files import FileReport, ReportFolder
from tests.unit.reports import stage_records


def test_the_folder_is_made_and_everybody_may_read_the_file(tmp_path: Path) -> None:
    ReportFolder(tmp_path / "reports" / "api").write("canary.json", b"{}")

    path = tmp_path / "reports" / "api" / "canary.json"
    assert path.read_bytes() == b"{}"
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_reader_never_sees_a_part_of_a_file(tmp_path: Path) -> None:
    folder, path = ReportFolder(tmp_path), tmp_path / "canary.json"
    whole = {bytes([letter]) * 2_000_000 for letter in b"abc"}
    folder.write(path.name, b"a" * 2_000_000)
    seen: set[bytes] = set()
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        for content in whole:
            folder.write(path.name, content)
    over.set()
    reader.join()

    assert len(seen) > 1
    assert seen <= whole


def test_a_file_is_on_the_disk_before_it_takes_the_old_ones_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power failure it is the old one or the new one too (fsync(2), rename(2))."""
    folder, path = ReportFolder(tmp_path), tmp_path / "canary.json"
    folder.write(path.name, b"old")
    synced: list[tuple[bytes, bytes]] = []

    def fsync(file: int) -> None:
        synced.append((os.pread(file, 10, 0), path.read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    folder.write(path.name, b"new")
    assert synced == [(b"new", b"old")]
    assert path.read_bytes() == b"new"


def test_a_write_error_is_told_once_on_one_line_and_never_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    folder = ReportFolder(tmp_path / "reports")

    folder.write("canary.json", b"{}")
    folder.write("canary.html", b"")

    told = capsys.readouterr().err.splitlines()
    assert told == [f"reports cannot be written to {tmp_path / 'reports'}: File exists"]


def test_a_closed_stderr_does_not_stop_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reports").write_text("")
    closed = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - closed on purpose
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)

    ReportFolder(tmp_path / "reports").write("canary.json", b"{}")

    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o027, 0o640)])
def test_a_report_is_as_private_as_the_umask_wants(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        ReportFolder(tmp_path).write("canary.json", b"{}")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert (tmp_path / "canary.json").stat().st_mode & 0o777 == mode


FULL_DISK = """
import resource, sys
from pathlib import Path
from ecs_pipeline.reports.files import ReportFolder
folder = ReportFolder(Path(sys.argv[1]))
folder.write("canary.json", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
folder.write("canary.json", b"x" * 5000)
folder.write("canary.html", b"x" * 5000)
sys.exit(3)
"""


def test_a_full_disk_leaves_the_old_file_whole_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1
    assert "File too large" in ended.stderr
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("canary.json", b"old")]


def test_an_unchanged_file_is_not_written_again_but_a_missing_one_is(tmp_path: Path) -> None:
    folder, path = ReportFolder(tmp_path), tmp_path / "canary.css"
    folder.write(path.name, b"same")
    first = path.stat().st_ino
    folder.write(path.name, b"same")
    assert path.stat().st_ino == first

    path.unlink()
    folder.write(path.name, b"same")
    assert path.read_bytes() == b"same"


class _Counted(FileReport):
    def files(self, record: StageRecord) -> Mapping[str, bytes]:
        return {f"{self.stage}.txt": f"{record.seconds}".encode()}


def test_files_are_up_to_date_after_every_event(tmp_path: Path) -> None:
    record = stage_records.killed_canary()
    step = record.step("bake")
    report = _Counted(ReportFolder(tmp_path), "canary")
    events: list[Callable[[], None]] = [
        lambda: report.step_started(record, step),
        lambda: report.progressed(record, step, "text"),
        lambda: report.step_ended(record, step),
        lambda: report.finished(record),
    ]
    for number, event in enumerate(events):
        record.seconds = number
        event()
        assert (tmp_path / "canary.txt").read_text() == str(number)


@pytest.mark.parametrize("flood", ["lines", "numbers"])
def test_a_flood_is_not_written_one_by_one_but_the_end_of_a_step_is(tmp_path: Path, flood: str) -> None:
    record = stage_records.killed_canary()
    report = _Told(ReportFolder(tmp_path), "canary")
    record.seconds = 0.0
    for number in range(1000):  # a build of ten seconds
        record.seconds += 0.01
        if flood == "lines":
            report.progressed(record, record.steps[0], f"line {number}")
        else:
            report.updated(record)
    assert 4 <= report.written <= 15
    record.seconds += 60
    report.progressed(record, record.steps[0], "a line after a pause")
    assert report.written <= 16
    before = report.written
    report.step_ended(record, record.steps[0])
    assert report.written == before + 1


class _Told(FileReport):
    """Counts how often it is asked for its files."""

    written = 0

    def files(self, record: StageRecord) -> Mapping[str, bytes]:
        self.written += 1
        return {"count": str(self.written).encode()}
