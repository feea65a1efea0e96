"""What was approved is what is promoted: the image and the epoch that a person was shown."""

from __future__ import annotations

import re

from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.look import Look

DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
EPOCH = re.compile(r"[0-9A-Za-z]{1,64}")


def checked_digest(text: str) -> str:
    """The digest as a reference has it, sha256:…; '' for none. Raises InvalidInput."""
    found = DIGEST.fullmatch(text)
    if text and not found:
        raise InvalidInput(
            f"--digest {text[:80]!r} is not the digest of an image", cure="write sha256: and 64 hexadecimal digits"
        )
    return f"sha256:{found[1]}" if found else ""


def checked_epoch(text: str) -> str:
    """The epoch as canary and status tell it; '' for none. Raises InvalidInput."""
    if text and not EPOCH.fullmatch(text):
        raise InvalidInput(f"--epoch {text[:80]!r} is not an epoch", cure="take it from canary.json or `status`")
    return text


def refuse_another(seen: Look, release: str, image: str, *, digest: str, epoch: str) -> None:
    """Another image, or an epoch that a rollback has ended since, than what was approved. Raises Refused."""
    name, live = f"release {release} of {seen.service.label}", image.partition("@")[2]
    if digest and live != digest:
        raise Refused(
            f"{name} is image {live or image or 'unknown'} now, not {digest}, which was approved",
            cure="have what lives approved, or `rollback --canary` and start the approved one again",
        )
    now = seen.marks.turn.digest
    if epoch and now != epoch:
        raise Refused(
            f"{name} lives in epoch {now[:12]} now, not {epoch[:12]}: a rollback came since it was approved",
            cure="have what lives approved",
        )
