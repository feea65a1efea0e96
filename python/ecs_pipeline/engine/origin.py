"""Where a release comes from: the commit in the working folder, and the build that Jenkins says it is."""

from __future__ import annotations

import os
import re
import secrets
import string
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ecs_pipeline import programs
from ecs_pipeline.config.settings import RELEASE_ID
from ecs_pipeline.engine.run import Origin
from ecs_pipeline.errors import InvalidInput

SHORT, UNIQUE = 7, 5
ALPHABET = string.digits + string.ascii_lowercase
GIT_WITHIN = 30
"""Seconds that git has for an answer."""

SETTINGS = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "safe.bareRepository": "explicit",
}
"""What a repository may not decide, for all of it would run programs (git config, "core.fsmonitor" and the others)."""
PASSED_ON = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
"""Of git's own variables the ones that an agent says `safe.directory` with, and where a repository ends."""


class _NoAnswer(Exception):
    """Git gave none; the text is what it said, '' where there is no commit yet."""


def origin(folder: Path, reports: Path, environment: Mapping[str, str]) -> Origin:
    """The commit (git, else Jenkins' GIT_COMMIT), whether the tree is clean, and Jenkins' BUILD_URL.

    The reports folder does not make a tree unclean. `problem` says why git does not tell the commit of a repository.
    """
    build = environment.get("BUILD_URL", "") or environment.get("BUILD_TAG", "")
    given = without_login(environment.get("GIT_URL", ""))
    told = Origin(environment.get("GIT_COMMIT", ""), clean=False, build=build, source=given)
    try:
        if not _is_repository(folder):
            return told
        commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
        changes = _git(folder, "status", "--porcelain", "--", ".", *_without(folder, reports))
        place = _git(folder, "rev-parse", "--show-prefix")
        committed = _committed(_git(folder, "cat-file", "commit", "HEAD"))
    except _NoAnswer as why:
        return replace(told, problem=f"git does not tell the commit of {folder.resolve()}: {why}" if str(why) else "")
    source = without_login(_setting(folder, "remote.origin.url"))
    return Origin(commit, changes == "", build, source or given, place, committed)


def without_login(url: str) -> str:
    """The URL of a repository without user, password and query; '' for a path of this machine, or what is no URL.

    `git@HOST:PATH` has no secret and stays.
    """
    if re.fullmatch(r"[\w.-]+@[\w.-]+:[^\s:]+", url):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", "")) if host else ""


def new_release_id(now: datetime, commit: str) -> str:
    """UTC timestamp, short commit and something unique: 20261123-071500-ab12cd3-x7k2q.

    Two services of one repository, or two builds, may start in the same second from the same commit.
    """
    return "-".join(filter(None, (named_after(now), commit[:SHORT], unique())))


def named_after(moment: datetime) -> str:
    """A moment as a part of a name: 20261123-071500."""
    return f"{moment:%Y%m%d-%H%M%S}"


def unique() -> str:
    """A few random letters and digits, for names that nobody else may make in the same second."""
    return "".join(secrets.choice(ALPHABET) for _ in range(UNIQUE))


def checked_release_id(release: str) -> str:
    """The id, when it can be an image tag and a value of AWS' tags. Raises InvalidInput."""
    if not re.fullmatch(RELEASE_ID, release):
        raise InvalidInput(
            f"{release!r} is not a release id",
            cure="use letters, digits, `.`, `_` and `-`, at most 100, the first a letter, digit or `_`",
        )
    return release


def _committed(document: str) -> datetime | None:
    """The committer's time in a commit object."""
    found = re.search(r"^committer .* (\d{1,11}) [+-]\d{4}$", document, re.MULTILINE)
    return datetime.fromtimestamp(int(found[1]), timezone.utc) if found else None


def _is_repository(folder: Path) -> bool:
    """Whether a `.git` is there or above. Raises _NoAnswer for a folder that only looks like a repository inside.

    A commit may hold such a folder, with settings of its own. `safe.bareRepository` keeps it out since git 2.38 only.
    """
    for place in (folder.resolve(), *folder.resolve().parents):
        if (place / ".git").exists():
            return True
        if (place / "HEAD").exists() and (place / "objects").is_dir() and (place / "refs").is_dir():
            raise _NoAnswer(f"{place} is a bare repository itself")
    return False


def _setting(folder: Path, name: str) -> str:
    """A setting of the repository, '' when it has none of that name."""
    try:
        return _git(folder, "config", "--get", name)
    except _NoAnswer:
        return ""


def _git(folder: Path, *arguments: str) -> str:
    """What git prints. Raises _NoAnswer."""
    program = programs.find("git")
    if not program:
        raise _NoAnswer("there is no git")
    command = [program, "--no-optional-locks", "-C", str(folder)]
    for key, value in SETTINGS.items():
        command += ["-c", f"{key}={value}"]
    try:
        done = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=GIT_WITHIN,
            check=True,
            stdin=subprocess.DEVNULL,
            env=_environment(),
        )
    except subprocess.CalledProcessError as error:
        raise _NoAnswer(_said(error.stderr)) from error
    except subprocess.TimeoutExpired as error:
        raise _NoAnswer(f"no answer within {GIT_WITHIN}s") from error
    except OSError as error:
        raise _NoAnswer(error.strerror or str(error)) from error
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    """Git's environment: no credentials, and none of its variables that lead it to another repository or program."""
    kept = programs.environment(aws=False)
    ours = {key: value for key, value in kept.items() if not key.startswith("GIT_") or key.startswith(PASSED_ON)}
    return {**ours, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _said(errors: str) -> str:
    """The line of git's words that says what is wrong."""
    lines = [line.removeprefix("fatal: ") for line in errors.splitlines() if line.startswith("fatal: ")]
    return lines[0] if lines else errors.strip().partition("\n")[0]


def _without(folder: Path, reports: Path) -> list[str]:
    try:
        inside = reports.resolve().relative_to(folder.resolve())
    except ValueError:
        return []
    return [f":(exclude){inside}"]
