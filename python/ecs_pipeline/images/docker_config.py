"""Docker's own settings: which engine a context means, and what `docker login` saved for a registry.

Read entry by entry: what is wrong with one that is not needed is of no concern, as for the `docker` command.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ecs_pipeline import programs
from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images.references import DOCKER_HUB

HUB_KEY = "https://index.docker.io/v1/"
HUB_NAMES = ("index.docker.io", "registry-1.docker.io", DOCKER_HUB)
HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
HELPER_WITHIN = 30
"""Seconds that a credential helper has for an answer."""
IDENTITY_TOKEN = "<token>"  # noqa: S105 - the user name that helpers give for one
HARMLESS = ("proxies", "HttpHeaders")
"""Members of config.json that docker-py is to have; it stumbles over the logins in it."""


@dataclass(frozen=True)
class Login:
    """User and password for a registry, or an identity token of it."""

    username: str = ""
    password: str = ""
    identity_token: str = ""

    def for_engine(self, registry: str) -> dict[str, str]:
        """As the engine takes it (Docker Engine API, "Authentication")."""
        if self.identity_token:
            return {"identitytoken": self.identity_token, "serveraddress": registry}
        return {"username": self.username, "password": self.password, "serveraddress": registry}


class NoLogin(Exception):
    """A login is configured and cannot be had; the text says why, in a line."""


def login(registry: str) -> Login | None:
    """What is saved for one registry, by file or credential helper; None when nothing is. Raises NoLogin."""
    config = read()
    helpers = config.get("credHelpers")
    keys = _keys(registry)
    named = [helpers[key] for key in keys if key in helpers] if isinstance(helpers, Mapping) else []
    helper = next(iter(named), config.get("credsStore"))
    if helper:
        found = _ask_helper(str(helper), HUB_KEY if registry == DOCKER_HUB else registry)
        if found or named:
            return found
    saved = config.get("auths")
    entries = saved.items() if isinstance(saved, Mapping) else ()
    return next((_saved(entry, str(key)) for key, entry in entries if _hostname(str(key)) in keys), None)


def read() -> Mapping[str, Any]:
    """config.json; nothing when there is none or it is no JSON object, as for the `docker` command."""
    folder = os.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        found = json.loads(yaml.read_text(path, cure="check DOCKER_CONFIG"))
    except (InvalidInput, ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def engine_of_context() -> dict[str, Any]:
    """What the client of the engine is made with for the context in use; {} means DOCKER_HOST or the default socket.

    Raises InvalidInput for a context that there is not, or that cannot be reached from here.
    """
    host = os.environ.get("DOCKER_HOST")
    if host:
        _refuse_ssh(host, "DOCKER_HOST")
        return {}
    name = os.environ.get("DOCKER_CONTEXT") or str(read().get("currentContext") or "default")
    if name == "default":
        return {}
    from docker.context import ContextAPI

    try:
        context: Any = ContextAPI.get_context(name)
        found = {"base_url": context.Host, "tls": context.TLSConfig or False} if context else {}
    except Exception as error:
        raise InvalidInput(f"Docker context {name} cannot be read: {error}", cure=ANOTHER_CONTEXT) from error
    if not found.get("base_url"):
        raise InvalidInput(f"there is no Docker context {name}", cure=ANOTHER_CONTEXT)
    _refuse_ssh(str(found["base_url"]), f"Docker context {name}")
    return found


ANOTHER_CONTEXT = "see `docker context ls`; DOCKER_CONTEXT or `docker context use` chooses one"


@contextmanager
def without_logins() -> Iterator[None]:
    """For docker-py: a config.json without the logins, for it reads all of them and fails with the first bad one."""
    kept = {key: value for key, value in read().items() if key in HARMLESS and isinstance(value, Mapping)}
    before = os.environ.get("DOCKER_CONFIG")
    with TemporaryDirectory(prefix="ecs-pipeline-") as folder:
        (Path(folder) / "config.json").write_text(json.dumps(kept), encoding="utf-8")
        os.environ["DOCKER_CONFIG"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["DOCKER_CONFIG"]
            else:
                os.environ["DOCKER_CONFIG"] = before


def _refuse_ssh(host: str, where: str) -> None:
    if host.startswith("ssh://"):
        raise InvalidInput(
            f"{where} leads to an engine over ssh, which is not supported",
            cure="forward its socket (`ssh -L`) and set DOCKER_HOST to that, or give --image",
        )


def _keys(registry: str) -> tuple[str, ...]:
    """The names under which a registry may be saved."""
    return (HUB_KEY, *HUB_NAMES) if registry in HUB_NAMES else (registry,)


def _hostname(key: str) -> str:
    """The host of an entry: older ones are URLs."""
    return re.sub(r"^https?://", "", key).partition("/")[0]


def _saved(entry: Any, key: str) -> Login | None:
    """The login of an entry of `auths`. Raises NoLogin for one that is none."""
    if not isinstance(entry, Mapping):
        raise NoLogin(f"docker's login for {_hostname(key)} is not an object")
    if entry.get("identitytoken"):
        return Login(identity_token=str(entry["identitytoken"]))
    if not entry.get("auth"):
        return None
    try:
        user, separator, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
    except ValueError:
        separator = ""
    if not separator:
        raise NoLogin(f"docker's login for {_hostname(key)} is not base64 of USER:PASSWORD")
    return Login(user, password.rstrip("\0"))


def _ask_helper(name: str, server: str) -> Login | None:
    """What a credential helper has for a server (docker-credential-helpers, "get"). Raises NoLogin."""
    helper = f"docker-credential-{name}"
    program = programs.find(helper) if HELPER.fullmatch(name) else ""
    if not program:
        raise NoLogin(f"{helper}, which docker's config.json names for {_hostname(server)}, is not installed")
    try:
        done = subprocess.run(
            [program, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=HELPER_WITHIN,
            check=False,
            env=programs.environment(aws=True),
        )
        found = json.loads(done.stdout) if done.returncode == 0 else {}
    except subprocess.TimeoutExpired as error:
        raise NoLogin(f"{helper} gave no answer within {HELPER_WITHIN}s") from error
    except (OSError, ValueError, RecursionError) as error:
        raise NoLogin(f"{helper} does not answer as a credential helper does") from error
    if not isinstance(found, Mapping) or not found.get("Secret"):
        return None
    user, secret = str(found.get("Username", "")), str(found["Secret"])
    return Login(identity_token=secret) if user == IDENTITY_TOKEN else Login(user, secret)
