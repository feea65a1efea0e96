"""What was approved is what is promoted: the image, the revision and the epoch that a person was shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.model.release import Revision
from ecs_pipeline.protocol.snapshot import Snapshot

DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
REVISION = re.compile(r"(?:arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/)?[A-Za-z0-9_-]{1,255}:[0-9]{1,10}")
EPOCH = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Approved:
    """What a person was shown; '' for what the caller does not say."""

    digest: str = ""
    epoch: str = ""
    task_definition: str = ""

    def checked(self) -> Approved:
        """The same, the digest as a reference has it. Raises InvalidInput."""
        _refuse_form("digest", DIGEST, self.digest, "the digest of an image", "write sha256: and 64 hexadecimal digits")
        _refuse_form("epoch", EPOCH, self.epoch, "an epoch", "take it from canary.json or `status`")
        _refuse_form("task-definition", REVISION, self.task_definition, "a revision", "write FAMILY:NUMBER or its ARN")
        digest = self.digest and f"sha256:{self.digest.removeprefix('sha256:')}"
        return Approved(digest, self.epoch, self.task_definition)


def _refuse_form(option: str, form: re.Pattern[str], text: str, what: str, cure: str) -> None:
    if text and not form.fullmatch(text):
        raise InvalidInput(f"--{option} {text[:80]!r} is not {what}", cure=cure)


def refuse_another(seen: Snapshot, release: str, revision: str, image: str, approved: Approved) -> None:
    """Another image or revision, or an epoch that a rollback ended since, than what was approved. Raises Refused."""
    name, live = f"release {release} of {seen.service.label}", image.partition("@")[2]
    if approved.digest and live != approved.digest:
        raise Refused(
            f"{name} is image {live or image or 'unknown'} now, not {approved.digest}, which was approved",
            cure="have what lives approved, or `rollback --canary` and start the approved one again",
        )
    now = seen.marks.epoch.digest
    if approved.epoch and now != approved.epoch:
        raise Refused(
            f"{name} lives in epoch {now[:12]} now, not {approved.epoch[:12]}: a rollback came since it was approved",
            cure="have what lives approved",
        )
    if approved.task_definition not in ("", revision, Revision(revision).name):
        raise Refused(
            f"{name} runs {Revision(revision).name} now, not {Revision(approved.task_definition).name}, "
            "which was approved",
            cure="have what lives approved; `aws ecs describe-task-definition` shows what is in each",
        )
