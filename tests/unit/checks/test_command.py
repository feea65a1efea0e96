"""Commands: exit codes as samples, a program that is late, its children, and the facts it is told."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, UNCLEAR, Check, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.timing.clock import SystemClock
from tests.fakes.names import PREFIX
from tests.fakes.world import World
from tests.unit.checks.world import check_of, subject_of


def subject_in(folder: Path, count: int = 1) -> Subject:
    """A canary watched by the real clock, with a config in that folder."""
    subject = subject_of(World(), count)
    return replace(subject, run=replace(subject.run, clock=SystemClock(), folder=folder))


def check(subject: Subject, run: Sequence[str], **keys: Any) -> Check:
    return Kinds(subject.run.cloudwatch).make(check_of(command={"run": list(run), **keys}), subject)


def shell(subject: Subject, script: str, **keys: Any) -> Check:
    return check(subject, ["sh", "-c", script], **keys)


def sample(one: Check) -> Sample:
    one.begin()
    until = time.monotonic() + 20
    while (found := one.collect()) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    (only,) = found
    return only


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("exit 0", Sample(GOOD, "exit code 0")),
        ("echo fine; echo", Sample(GOOD, "exit code 0: fine")),
        ("echo first; echo budget is spent >&2; exit 1", Sample(BAD, "exit code 1: budget is spent")),
        ("exit 2", Sample(UNCLEAR, "exit code 2")),
        ("exit 7", Sample(MISSING, "exit code 7")),
        ("kill -9 $$", Sample(MISSING, "killed by signal 9")),
    ],
)
def test_the_exit_code_is_the_sample(tmp_path: Path, script: str, expected: Sample) -> None:
    one = shell(subject_in(tmp_path), script)
    assert sample(one) == expected
    assert one.limit == 0


def test_a_program_that_cannot_start_gives_no_data(tmp_path: Path) -> None:
    subject = subject_in(tmp_path)
    assert sample(check(subject, ["./absent"])) == Sample(
        MISSING, "./absent cannot be started: No such file or directory"
    )
    (tmp_path / "check.sh").write_text("#!/bin/sh\n")
    assert sample(check(subject, ["./check.sh"])) == Sample(MISSING, "./check.sh cannot be started: Permission denied")


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (b"#!/bin/sh\r\n", "its first line ends with a carriage return: save it with line ends of Unix"),
        (b"#! /bin/sh -e \r\n", "its first line ends with a carriage return: save it with line ends of Unix"),
        (b"#!/usr/bin/env python3\r\n", "its first line ends with a carriage return: save it with line ends of Unix"),
        (b"#!/nowhere/python\n", "its first line names /nowhere/python, which is not there"),
    ],
)
def test_one_whose_first_line_leads_nowhere_says_so(tmp_path: Path, first: bytes, why: str) -> None:
    (tmp_path / "check.sh").write_bytes(first + b"exit 0\n")
    (tmp_path / "check.sh").chmod(0o755)
    found = sample(check(subject_in(tmp_path), ["./check.sh"]))
    assert found == Sample(MISSING, f"./check.sh cannot be started: {why}")


def test_a_full_disk_is_a_sample_without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    found = sample(shell(subject_in(tmp_path), "exit 0"))
    assert found == Sample(MISSING, "sh cannot be started: No space left on device")


@pytest.mark.parametrize("aws", [False, True])
def test_it_gets_credentials_only_where_it_is_to_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, aws: bool
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_REGION", "PYTHONPATH", "ECS_PIPELINE_ARGS", "DATADOG_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PATH", f"bin:{os.environ['PATH']}")
    assert sample(shell(subject_in(tmp_path), "env > given", aws=aws)).outcome == GOOD
    given = dict(line.partition("=")[::2] for line in (tmp_path / "given").read_text().splitlines() if "=" in line)
    assert ("AWS_SECRET_ACCESS_KEY" in given, "AWS_REGION" in given) == (aws, aws)
    assert "DATADOG_KEY" in given
    assert not {"PYTHONPATH", "ECS_PIPELINE_ARGS"} & set(given)
    assert not given["PATH"].startswith("bin:")


def test_a_program_of_the_workspace_is_not_found_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "smoke-test").write_text("#!/bin/sh\n")
    (tmp_path / "smoke-test").chmod(0o755)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert sample(check(subject_in(tmp_path), ["smoke-test"])).outcome == MISSING
    assert sample(check(subject_in(tmp_path), ["./smoke-test"])).outcome == GOOD


def test_it_runs_in_the_configs_folder_without_a_shell(tmp_path: Path) -> None:
    (tmp_path / "check.sh").write_text('#!/bin/sh\necho "$# $1 in $(basename "$PWD")"\n')
    (tmp_path / "check.sh").chmod(0o755)
    one = check(subject_in(tmp_path), ["./check.sh", "$HOME; exit 1"])
    assert sample(one) == Sample(GOOD, f"exit code 0: 1 $HOME; exit 1 in {tmp_path.name}")


def test_one_that_is_late_is_killed_with_its_children(tmp_path: Path) -> None:
    one = shell(subject_in(tmp_path), "sleep 60 & echo $! > child; wait", timeout="300ms")
    assert sample(one) == Sample(MISSING, "not over within 0.3s")
    child = int((tmp_path / "child").read_text())
    assert gone(child)


def test_one_that_runs_when_the_bake_ends_is_killed(tmp_path: Path) -> None:
    one = shell(subject_in(tmp_path), "echo $$ > child; exec sleep 60")
    one.begin()
    until = time.monotonic() + 20
    while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
        assert time.monotonic() < until
        time.sleep(0.01)
    assert one.collect() is None
    one.close()
    assert gone(int((tmp_path / "child").read_text()))


def gone(process: int) -> bool:
    """Whether it ends within a while; an orphan's end may wait to be told."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            os.kill(process, 0)
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def test_the_last_lines_are_details_however_much_it_writes(tmp_path: Path) -> None:
    one = check(subject_in(tmp_path), [sys.executable, "-c", "for n in range(30000): print('line', n)"])
    assert sample(one).message == "exit code 0: line 29999"
    assert list(one.details()) == [f"line {number}" for number in range(29990, 30000)]


def test_it_is_told_the_facts(tmp_path: Path) -> None:
    subject = subject_in(tmp_path, 2)
    release = subject.run.recorder.record.release
    release.id, release.image, release.digest = "A", "web@sha256:1", "sha256:1"
    subject.run.recorder.record.share = 33.333
    subject.baseline = [replace(subject.canary[0], arn="arn:task/prd/b", address="10.9.9.9")]
    assert sample(shell(subject, 'printf %s "$ECS_PIPELINE_FACTS" > facts')).outcome == GOOD
    facts = json.loads((tmp_path / "facts").read_text())
    assert facts == {
        "cluster": "prd",
        "service": "web",
        "release": "A",
        "image": "web@sha256:1",
        "digest": "sha256:1",
        "task_definition": "",
        "previous_task_definition": "",
        "share": 33.3,
        "started": f"{subject.since:%Y-%m-%dT%H:%M:%SZ}",
        "canary": {"tasks": [{"arn": task.arn, "ip": task.address} for task in subject.canary]},
        "baseline": {"tasks": [{"arn": "arn:task/prd/b", "ip": "10.9.9.9"}]},
        "stable": {
            "tasks": [{"arn": f"{PREFIX}:task/prd/10.1.0.{last}", "ip": f"10.1.0.{last}"} for last in (1, 2, 3)]
        },
    }


def test_its_last_exit_code_and_words_are_told(tmp_path: Path) -> None:
    one = shell(subject_in(tmp_path), "echo first; echo budget 99.7 %")
    sample(one)
    assert (one.unit, one.summary()) == ("", "exit code 0: budget 99.7 %")
