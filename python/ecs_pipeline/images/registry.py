"""The digest of an image in any registry, by the registry's own HTTP API; no Docker engine is needed.

OCI Distribution Specification, "Checking if content exists in the registry"; tokens as in Docker Registry's
"Token Authentication Specification". Credentials come from where `docker login` left them, if anywhere.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from ecs_pipeline import bounded_http
from ecs_pipeline.bounded_http import Ask, NoAnswer, Received
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.images import docker_config
from ecs_pipeline.images.docker_config import Login, NoLogin
from ecs_pipeline.images.references import DIGEST, DOCKER_HUB, Reference
from ecs_pipeline.timing.clock import Clock
from ecs_pipeline.timing.retry import Transient, call

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
HUB_API = "registry-1.docker.io"
DIGEST_HEADER = "Docker-Content-Digest"
TIMEOUT = 10.0
MOST_BODY = 4 * 1024 * 1024
"""Bytes of a manifest: registries take no larger ones (Distribution Specification, "Pushing Manifests")."""
TOKEN = re.compile(r"[!-~]{1,32768}")
CURE = "check --image, or give it by digest (…@sha256:…)"


def digest_of(reference: Reference, clock: Clock) -> str:
    """The digest that a registry has under a tag.

    Raises InvalidInput when there is none, it may not be read or no registry answers, Trouble when that may pass.
    """
    asked = _Asked(reference)
    answer = call(lambda: asked.answer("HEAD"), clock, attempts=4)
    found = answer.headers.get(DIGEST_HEADER, "")
    if answer.status == 200 and DIGEST.fullmatch(found):
        return found
    if answer.status == 200:
        return asked.digest(call(lambda: asked.answer("GET"), clock, attempts=4))
    raise asked.refusal(answer.status)


class _Asked:
    """One image that a registry is asked for."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._host = HUB_API if reference.registry == DOCKER_HUB else reference.registry
        self._near = _is_loopback(urlsplit(f"//{self._host}").hostname or "")
        self._no_login = ""

    def answer(self, method: str) -> Received:
        """What the registry answers, with the login that it wants. Raises what `retry` knows."""
        scheme = "http" if self._near else "https"  # as Docker does it
        url = f"{scheme}://{self._host}/v2/{self._reference.repository}/manifests/{self._reference.tag}"
        request = Ask(
            url,
            TIMEOUT,
            MOST_BODY,
            method=method,
            headers={"Accept": ", ".join(MANIFESTS)},
            from_environment=True,
            follow=self._is_safe,
        )
        answer = self._sent(request)
        return self._with_login(request, answer) if answer.status == 401 else answer

    def digest(self, answer: Received) -> str:
        """The digest of a manifest, from what was fetched; a registry that tells one tells the same."""
        if answer.status != 200:
            raise self.refusal(answer.status)
        digest, told = f"sha256:{hashlib.sha256(answer.body).hexdigest()}", answer.headers.get(DIGEST_HEADER, "")
        if answer.cut or not _is_manifest(answer) or told not in ("", digest):
            raise InvalidInput(f"image {self._name}: what answers at {self._host} is not a registry", cure=CURE)
        return digest

    def refusal(self, status: int) -> InvalidInput:
        """What to say when the registry does not hand it out."""
        wants = "the registry wants credentials" + (f" ({self._no_login})" if self._no_login else "")
        reasons = {401: wants, 403: "the registry forbids it", 404: "no such image"}
        why = reasons.get(status, f"the registry answered {status}")
        return InvalidInput(f"image {self._name}: {why}", cure=CURE)

    @property
    def _name(self) -> str:
        return f"{self._reference.name}:{self._reference.tag}"

    def _sent(self, request: Ask) -> Received:
        try:
            answer = bounded_http.ask(request)
        except NoAnswer as error:
            raise self._judged(error) from error
        if answer.status == 407:
            raise self._unreachable("the proxy wants a login", "check HTTPS_PROXY")
        if answer.status == 429 or answer.status >= 500:
            raise Transient(self._unreachable(f"HTTP {answer.status}"))
        return answer

    def _judged(self, error: NoAnswer) -> Exception:
        if error.kind == bounded_http.NO_HOST:
            return InvalidInput(f"image {self._reference.name}: there is no host {self._host}", cure="check --image")
        if error.kind == bounded_http.PROXY_LOGIN:
            return self._unreachable(str(error), "check HTTPS_PROXY")
        failure = self._unreachable(str(error))
        return Transient(failure) if error.may_pass else failure

    def _unreachable(self, why: str, cure: str = "check the network, or give the image by digest") -> Trouble:
        return Trouble(f"registry {self._host}: {why}", cure=cure)

    def _with_login(self, request: Ask, refused: Received) -> Received:
        kind, _, rest = refused.headers.get("WWW-Authenticate", "").partition(" ")
        login = self._login()
        auth = (login.username, login.password) if login and login.username else None
        if kind.lower() == "basic":
            return self._sent(replace(request, auth=auth))
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = wanted.pop("realm", "")
        if kind.lower() != "bearer" or not self._is_safe(realm):
            return refused
        answer = self._sent(
            Ask(realm, TIMEOUT, MOST_BODY, auth=auth, params=wanted, from_environment=True, follow=self._is_safe)
        )
        if answer.status != 200:
            return answer
        token = self._token(answer)
        bearer = {**request.headers, "Authorization": f"Bearer {token}"}
        return self._sent(replace(request, headers=bearer)) if token else refused

    def _token(self, answer: Received) -> str:
        """The token that a token server hands out, '' for none that a header can hold."""
        found = _json_of(answer)
        if not isinstance(found, Mapping):
            raise Transient(self._unreachable("its token server answers something else than a token"))
        token = found.get("token") or found.get("access_token")
        return token if isinstance(token, str) and TOKEN.fullmatch(token) else ""

    def _login(self) -> Login | None:
        try:
            return docker_config.login(self._reference.registry)
        except NoLogin as why:
            self._no_login = str(why)
            return None

    def _is_safe(self, url: str) -> bool:
        """Whether a registry may send us there: not in the clear, nor to this machine's own servers.

        A registry on this machine may.
        """
        try:
            place = urlsplit(url)
            host = place.hostname or ""
        except ValueError:
            return False
        if not host or place.username is not None:
            return False
        return self._near if _is_loopback(host) else place.scheme == "https"


def _is_manifest(answer: Received) -> bool:
    found = _json_of(answer)
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return isinstance(found, Mapping) and (kind in MANIFESTS or "schemaVersion" in found)


def _json_of(answer: Received) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.rstrip(".").lower() == "localhost"
    return address.is_loopback or address.is_unspecified
