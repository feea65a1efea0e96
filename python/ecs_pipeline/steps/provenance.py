"""What an image is made from, as its labels say: no image of another service, place or commit is taken for it.

OCI Image Format Specification, "Annotations"; Docker, "Docker object labels" for our own keys.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.run import Origin

REVISION, CREATED, SOURCE, VERSION = (
    f"org.opencontainers.image.{name}" for name in ("revision", "created", "source", "version")
)
SERVICE, CONTEXT, DOCKERFILE = (f"ecs-pipeline.{name}" for name in ("service", "context", "dockerfile"))

COMMIT = re.compile(r"[0-9a-f]{7,64}")
MOST_SHOWN = 100
"""Characters of a label that a message shows: anybody may have written it."""


@dataclass(frozen=True)
class Provenance:
    """Where an image comes from, '' for what is not known: CLUSTER/SERVICE, and the context within the sources."""

    service: str
    commit: str = ""
    source: str = ""
    context: str = ""
    dockerfile: str = ""
    committed: datetime | None = None
    release: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    """The labels of the config, which go before those that an image gets by itself."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels of an image that is built of it.

        Its time is the commit's, as reproducible builds have it: built again, the same sources make the same image of a
        release. Builders put labels behind all layers, so a new release takes the layers of the one before from the
        cache.
        """
        time = self.committed.astimezone(timezone.utc) if self.committed else None
        found = {
            REVISION: self.commit,
            CREATED: time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else "",
            SOURCE: self.source,
            VERSION: self.release,
            SERVICE: self.service,
            CONTEXT: self.context,
            DOCKERFILE: self.dockerfile,
        }
        return {**{key: value for key, value in found.items() if value}, **self.given}

    def conflict(self, labels: Mapping[str, str]) -> str:
        """Why an image with these labels is none of these sources for this service; '' when it may be.

        The same service in another cluster is another environment: what was built for one may go to the next.
        """
        service = labels.get(SERVICE, "")
        if service and _name(service) != _name(self.service):
            return f"was built for service {quoted(service)}, not for {self.service}"
        for key, own, what in ((CONTEXT, self.context, "folder"), (DOCKERFILE, self.dockerfile, "Dockerfile")):
            there = labels.get(key, "")
            if own and there and own != there:
                return f"was built from {what} {quoted(there)}, not from {own}"
        commit, own = labels.get(REVISION, ""), self.given.get(REVISION, self.commit)
        if differ(commit, own):
            return f"is of commit {quoted(commit)}, not {own}"
        return ""


def provenance(origin: Origin, settings: ImageSettings, service: str, release: str = "") -> Provenance:
    """What is about to be built for the service; a context outside of the sources is not named."""
    context = "" if origin.place is None else posixpath.normpath(posixpath.join(origin.place, settings.context))
    inside = not context.startswith(("/", ".."))
    place = context if inside else ""
    return Provenance(
        service,
        origin.commit,
        origin.source,
        place,
        settings.dockerfile,
        origin.committed,
        release,
        settings.labels,
    )


def described(labels: Mapping[str, str]) -> str:
    """What is known of an image that was not built in this run: for whom, and from which commit."""
    service, commit = labels.get(SERVICE, ""), labels.get(REVISION, "")
    parts = [f"built for {quoted(service)}" if service else "not built by ecs-pipeline"]
    parts.append(f"its label names commit {quoted(commit)}" if commit else "no label names its commit")
    return ", ".join(parts)


def quoted(label: str) -> str:
    """A label as a message quotes it."""
    text = " ".join(label.split())
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _name(service: str) -> str:
    return service.rpartition("/")[2]


def differ(there: str, own: str) -> bool:
    """True when two names are of two commits: one may be the short form of the other, and a label may hold anything."""
    if not COMMIT.fullmatch(there) or not COMMIT.fullmatch(own):
        return False
    return not (there.startswith(own) or own.startswith(there))
