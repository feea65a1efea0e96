"""The containers of one task in the Docker engine.

As on Fargate and in the awsvpc mode of EC2, all containers of a task share one network: the first one's.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import APIError, DockerException, NotFound
from ministack.core import container_reaper
from ministack.services import ecs

from embedded_aws.ecs import secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker.models.containers import Container

    from embedded_aws.api import Members
    from embedded_aws.ecs.task_images import TaskImage

DEFAULT_STOP_SECONDS = 30
_LOG_SECONDS = 2.0
_END_SECONDS = 5.0
_CLOSE_SECONDS = 10.0
_log = logging.getLogger(__name__)


class EngineClosed(DockerException):
    """The server is ending: no container is started any more."""


class _Gate:
    """Lets containers be started until it is closed; closing waits for those that are being started."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._is_closed = False

    def __enter__(self) -> None:
        with self._condition:
            if self._is_closed:
                raise EngineClosed("the server is ending")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._inside -= 1
            self._condition.notify_all()

    def close(self) -> None:
        """Let nothing start from now on."""
        with self._condition:
            self._is_closed = True
            self._condition.wait_for(lambda: self._inside == 0, _CLOSE_SECONDS)


_gate = _Gate()


def close() -> None:
    """Start no more containers, so that all there are can be removed: the scheduler would replace them."""
    _gate.close()


@cache
def engine() -> docker.DockerClient:
    """Give the client that all tasks share."""
    return docker.from_env(version="auto", max_pool_size=50)


@dataclass
class RunningContainer:
    """A started container, its definition, and the threads that wait for its end and ship its log."""

    definition: Members
    container: Container
    end: threading.Thread
    log: threading.Thread | None


@dataclass
class TaskContainers:
    """Starts, stops and removes the containers of one task; `on_exit` hears of each end by name and exit code."""

    task_arn: str
    task_definition: Members
    on_exit: Callable[[str, int], None]
    started: list[RunningContainer] = field(default_factory=list)

    def start(self, definition: Members, image: TaskImage, override: Members) -> Container:
        """Create and start one container; raise docker.errors.APIError, EngineClosed or SecretMissing."""
        settings = {**self._settings(definition, override), **self._network(definition)}
        with _gate:
            container = _create_and_start(image, settings)
        log = _ship_log(container, definition, self.task_arn.rsplit("/", 1)[-1])
        end = threading.Thread(target=self._await_exit, args=(container, definition["name"]), daemon=True)
        end.start()
        self.started.append(RunningContainer(definition, container, end, log))
        return container

    def address(self) -> str:
        """Give the task's address: that of its first container."""
        networks = self.started[0].container.attrs["NetworkSettings"]["Networks"]
        return next((str(each["IPAddress"]) for each in networks.values()), "")

    def stop(self) -> None:
        """Send SIGTERM to all, and SIGKILL to what still runs after its stopTimeout (operation StopTask)."""
        self._for_all(_stop)

    def remove(self) -> None:
        """Remove all, when their logs are shipped."""
        self._for_all(_remove)

    def _for_all(self, action: Callable[[RunningContainer], None]) -> None:
        if self.started:
            with ThreadPoolExecutor(max_workers=len(self.started)) as pool:
                list(pool.map(action, self.started))

    def _settings(self, definition: Members, override: Members) -> Members:
        environment = {each["name"]: each["value"] for each in definition.get("environment") or []}
        environment.update(secrets.resolve(definition))
        environment.update({each["name"]: each["value"] for each in override.get("environment") or []})
        return {
            "name": f"ecs-{self.task_arn.rsplit('/', 1)[-1]}-{definition['name']}",
            "command": override.get("command") or definition.get("command"),
            "entrypoint": definition.get("entryPoint"),
            "environment": environment,
            "healthcheck": _health_check(definition),
            "labels": {**container_reaper.own_labels("ecs-task"), **_labels(self.task_arn, definition)},
            "read_only": definition.get("readonlyRootFilesystem", False),
            "user": definition.get("user"),
            "volumes": ecs._docker_binds_from_taskdef(self.task_definition, definition),
            "working_dir": definition.get("workingDirectory"),
        }

    def _network(self, definition: Members) -> Members:
        if self.task_definition["networkMode"] == "host":
            return {"network_mode": "host"}
        if self.task_definition["networkMode"] == "awsvpc":
            return {"network_mode": f"container:{self.started[0].container.id}"} if self.started else {}
        ports = {
            f"{each['containerPort']}/{each['protocol']}": ("127.0.0.1", each["hostPort"] or None)
            for each in definition["portMappings"]
        }
        return {"ports": ports}

    def _await_exit(self, container: Container, name: str) -> None:
        try:
            code = int(engine().api.wait(str(container.id), timeout=None)["StatusCode"])
        except NotFound:  # removed by force
            code = 137
        self.on_exit(name, code)


def _create_and_start(image: TaskImage, settings: Members) -> Container:
    container = engine().containers.create(image.id, **settings)
    try:
        container.start()
    except APIError:
        container.remove(force=True)
        raise
    container.reload()
    return container


def _labels(task_arn: str, definition: Members) -> dict[str, str]:
    ours = {"com.amazonaws.ecs.task-arn": task_arn, "com.amazonaws.ecs.container-name": definition["name"]}
    return {**(definition.get("dockerLabels") or {}), **ours}


def _health_check(definition: Members) -> dict[str, Any] | None:
    """Translate a container's health check; the engine counts in nanoseconds (data type HealthCheck)."""
    check = definition.get("healthCheck")
    if not check:
        return None
    second = 1_000_000_000
    return {
        "test": check["command"],
        "interval": int(check.get("interval", 30) * second),
        "timeout": int(check.get("timeout", 5) * second),
        "retries": check.get("retries", 3),
        "start_period": int(check.get("startPeriod", 0) * second),
    }


def _ship_log(container: Container, definition: Members, task_id: str) -> threading.Thread | None:
    config = ecs._awslogs_config(definition, task_id, container.id)
    if not config:
        return None
    scope = ecs.get_account_id(), config["region"] or ecs.get_region()
    log = threading.Thread(target=ecs._forward_awslogs, args=(container, config, *scope), daemon=True, name="awslogs")
    log.start()
    return log


def _stop(running: RunningContainer) -> None:
    try:
        running.container.stop(timeout=running.definition.get("stopTimeout", DEFAULT_STOP_SECONDS))
    except APIError as error:  # it ended or was removed meanwhile
        _log.debug("stop of %s: %s", running.container.name, error)
    running.end.join(_END_SECONDS)


def _remove(running: RunningContainer) -> None:
    if running.log is not None:
        running.log.join(_LOG_SECONDS)
    try:
        running.container.remove(force=True, v=True)
    except APIError as error:  # it is gone
        _log.debug("removal of %s: %s", running.container.name, error)
