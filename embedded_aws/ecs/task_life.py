"""The life of one task, from its images to its last container's exit, in a thread of its own.

Developer Guide, "Amazon ECS task lifecycle"; operation StopTask.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException
from ministack.services import cloudwatch_logs, ecs

from embedded_aws import behaviour
from embedded_aws.ecs import container_health, containers, records, task_images, task_record
from embedded_aws.ecs.secrets import SecretMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

EXIT_SECONDS = 2.0
_TAKEN_AWAY = {
    "SpotInterruption": "Your Spot Task was interrupted.",
    "TerminationNotice": "The container instance is being terminated.",
    "InfrastructureHealth": "The infrastructure of the task is not healthy.",
}
"""Why a task was stopped, by its stop code (data type Task). Only the first text is known from AWS."""
ESSENTIAL_EXITED = "Essential container in task exited"
_log = logging.getLogger(__name__)
_lives: dict[str, TaskLife] = {}


class CannotStart(Exception):
    """The task ends before it ran; the message becomes its stoppedReason."""


class TaskLife:
    """Runs one task; `drain` is called before its containers are told to stop."""

    def __init__(
        self,
        task: Record,
        definition: Record,
        pinned: task_images.PinnedDigests | None = None,
        drain: Callable[[Record], None] | None = None,
    ) -> None:
        self._task = task
        self._definition = definition
        self._pinned = pinned or task_images.PinnedDigests()
        self._drain = drain
        self._ending = threading.Event()
        self._containers = containers.TaskContainers(task["taskArn"], definition, self._exited)
        _lives[task["taskArn"]] = self

    def begin(self) -> None:
        """Start the task in the background; what was stopped before ends at once."""
        threading.Thread(target=self._live, daemon=True, name=f"task-{self._task['taskArn'][-8:]}").start()

    def stop(self, reason: str, code: str) -> None:
        """Have the task stopped; the first reason given stays."""
        if task_record.want_stopped(self._task, reason, code):
            self._ending.set()

    def _live(self) -> None:
        try:
            self._start()
            self._ending.wait()
        except CannotStart as error:
            task_record.want_stopped(self._task, str(error), "TaskFailedToStart")
        except DockerException as error:
            _log.exception("task %s", self._task["taskArn"])
            task_record.want_stopped(self._task, f"CannotStartContainerError: {error}", "TaskFailedToStart")
        self._end()

    def _start(self) -> None:
        task_record.mark(self._task, "PENDING")
        task_record.mark(self._task, "ACTIVATING", pullStartedAt=time.time())
        overrides = {each["name"]: each for each in self._task["overrides"]["containerOverrides"]}
        # An essential container first: its end is the task's, and the others live in its network.
        definitions = sorted(self._definition["containerDefinitions"], key=lambda each: not each.get("essential", True))
        for definition in definitions:
            if self._ending.is_set():
                return
            self._start_container(definition, overrides.get(definition["name"], {}))
        if not self._ending.is_set():
            task_record.mark(self._task, "RUNNING", pullStoppedAt=time.time(), startedAt=time.time())

    def _start_container(self, definition: Members, override: Members) -> None:
        shown = task_record.container(self._task, definition["name"])
        _check_log_group(definition)
        try:
            image = self._pinned.obtain(containers.engine(), definition["name"], definition["image"])
            container = self._containers.start(definition, image, override)
        except task_images.CannotPull as error:
            shown["reason"] = f"CannotPullContainerError: {error}"
            raise CannotStart(shown["reason"]) from error
        except SecretMissing as error:
            reason = "ResourceInitializationError: unable to pull secrets or registry auth: "
            raise CannotStart(f"{reason}execution resource retrieval failed: {error}") from error
        except APIError as error:
            if self._containers.started and self._ending.wait(EXIT_SECONDS):
                return  # the container whose network this one joins has just ended, and with it the task
            shown["reason"] = f"CannotStartContainerError: {error.explanation}"
            raise CannotStart(shown["reason"]) from error
        with records.lock:
            shown.update(runtimeId=container.id, imageDigest=image.digest or None)
            if shown["lastStatus"] == "PENDING":
                shown["lastStatus"] = "RUNNING"
            shown["networkBindings"] = _bindings(container.attrs["NetworkSettings"]["Ports"] or {})
        if len(self._containers.started) == 1 and self._containers.address():
            task_record.set_address(self._task, self._containers.address())
        if shown["_checked"]:
            container_health.watch(self._task, shown, container)

    def _exited(self, name: str, code: int) -> None:
        shown = task_record.container(self._task, name)
        with records.lock:
            shown.update(lastStatus="STOPPED", exitCode=code)
            self._task.setdefault("executionStoppedAt", time.time())
        if shown["_essential"]:
            self.stop(ESSENTIAL_EXITED, "EssentialContainerExited")

    def _end(self) -> None:
        try:
            if self._drain is not None:
                task_record.mark(self._task, "DEACTIVATING")
                self._drain(self._task)
        finally:
            task_record.mark(self._task, "STOPPING")
            self._containers.stop()
            task_record.mark(self._task, "DEPROVISIONING")
            self._containers.remove()
            self._close()

    def _close(self) -> None:
        _lives.pop(self._task["taskArn"], None)
        with records.lock:
            for each in self._task["containers"]:
                each["lastStatus"] = "STOPPED"
            for each in self._task["attachments"]:
                each["status"] = "DELETED"
        task_record.mark(self._task, "STOPPED", stoppedAt=time.time())


def stop(task: Record, reason: str, code: str) -> None:
    """Have a task stopped; one that is over stays as it is."""
    life = _lives.get(task["taskArn"])
    if life is not None:
        life.stop(reason, code)


def take_away() -> None:
    """Stop the tasks that AWS takes away (behaviour `taken_away`): their containers get SIGTERM as with any stop."""
    for arn, code in behaviour.current.taken_away.items():
        task = ecs._tasks.get(arn)
        if task is not None:
            stop(task, _TAKEN_AWAY[code], code)


def _check_log_group(definition: Members) -> None:
    log = definition.get("logConfiguration") or {}
    options = log.get("options") or {}
    if log.get("logDriver") != "awslogs" or options.get("awslogs-create-group") == "true":
        return
    if options.get("awslogs-group") not in cloudwatch_logs._log_groups:
        raise CannotStart(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
        )


def _bindings(ports: dict[str, list[dict[str, str]] | None]) -> list[Record]:
    return [
        {
            "bindIP": "0.0.0.0",
            "containerPort": int(port.partition("/")[0]),
            "hostPort": int(hosts[0]["HostPort"]),
            "protocol": port.partition("/")[2],
        }
        for port, hosts in ports.items()
        if hosts
    ]
