"""The digest of an image in any registry, by the registry's own HTTP API; no Docker engine is needed.

OCI Distribution Specification, "Checking if content exists in the registry"; tokens as in Docker Registry's
"Token Authentication Specification". Credentials come from where `docker login` left them, if anywhere.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING, Any

from ecs_pipeline.clock import Clock
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.references import DOCKER_HUB, Reference
from ecs_pipeline.retry import Transient, call

MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
HUB_API = "registry-1.docker.io"
DIGEST_HEADER = "Docker-Content-Digest"
TIMEOUT = 10.0

if TYPE_CHECKING:
    import requests


def digest_of(reference: Reference, clock: Clock) -> str:
    """The digest that a registry has under a tag. Raises InvalidInput when there is none or it may not be read."""
    answer = call(lambda: _ask(reference, "HEAD"), clock, attempts=4)
    if answer.status_code == 200 and not answer.headers.get(DIGEST_HEADER):
        answer = call(lambda: _ask(reference, "GET"), clock, attempts=4)
    if answer.status_code == 200:
        return answer.headers.get(DIGEST_HEADER) or f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    reasons = {401: "the registry wants credentials", 403: "the registry forbids it", 404: "no such image"}
    why = reasons.get(answer.status_code, f"the registry answered {answer.status_code}")
    raise InvalidInput(
        f"image {reference.name}:{reference.tag}: {why}", cure="check --image, or give it by digest (…@sha256:…)"
    )


def _ask(reference: Reference, method: str) -> requests.Response:
    import requests

    host = HUB_API if reference.registry == DOCKER_HUB else reference.registry
    scheme = "http" if _is_loopback(host) else "https"  # as Docker does it
    url = f"{scheme}://{host}/v2/{reference.repository}/manifests/{reference.tag}"
    try:
        answer = _send(method, url)
        if answer.status_code == 401:
            answer = _ask_with_login(method, url, reference, answer)
    except requests.RequestException as error:
        if isinstance(error, requests.ConnectionError) and "NameResolutionError" in str(error):
            raise InvalidInput(f"image {reference.name}: there is no host {host}", cure="check --image") from error
        why = " ".join(str(error).split()).rpartition(": ")[2].rstrip("\"')")
        raise Transient(_unreachable(host, why)) from error
    if answer.status_code == 429 or answer.status_code >= 500:
        raise Transient(_unreachable(host, f"HTTP {answer.status_code}"))
    return answer


def _send(method: str, url: str, **settings: Any) -> requests.Response:
    """One request for a manifest; some registries send it on to another host (requests keeps the login from that)."""
    import requests

    headers = {"Accept": MANIFESTS, **settings.pop("headers", {})}
    return requests.request(method, url, headers=headers, timeout=TIMEOUT, **settings)


def _ask_with_login(method: str, url: str, reference: Reference, refused: requests.Response) -> requests.Response:
    import requests

    kind, _, rest = refused.headers.get("WWW-Authenticate", "").partition(" ")
    login = _login(reference.registry)
    if kind.lower() == "basic":
        return _send(method, url, auth=login)
    asked = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = asked.pop("realm", "")
    safe = realm.startswith("https://") or _is_loopback(realm.partition("//")[2].partition("/")[0])
    if kind.lower() != "bearer" or not safe:
        return refused
    answer = requests.get(realm, params=asked, auth=login, timeout=TIMEOUT)
    if answer.status_code != 200:
        return answer
    token = answer.json().get("token") or answer.json().get("access_token")
    return _send(method, url, headers={"Authorization": f"Bearer {token}"})


def _login(registry: str) -> tuple[str, str] | None:
    """What `docker login` saved for a registry (file or credential helper)."""
    import docker.auth
    import docker.errors

    try:
        found = docker.auth.load_config().resolve_authconfig(registry)
    except docker.errors.DockerException:
        return None
    return (found["username"], found["password"]) if found and found.get("username") else None


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _unreachable(host: str, why: str) -> Trouble:
    return Trouble(f"registry {host}: {why}", cure="check the network, or give the image by digest")
