"""The web application: ministack with our layer in it, and the endpoints that control the layer."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import docker
from ministack import app as ministack_app
from ministack.core import container_reaper

from embedded_aws import application_autoscaling, behaviour, ownership, registry, service_quotas
from embedded_aws.cloudformation import installation as cloudformation
from embedded_aws.cloudwatch import alarms, metric_data
from embedded_aws.ecs import containers
from embedded_aws.ecs import installation as ecs
from embedded_aws.iam import enforcement, simulation
from embedded_aws.load_balancing import data_plane, group_settings, refusals, target_health
from embedded_aws.logs import filter_log_events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_BEHAVIOUR_PATH = "/_embedded_aws/behaviour"
_log = logging.getLogger(__name__)


def install(folder: Path) -> None:
    """Put the layer into ministack; `folder` is this server's own."""
    _own_containers(folder)
    parts = (
        registry,
        target_health,
        group_settings,
        refusals,
        data_plane,
        application_autoscaling,
        service_quotas,
        filter_log_events,
        metric_data,
        alarms,
        ecs,
        cloudformation,
        simulation,
    )
    for part in parts:
        part.install()


def application(on_start: Callable[[], None]) -> Application:
    """Give the ASGI application; `on_start` is called when it is ready to answer."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == _BEHAVIOUR_PATH:
            await _answer_behaviour(scope["method"], receive, send)
            return

        if scope["type"] == "http":
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
            key, _ = enforcement.signed(headers)
            enforcement.caller.set(key)
            if enforcement.is_limited(key):
                body = await _body(receive)
                refusal = enforcement.refusal(headers, scope["path"], scope["query_string"], body)
                if refusal:
                    await _answer(send, *refusal)
                    return
                receive = _again(body, receive)

        async def send_and_tell(message: dict[str, Any]) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                on_start()

        await ministack_app.app(scope, receive, send_and_tell if scope["type"] == "lifespan" else send)

    return serve


async def _answer_behaviour(method: str, receive: Receive, send: Send) -> None:
    body = await _body(receive)
    status = 200
    try:
        if method == "POST":
            behaviour.change(json.loads(body))
        elif method == "DELETE":
            behaviour.reset()
        answer = json.dumps(behaviour.as_json())
    except ValueError as error:
        status, answer = 400, str(error)
    await _answer(send, status, {"Content-Type": "application/json"}, answer.encode())


async def _answer(send: Send, status: int, headers: dict[str, str], body: bytes) -> None:
    given = {**headers, "Content-Length": str(len(body))}
    encoded = [(name.lower().encode(), value.encode()) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _again(body: bytes, receive: Receive) -> Receive:
    """A request whose body was read is received from its beginning."""
    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> dict[str, Any]:
        return unread.pop() if unread else await receive()

    return receive_again


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _own_containers(folder: Path) -> None:
    """Label ministack's containers as this server's, and sweep by that label only.

    ministack's own sweep goes by host and port, which the next server may share, and takes unlabelled ones too.
    """
    plain_labels = container_reaper.own_labels

    def own_labels(service: str, **extra: str) -> dict[str, str]:
        return {**plain_labels(service, **extra), ownership.FOLDER_LABEL: str(folder)}

    def sweep(include_unlabelled: bool = False) -> None:  # noqa: FBT001, FBT002 - ministack's signature
        client = docker.from_env(version="auto")
        if include_unlabelled:  # at the start
            ownership.sweep_dead_owners(client, folder)
        else:
            containers.close()
            ownership.clean_up(client, folder)

    container_reaper.instance_id = lambda: folder.name
    container_reaper.own_labels = own_labels
    ministack_app._stop_docker_containers = sweep
