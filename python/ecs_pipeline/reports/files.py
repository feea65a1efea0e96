"""Report files: written whole, replaced at once, and never a reason for a stage to fail."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.errors import InvalidInput

FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO))
BEFORE_UMASK = 0o666
"""The mode of a report file before the umask: who keeps files private keeps reports private."""
MOST_AT_ONCE, WRITES_A_SECOND = 4, 1
"""So many lines and numbers are written as they come; of more, one a second. Starts and ends of steps always are."""


_REFUSED: set[Path] = set()
"""Folders that a command was refused for: that was said, and is not said again for each report."""


def refuse_unwritable(folder: str) -> None:
    """A folder that no report can be written to, before anything is done. Raises InvalidInput.

    A full disk is not the caller's mistake: the stage goes on without reports.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return
    except OSError as error:
        if error.errno not in FULL:
            _REFUSED.add(path)
            raise InvalidInput(
                f"reports cannot be written to {folder}: {error.strerror or error}",
                cure="name a folder that can be written to: --reports DIR",
            ) from error


class ReportFolder:
    """The folder that the reports of a stage are written to; made when missing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, bytes] = {}
        self._told = False

    def write(self, name: str, content: bytes) -> None:
        """Put a file there: a reader sees the whole old one or the whole new one.

        A write error (full disk, read-only folder) is told once on stderr, and never raised: the outcome of
        the stage is worth more than its report.
        """
        path = self.path / name
        try:
            if self._written.get(name) == content and path.exists():
                return
            self.path.mkdir(parents=True, exist_ok=True)
            _replace(path, content)
            self._written[name] = content
        except OSError as error:
            self._tell(error)

    def _tell(self, error: OSError) -> None:
        if self._told or self.path in _REFUSED:
            return
        self._told = True
        with suppress(OSError, ValueError):
            sys.stderr.write(f"reports cannot be written to {self.path}: {error.strerror or error}\n")


class FileReport(ABC):
    """A listener that keeps files up to date: a killed stage leaves them as of the last event."""

    def __init__(self, folder: ReportFolder, stage: str) -> None:
        self.stage = stage
        self._folder = folder
        self._left, self._asked = float(MOST_AT_ONCE), 0.0

    @abstractmethod
    def files(self, record: StageRecord) -> Mapping[str, bytes]:
        """The files that tell of the record, by name."""

    def step_started(self, record: StageRecord, step: StepRecord) -> None:  # noqa: ARG002
        """A step begins: until it is over the files say that it was interrupted."""
        self._write(record)

    def progressed(self, record: StageRecord, step: StepRecord | None, text: str) -> None:  # noqa: ARG002
        """Something changed: written too, unless lines come so fast (a build's) that writing would slow the stage."""
        self._write_unless_flooded(record)

    def updated(self, record: StageRecord) -> None:
        """Numbers changed: written too, unless samples of checks come as fast."""
        self._write_unless_flooded(record)

    def _write_unless_flooded(self, record: StageRecord) -> None:
        earned = (record.seconds - self._asked) * WRITES_A_SECOND
        self._left, self._asked = min(self._left + earned, MOST_AT_ONCE), record.seconds
        if self._left >= 1:
            self._left -= 1
            self._write(record)

    def step_ended(self, record: StageRecord, step: StepRecord) -> None:  # noqa: ARG002
        """A step is over."""
        self._write(record)

    def finished(self, record: StageRecord) -> None:
        """The stage is over."""
        self._write(record)

    def _write(self, record: StageRecord) -> None:
        for name, content in self.files(record).items():
            self._folder.write(name, content)


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), BEFORE_UMASK & ~_umask())
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _umask() -> int:
    """The umask; it can only be read by setting it, so for that moment to the most private one."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
