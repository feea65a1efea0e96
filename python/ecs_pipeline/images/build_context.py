"""The folder that is built, as the engine's own builder takes it: an archive without what `.dockerignore` names."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput, PipelineError, Trouble

IGNORE_FILE = ".dockerignore"
UNREADABLE = re.compile(r"Can not read file in context: (.*)")
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
READABLE = f"make it readable, or name it in {IGNORE_FILE}"


@contextmanager
def archive(context: Path, dockerfile: str) -> Iterator[tuple[IO[bytes], str]]:
    """The context as a tar file, and the Dockerfile's name in it. Raises InvalidInput for what cannot be read."""
    from docker.api.build import process_dockerfile
    from docker.utils import build

    patterns = ignored(context, dockerfile)
    try:
        inside = process_dockerfile(dockerfile, str(context))
        packed: Any = build.tar(context, exclude=list(patterns), dockerfile=inside)
    except OSError as error:
        raise unreadable(error) from error
    except (ValueError, re.error) as error:
        raise InvalidInput(f"{context}: cannot be packed: {error}", cure=f"correct {IGNORE_FILE}") from error
    with packed:
        yield packed, str(inside[0])


def ignored(context: Path, dockerfile: str) -> list[str]:
    """The patterns of `.dockerignore`, read as Docker reads it. Raises InvalidInput when it is no UTF-8 text.

    A byte-order mark is skipped: taken for a part of the first pattern, it would let an ignored file into the image.
    """
    found: list[str] = []
    for path in (context / IGNORE_FILE, context / f"{dockerfile}{IGNORE_FILE}"):
        try:
            text = yaml.read_text(path, cure="make it readable, or remove it")
        except InvalidInput as error:
            if isinstance(error.__cause__, FileNotFoundError):
                continue
            raise
        if path.name == IGNORE_FILE:
            found = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    return found


def refuse_unreadable(context: Path, dockerfile: str) -> None:
    """A file or folder of the context that this user may not read. Raises InvalidInput, naming it.

    BuildKit's client sends such a file empty, and says nothing.
    """
    from docker.utils.build import PatternMatcher

    patterns = ignored(context, dockerfile)
    matcher: Any = PatternMatcher([*patterns, f"!{dockerfile}"])
    for path in _closed(context):
        if not matcher.matches(str(path.relative_to(context))):
            raise InvalidInput(f"{path}: Permission denied", cure=READABLE)


def refuse_outside(dockerfile: Path, context: Path) -> None:
    """A Dockerfile that is a link to somewhere outside the context: the engine gets the link alone.

    Raises InvalidInput.
    """
    if dockerfile.is_symlink() and not dockerfile.resolve().is_relative_to(context.resolve()):
        raise InvalidInput(f"{dockerfile}: a link out of {context}", cure="name the file itself: image.dockerfile")


def _closed(context: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(context):
        for name in files:
            path = Path(folder) / name
            if not path.is_symlink() and not os.access(path, os.R_OK):
                yield path
        for name in folders:
            path = Path(folder) / name
            if not path.is_symlink() and not os.access(path, os.R_OK | os.X_OK):
                yield path


def unreadable(error: OSError) -> PipelineError:
    """A file of the context that cannot be read: docker-py names it, and the system's error is the cause."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if cause.errno in FULL:
        return Trouble(f"the build context cannot be packed: {cause.strerror}", cure="make room, or set TMPDIR")
    named = UNREADABLE.search(str(error))
    place = named[1] if named else str(cause.filename or "the build context")
    return InvalidInput(f"{place}: {cause.strerror or cause}", cure=READABLE)
