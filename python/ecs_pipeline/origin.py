"""Where a release comes from: the commit in the working folder, and the build that Jenkins says it is."""

from __future__ import annotations

import re
import secrets
import string
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.run import Origin
from ecs_pipeline.settings import RELEASE_ID

SHORT, UNIQUE = 7, 5
ALPHABET = string.digits + string.ascii_lowercase
GIT_WITHIN = 30


def origin(folder: Path, reports: Path, environment: Mapping[str, str]) -> Origin:
    """The commit (git, else Jenkins' GIT_COMMIT), whether the tree is clean, and Jenkins' BUILD_URL.

    The reports folder does not make a tree unclean.
    """
    build = environment.get("BUILD_URL", "") or environment.get("BUILD_TAG", "")
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        source = without_login(environment.get("GIT_URL", ""))
        return Origin(environment.get("GIT_COMMIT", ""), clean=False, build=build, source=source)
    changes = _git(folder, "status", "--porcelain", "--", ".", *_without(folder, reports))
    source = without_login(_git(folder, "config", "--get", "remote.origin.url") or environment.get("GIT_URL", ""))
    place = _git(folder, "rev-parse", "--show-prefix")
    return Origin(commit, changes == "", build, source, place, _committed(_git(folder, "cat-file", "commit", "HEAD")))


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


def _committed(document: str | None) -> datetime | None:
    """The committer's time in a commit object."""
    found = re.search(r"^committer .* (\d{1,11}) [+-]\d{4}$", document or "", re.MULTILINE)
    return datetime.fromtimestamp(int(found[1]), timezone.utc) if found else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None when there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=GIT_WITHIN, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _without(folder: Path, reports: Path) -> list[str]:
    try:
        inside = reports.resolve().relative_to(folder.resolve())
    except ValueError:
        return []
    return [f":(exclude){inside}"]
