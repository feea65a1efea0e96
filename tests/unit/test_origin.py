"""Where a release comes from, asked of real git repositories."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from ecs_pipeline.engine import origin as origins
from ecs_pipeline.engine.origin import checked_release_id, new_release_id, origin, without_login
from ecs_pipeline.errors import InvalidInput

REPORTS = "ecs-pipeline-reports"


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody, whatever this machine's settings are."""
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repo"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "main.py").write_text("1\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def is_clean(folder: Path, reports: str = REPORTS) -> bool:
    return origin(folder, folder / reports, {}).clean


def test_a_commit_in_a_clean_tree_is_known(repository: Path) -> None:
    found = origin(repository, repository / REPORTS, {})
    assert (found.commit, found.clean) == (git(repository, "rev-parse", "HEAD"), True)


@pytest.mark.parametrize("change", ["changed", "new", "removed", "staged"])
def test_any_change_makes_the_tree_unclean_and_keeps_the_commit(repository: Path, change: str) -> None:
    if change == "removed":
        (repository / "app" / "main.py").unlink()
    else:
        (repository / "app" / ("new.py" if change == "new" else "main.py")).write_text("2\n")
    if change == "staged":
        git(repository, "add", ".")
    found = origin(repository, repository / REPORTS, {})
    assert (found.commit, found.clean) == (git(repository, "rev-parse", "HEAD"), False)


@pytest.mark.parametrize("reports", [REPORTS, "app/reports", "a [b] 'c'"])
def test_the_reports_do_not_make_it_unclean(repository: Path, reports: str) -> None:
    (repository / reports).mkdir(parents=True)
    (repository / reports / "canary.json").write_text("{}")
    assert is_clean(repository, reports)
    assert not is_clean(repository, "elsewhere")


def test_reports_outside_the_repository_do_not_matter(repository: Path, tmp_path: Path) -> None:
    assert is_clean(repository, str(tmp_path / "reports"))
    (repository / "new").touch()
    assert not is_clean(repository, str(tmp_path / "reports"))


def test_relative_reports_are_found_from_the_working_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    (repository / REPORTS).mkdir()
    (repository / REPORTS / "canary.json").write_text("{}")
    assert origin(Path(), Path(REPORTS), {}).clean


def test_ignored_files_do_not_matter(repository: Path) -> None:
    (repository / ".gitignore").write_text("build/\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "ignore")
    (repository / "build").mkdir()
    (repository / "build" / "x").touch()
    assert is_clean(repository)


def test_a_repository_without_a_commit_is_not_clean(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    found = origin(tmp_path, tmp_path / REPORTS, {})
    assert (found.commit, found.clean) == ("", False)


def test_without_a_repository_the_commit_is_that_of_jenkins_and_nothing_is_known_to_be_clean(tmp_path: Path) -> None:
    found = origin(tmp_path, tmp_path / REPORTS, {"GIT_COMMIT": "c0ffee"})
    assert (found.commit, found.clean) == ("c0ffee", False)


def test_without_git_it_is_the_same(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    found = origin(repository, repository / REPORTS, {"GIT_COMMIT": "c0ffee"})
    assert (found.commit, found.clean) == ("c0ffee", False)


def test_the_repository_goes_before_what_jenkins_says(repository: Path) -> None:
    assert origin(repository, repository, {"GIT_COMMIT": "c0ffee"}).commit == git(repository, "rev-parse", "HEAD")


def test_the_place_within_the_repository_is_known_and_its_url(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://ann:s3cret@git.example.com/shop.git?x=1")
    found = origin(repository / "app", repository / REPORTS, {})
    assert (found.source, found.place) == ("https://git.example.com/shop.git", "app/")
    assert origin(repository, repository / REPORTS, {}).place == ""


def test_the_time_of_the_commit_is_known(repository: Path) -> None:
    told = git(repository, "log", "-1", "--format=%ct")
    assert origin(repository, repository / REPORTS, {}).committed == datetime.fromtimestamp(int(told), timezone.utc)


def test_without_a_repository_neither_is_known_but_what_jenkins_says(tmp_path: Path) -> None:
    found = origin(tmp_path, tmp_path / REPORTS, {"GIT_COMMIT": "c0ffee", "GIT_URL": "https://u:p@git.example.com/s"})
    assert (found.source, found.place, found.committed) == ("https://git.example.com/s", None, None)
    assert origin(tmp_path, tmp_path / REPORTS, {}).source == ""


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("git@git.example.com:shop.git", "git@git.example.com:shop.git"),
        ("ssh://git:pw@git.example.com:22/shop.git", "ssh://git.example.com:22/shop.git"),
        ("https://token@git.example.com/shop.git#x", "https://git.example.com/shop.git"),
        ("/srv/git/shop.git", ""),
        ("file:///srv/git/shop.git", ""),
        ("https://[::1/shop.git", ""),
        ("", ""),
    ],
)
def test_no_password_is_left_in_a_url(url: str, shown: str) -> None:
    assert without_login(url) == shown


# ---- what a commit, or what lies in the workspace, may not do


def evil(folder: Path) -> tuple[Path, Path]:
    """A program of the workspace, and the file that it leaves when it was run."""
    left, program = folder.parent / "left", folder.parent / "evil.sh"
    program.write_text(f"#!/bin/sh\nenv > {left}\ncat\n")
    program.chmod(0o755)
    return program, left


EMBEDDED = """[core]
    repositoryformatversion = 0
    bare = false
    worktree = .
    fsmonitor = {program}
    hooksPath = {hooks}
    pager = {program}
[filter "evil"]
    clean = {program}
    process = {program}
"""


@pytest.mark.parametrize("version", ["as it is", "before 2.38"])
def test_no_program_of_a_repository_that_a_commit_holds_is_run(
    repository: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    program, left = evil(repository)
    inner = repository / "services" / "a"
    for name in ("objects", "refs"):
        (inner / name).mkdir(parents=True)
    (inner / "HEAD").write_text("ref: refs/heads/main\n")
    (inner / "config").write_text(EMBEDDED.format(program=program, hooks=program.parent))
    (inner / ".gitattributes").write_text("* filter=evil\n")
    (inner / "ecs-pipeline.yml").write_text("app: web\n")
    if version == "before 2.38":
        settings = {key: value for key, value in origins.SETTINGS.items() if key != "safe.bareRepository"}
        monkeypatch.setattr(origins, "SETTINGS", settings)
    found = origin(inner, inner / REPORTS, {"GIT_COMMIT": "c0ffee"})
    assert (found.commit, found.clean) == ("c0ffee", False)
    assert found.problem == f"git does not tell the commit of {inner}: {inner} is a bare repository itself"
    assert origin(inner / "refs", inner, {}).problem.endswith("is a bare repository itself")
    assert not left.exists()


def test_no_program_that_the_repositorys_own_settings_name_is_run(repository: Path) -> None:
    program, left = evil(repository)
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / "post-index-change").write_text(program.read_text())
    (hooks / "post-index-change").chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(program))
    os.utime(repository / "app" / "main.py", (1, 1))
    assert is_clean(repository)
    assert not left.exists()


@pytest.mark.parametrize("path", [".", "", "bin", "./bin", "/nowhere:bin:"])
def test_no_program_of_the_workspace_is_taken_for_git(
    repository: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    program, left = evil(repository)
    (repository / "bin").mkdir()
    for place in (repository / "git", repository / "bin" / "git"):
        place.write_bytes(program.read_bytes())
        place.chmod(0o755)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", f"{path}:{os.environ['PATH']}")
    assert origin(repository, repository, {}).commit == git_commit(repository)
    assert not left.exists()


def git_commit(repository: Path) -> str:
    return (repository / ".git" / (repository / ".git" / "HEAD").read_text().split()[1]).read_text().strip()


def saying(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A `git` on the path that does what the test says."""
    (folder.parent / "bin").mkdir()
    program = folder.parent / "bin" / "git"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder.parent / 'bin'}:/usr/bin:/bin")


def test_git_is_told_no_credentials_and_no_other_repository(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "ECS_PIPELINE_ARGS", "PYTHONPATH", "GIT_DIR", "GIT_EXTERNAL_DIFF"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    saying(repository, monkeypatch, f"env > {repository.parent}/given; echo c0ffee")
    origin(repository, repository, {})
    given = dict(line.partition("=")[::2] for line in (repository.parent / "given").read_text().splitlines())
    assert "HOME" in given or "HOME" not in os.environ
    assert given["GIT_CONFIG_COUNT"] == "0"
    assert not {key for key in given if key.startswith(("AWS_", "ECS_", "PYTHON"))} | {"GIT_DIR"} & set(given)
    assert "GIT_EXTERNAL_DIFF" not in given


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'fatal: detected dubious ownership in repository at /x' >&2; echo To add >&2; exit 128",
            "detected dubious ownership in repository at /x",
        ),
        ("printf 'broken \\033[2J\\377\\n' >&2; exit 1", "broken"),
        ("exit 1", None),
    ],
)
def test_what_git_says_of_a_repository_that_is_there_is_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str | None
) -> None:
    saying(repository, monkeypatch, script)
    found = origin(repository, repository, {"GIT_COMMIT": "c0ffee"})
    assert (found.commit, found.clean) == ("c0ffee", False)
    assert found.problem.startswith(f"git does not tell the commit of {repository}: {why}" if why else "")


def test_git_that_does_not_come_to_an_end_is_left(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "GIT_WITHIN", 0.2)
    saying(repository, monkeypatch, "exec sleep 60")
    assert origin(repository, repository, {}).problem.endswith(": no answer within 0.2s")


@pytest.mark.parametrize(
    ("environment", "build"),
    [
        ({"BUILD_URL": "https://ci/7/", "BUILD_TAG": "jenkins-7"}, "https://ci/7/"),
        ({"BUILD_TAG": "jenkins-7"}, "jenkins-7"),
        ({"BUILD_URL": "", "BUILD_TAG": "jenkins-7"}, "jenkins-7"),
        ({}, ""),
    ],
)
def test_the_build_is_the_one_that_jenkins_names(tmp_path: Path, environment: dict[str, str], build: str) -> None:
    assert origin(tmp_path, tmp_path, environment).build == build


@pytest.mark.parametrize(("commit", "name"), [("ab12cd3456", "20261123-071500-ab12cd3"), ("", "20261123-071500")])
def test_a_new_id_begins_with_time_and_short_commit_and_is_one_that_may_be_given(commit: str, name: str) -> None:
    made = new_release_id(datetime(2026, 11, 23, 7, 15, tzinfo=timezone.utc), commit)
    assert re.fullmatch(f"{name}-[0-9a-z]{{5}}", checked_release_id(made))


def test_ids_of_one_second_and_one_commit_differ() -> None:
    now = datetime(2026, 11, 23, 7, 15, tzinfo=timezone.utc)
    assert len({new_release_id(now, "ab12cd3456") for _ in range(50)}) == 50


@pytest.mark.parametrize("release", ["", "-a", ".a", "a b", "a/b", "a:b", "a@b", "é", "a" * 101, "a\n", "a,b", "$(id)"])
def test_what_cannot_be_an_image_tag_is_no_id(release: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{re.escape(repr(release))} is not a release id; use letters, digits"):
        checked_release_id(release)
