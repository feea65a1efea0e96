"""Instances of the embedded AWS: side by side, ending with their parent, leaving nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import docker
import pytest

from embedded_aws.launcher import ROOT, EmbeddedAws, StartFailed
from embedded_aws.ownership import FOLDER_LABEL
from tests.emulator.embedded_aws.environment import Environment, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

STARTER = """
import sys
from embedded_aws.launcher import EmbeddedAws
with EmbeddedAws() as running:
    print(running.endpoint, running.pid, flush=True)
    sys.stdin.read()
"""


def clients(running: EmbeddedAws) -> Callable[[str], Any]:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=running.region)
    return lambda service: session.client(service, endpoint_url=running.endpoint)


def containers_of(task: str) -> list[Any]:
    engine = docker.from_env(version="auto")
    return list(engine.containers.list(all=True, filters={"label": f"com.amazonaws.ecs.task-arn={task}"}))


def run_task(running: EmbeddedAws) -> str:
    environment = Environment(running, clients(running))
    task = environment.run(environment.register("v1"))
    environment.wait_for_task(task)
    return task


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_two_instances_know_nothing_of_each_other(embedded_aws: EmbeddedAws) -> None:
    with EmbeddedAws() as other:
        task, others_task = run_task(embedded_aws), run_task(other)
        clusters = clients(other)("ecs").list_clusters()["clusterArns"]
        assert len(clusters) == 1
        assert len(containers_of(others_task)) == 1
    assert containers_of(others_task) == []
    assert len(containers_of(task)) == 1
    embedded_client = clients(embedded_aws)("ecs")
    embedded_client.stop_task(cluster=task.split("/")[1], task=task)


def test_the_environment_leads_the_sdk_to_the_instance(embedded_aws: EmbeddedAws, monkeypatch: Any) -> None:
    for name, value in embedded_aws.environment.items():
        monkeypatch.setenv(name, value)
    assert boto3.client("sts").get_caller_identity()["Account"] == embedded_aws.account
    assert boto3.client("ecs").meta.region_name == embedded_aws.region


def test_an_instance_ends_with_the_process_that_started_it(engine: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdin is not None
    assert starter.stdout is not None
    with starter.stdin, starter.stdout:
        endpoint, server = starter.stdout.readline().split()
        orphan = EmbeddedAws()
        orphan.endpoint = endpoint
        task = run_task(orphan)
        starter.kill()
        starter.wait()
        wait_for(lambda: is_gone(int(server)))
    assert containers_of(task) == []


def test_what_a_killed_instance_left_is_swept_by_the_next(engine: str) -> None:
    killed = EmbeddedAws()
    killed.__enter__()
    task = run_task(killed)
    folder = Path(containers_of(task)[0].labels[FOLDER_LABEL])
    os.kill(killed.pid, signal.SIGKILL)
    wait_for(lambda: is_gone(killed.pid))
    assert len(containers_of(task)) == 1
    with EmbeddedAws():
        wait_for(lambda: containers_of(task) == [])
        wait_for(lambda: not folder.exists())
    killed.stop()


def test_the_scheduler_replaces_nothing_while_its_server_ends(engine: str) -> None:
    with EmbeddedAws() as running:
        environment = Environment(running, clients(running))
        environment.create_service(environment.register("v1"), count=3, loadBalancers=[])
        environment.wait_until_stable()
        folder = containers_of(environment.tasks()[0]["taskArn"])[0].labels[FOLDER_LABEL]
    label: dict[str, Any] = {"label": f"{FOLDER_LABEL}={folder}"}
    assert docker.from_env(version="auto").containers.list(all=True, filters=label) == []


def test_a_server_that_dies_at_the_start_is_noticed_with_its_log(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho broken >&2\nexit 7\n")
    program.chmod(0o755)
    with pytest.raises(StartFailed, match=r"(?s)died.*broken"):
        EmbeddedAws(venv=tmp_path).__enter__()


def test_a_missing_environment_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"pip install -r requirements/embedded-aws\.txt"):
        EmbeddedAws(venv=tmp_path).__enter__()


def test_an_unknown_behaviour_is_refused(embedded_aws: EmbeddedAws) -> None:
    with pytest.raises(ValueError, match="unknown behaviour 'nonsense'"):
        embedded_aws.configure(nonsense=True)
    with pytest.raises(ValueError, match="cannot be"):
        embedded_aws.configure(placement_failures="many")


def test_stopping_what_was_never_started_removes_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    EmbeddedAws().stop()
    assert (tmp_path / "file").exists()
