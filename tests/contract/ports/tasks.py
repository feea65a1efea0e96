"""Tasks: RunTask, StopTask, DescribeTasks, ListTasks, and their tags."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.errors import Trouble
from ecs_pipeline.model.release import Epoch
from tests.contract.ports.ports import Ports

TAGS = {"ecs-pipeline:service": "web", "ecs-pipeline:release": "v2", "ecs-pipeline:turn": "abc/v1"}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


class TaskContract:
    def test_a_task_is_as_it_was_asked_for(self, ports: Ports) -> None:
        arn = ports.run(tags=tag_list(TAGS), startedBy="canary/web")
        task = ports.task(arn)
        assert (task.arn, task.revision, task.started_by) == (arn, ports.revision, "canary/web")
        assert (task.of, task.release, task.epoch) == ("web", "v2", Epoch("abc", "v1"))
        assert task.group == f"family:{ports.revision.rpartition('/')[2].rpartition(':')[0]}"
        assert task.alive
        assert task.desired_status == "RUNNING"
        assert not task.overridden
        assert [container.name for container in task.containers] == ["app"]
        assert (task.stop_code, task.stopped_reason) == ("", "")

    def test_a_task_runs_and_has_an_address(self, ports: Ports) -> None:
        task = ports.running()
        assert [(container.status, container.exit_code) for container in task.containers] == [("RUNNING", None)]
        assert task.health == "UNKNOWN", "its container has no health check"

    def test_a_token_stands_for_one_task(self, ports: Ports) -> None:
        """API reference, "Ensuring idempotency"."""
        token, started_by = ports.name("token"), ports.name("starter")
        first = ports.run(token, startedBy=started_by)
        assert ports.run(token, startedBy=started_by) == first
        assert ports.ecs.arns_started_by(started_by, "RUNNING") == [first]
        assert ports.run(startedBy=started_by) != first
        assert len(ports.ecs.arns_started_by(started_by, "RUNNING")) == 2

    def test_a_token_with_other_parameters_names_the_task_it_stands_for(self, ports: Ports) -> None:
        """RunTask, ConflictException: resourceIds. Nothing is started, and the task stays as it was."""
        token, started_by = ports.name("token"), ports.name("starter")
        first = ports.run(token, startedBy=started_by, tags=tag_list(TAGS))
        other = ports.registered(ports.name("other")).revision.arn
        again = ports.run(token, other, startedBy=started_by, tags=tag_list({**TAGS, "ecs-pipeline:release": "v3"}))
        assert again == first
        assert ports.task(first).release == "v2"
        assert ports.ecs.arns_started_by(started_by, "RUNNING") == [first]

    def test_a_token_stands_for_a_task_that_has_stopped(self, ports: Ports) -> None:
        """RunTask, clientToken: until 24 hours, or an hour after the task stopped."""
        token = ports.name("token")
        arn = ports.run(token)
        ports.ecs.stop_task(arn, "enough")
        assert ports.run(token) == arn
        ports.stopped(arn)
        assert ports.run(token) == arn

    def test_a_task_that_is_told_to_stop_is_listed_as_stopped_at_once(self, ports: Ports) -> None:
        """ListTasks filters by the desired status."""
        started_by = ports.name("starter")
        arn, other = (ports.run(startedBy=started_by) for _ in range(2))
        ports.ecs.stop_task(arn, "enough")
        assert ports.ecs.arns_started_by(started_by, "RUNNING") == [other]
        assert ports.ecs.arns_started_by(started_by, "STOPPED") == [arn]
        assert [task.arn for task in ports.ecs.tasks_started_by(started_by)] == [other]
        assert [task.arn for task in ports.ecs.tasks_started_by(started_by, "STOPPED")] == [arn]

    def test_what_a_stopped_task_shows(self, ports: Ports) -> None:
        task = ports.running()
        ports.ecs.stop_task(task.arn, "release v2 is cancelled")
        told = ports.task(task.arn)
        assert not told.alive
        assert told.desired_status == "STOPPED"
        stopped = ports.stopped(task.arn)
        assert (stopped.stop_code, stopped.stopped_reason) == ("UserInitiated", "release v2 is cancelled")
        assert stopped.desired_status == "STOPPED"
        assert (stopped.revision, stopped.started_by, stopped.group) == (task.revision, task.started_by, task.group)
        assert stopped.address == task.address
        assert [container.status for container in stopped.containers] == ["STOPPED"]

    def test_a_task_loses_its_tags_when_it_is_told_to_stop(self, ports: Ports) -> None:
        """StopTask: "Any tags associated with the task are deleted"."""
        arn = ports.run(tags=tag_list(TAGS))
        ports.ecs.stop_task(arn, "enough")
        for task in (ports.task(arn), ports.stopped(arn)):
            assert (task.of, task.release, task.epoch) == ("", "", Epoch())

    def test_the_first_reason_stays(self, ports: Ports) -> None:
        arn = ports.run()
        ports.ecs.stop_task(arn, "the first")
        ports.ecs.stop_task(arn, "the second")
        assert ports.stopped(arn).stopped_reason == "the first"
        ports.ecs.stop_task(arn, "the third")
        assert ports.task(arn).stopped_reason == "the first"

    def test_what_is_no_task_counts_as_stopped(self, ports: Ports) -> None:
        nobody = ports.run()[:-4] + "none"
        ports.ecs.stop_task(nobody, "enough")
        assert ports.ecs.tasks([nobody]) == ()
        assert ports.ecs.tasks([]) == ()
        assert not ports.ecs.tag_task(nobody, {"team": "lab"})

    def test_a_task_whose_container_exits(self, ports: Ports) -> None:
        """Data type Task, stopCode; StopTask tells that tags go with a stop, whoever stops it."""
        arn = ports.run(revision=ports.registered(ports.name("crash"), "crash").revision.arn, tags=tag_list(TAGS))
        task = ports.stopped(arn)
        assert (task.stop_code, task.stopped_reason) == (
            "EssentialContainerExited",
            "Essential container in task exited",
        )
        assert [(container.status, container.exit_code) for container in task.containers] == [("STOPPED", 3)]
        assert task.release == ""

    def test_a_running_task_takes_tags(self, ports: Ports) -> None:
        arn = ports.run(tags=tag_list(TAGS))
        assert ports.ecs.tag_task(arn, {"ecs-pipeline:release": "v3", "ecs-pipeline:verdict": "pass"})
        task = ports.task(arn)
        assert (task.of, task.release, task.verdict) == ("web", "v3", "pass")

    def test_a_task_that_is_told_to_stop_takes_no_tags(self, ports: Ports) -> None:
        arn = ports.run(tags=tag_list(TAGS))
        ports.ecs.stop_task(arn, "enough")
        assert not ports.ecs.tag_task(arn, {"ecs-pipeline:verdict": "pass"})
        ports.stopped(arn)
        assert not ports.ecs.tag_task(arn, {"ecs-pipeline:verdict": "pass"})
        assert ports.task(arn).verdict == ""

    def test_tasks_are_found_by_family_until_they_are_told_to_stop(self, ports: Ports) -> None:
        family = ports.name("family")
        first, second = (ports.registered(family).revision.arn for _ in range(2))
        arns = [ports.run(revision=revision) for revision in (first, second)]
        ports.run(revision=ports.registered(family + "x").revision.arn)
        assert {task.arn for task in ports.ecs.tasks_of_family(family)} == set(arns)
        assert {*arns} < {task.arn for task in ports.ecs.running_tasks()}
        ports.ecs.stop_task(arns[0], "enough")
        assert {task.arn for task in ports.ecs.tasks_of_family(family)} == {arns[1]}
        assert arns[0] not in {task.arn for task in ports.ecs.running_tasks()}

    def test_what_runs_on_a_revision_uses_it(self, ports: Ports) -> None:
        (cluster,) = (arn for arn in ports.account.clusters() if arn.endswith(f"/{ports.ecs.service().cluster}"))
        revision = ports.registered(ports.name("used")).revision.arn
        arn = ports.run(revision=revision)
        assert f"task {arn.rpartition('/')[2]}" in {
            use.user for use in ports.account.uses(cluster) if use.revision == revision
        }
        ports.ecs.stop_task(arn, "enough")
        assert revision not in {use.revision for use in ports.account.uses(cluster)}

    def test_what_was_started_with_another_command_says_so(self, ports: Ports) -> None:
        overrides = {"containerOverrides": [{"name": "app", "command": ["sleep", "60"]}]}
        task = ports.task(ports.run(overrides=overrides))
        assert task.overridden
        assert task.commands == (("app", ("sleep", "60")),)

    @pytest.mark.parametrize("revision", ["inactive", "unknown"])
    def test_a_task_needs_an_active_revision(self, ports: Ports, revision: str) -> None:
        """DeregisterTaskDefinition: "you cannot use an INACTIVE task definition to run new tasks"."""
        started_by, arn = ports.name("starter"), ports.revision + "0000"
        if revision == "inactive":
            arn = ports.registered(ports.name("inactive")).revision.arn
            ports.definitions.deregister(arn)
        with pytest.raises(Trouble, match="ClientException"):
            ports.run(revision=arn, startedBy=started_by)
        assert ports.ecs.arns_started_by(started_by, "RUNNING") == []

    def test_a_task_goes_on_when_its_revision_is_deregistered(self, ports: Ports) -> None:
        """DeregisterTaskDefinition: "Existing tasks and services … continue to run without disruption"."""
        revision = ports.registered(ports.name("family")).revision.arn
        token = ports.name("token")
        arn = ports.run(token, revision)
        ports.definitions.deregister(revision)
        ports.eventually(lambda: ports.task(arn), lambda task: task.status == "RUNNING")
        assert ports.run(token, revision) == arn, "the token stands for it all the same"

    @pytest.mark.parametrize(
        "parameters",
        [
            {"tags": tag_list({f"key-{number}": "value" for number in range(51)})},
            {"tags": tag_list({"key": "v" * 257})},
            {"tags": tag_list({"key": "a|b"})},
            {"tags": tag_list({"aws:key": "value"})},
            {"startedBy": "canary/a service"},
            {"startedBy": "s" * 129},
            {"clientToken": "t" * 65},
        ],
    )
    def test_what_run_task_refuses(self, ports: Ports, parameters: dict[str, Any]) -> None:
        """RunTask, startedBy and clientToken; data type Tag."""
        with pytest.raises(Trouble, match="InvalidParameterException"):
            ports.run(**parameters)
