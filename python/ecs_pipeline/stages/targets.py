"""Where a service may be sent back to: a revision or a release by name, registered anew when it was deregistered."""

from __future__ import annotations

from ecs_pipeline import definition, marks
from ecs_pipeline.errors import AnswerLost, InvalidInput
from ecs_pipeline.look import Look
from ecs_pipeline.model import Revision
from ecs_pipeline.run import Run

LISTED = 100
"""So many of the newest revisions are searched for a release."""


def resolve(run: Run, seen: Look, wanted: str) -> str:
    """The ARN that `--to` means: an ARN, FAMILY:NUMBER, NUMBER, or the id of a release. Raises InvalidInput."""
    current = Revision(seen.service.revision)
    if wanted.startswith("arn:"):
        return run.definitions.get(wanted).revision.arn
    family, _, number = wanted.rpartition(":")
    if number.isdigit():
        arn = f"{current.arn.rpartition('/')[0]}/{family or current.family}:{number}"
        if family or run.definitions.exists(arn):
            return run.definitions.get(arn).revision.arn
    for status in ("ACTIVE", "INACTIVE"):
        for arn in run.definitions.revisions(current.family, status, LISTED):
            if run.definitions.revision(arn).release == wanted:
                return arn
    raise InvalidInput(
        f"no revision of {current.family} among the newest {LISTED} belongs to release {wanted}",
        cure="give the revision: `--to FAMILY:NUMBER`",
    )


def registered_anew(run: Run, arn: str) -> str:
    """A copy of a revision that somebody deregistered; the one that an earlier process made is taken."""
    old = run.definitions.get(arn)
    found = _copy_of(run, arn)
    if found:
        return found
    run.recorder.progress(f"{old.revision.name} was deregistered: it is registered anew")
    given = definition.without(old.definition, run.definitions.read_only_members)
    plain = {key: value for key, value in given.items() if value is not None}
    release = old.tags.get(marks.RELEASE, "")
    tags = {**marks.theirs(old.tags), marks.RESTORES: arn, **({marks.RELEASE: release} if release else {})}
    try:
        with run.recorder.noting(f"register {old.revision.name} anew"):
            return run.definitions.register(plain, tags).revision.arn
    except AnswerLost:
        run.clock.sleep(2)
        again = _copy_of(run, arn)
        if again:
            return again
        raise


def _copy_of(run: Run, arn: str) -> str:
    for one in run.definitions.revisions(Revision(arn).family, "ACTIVE", 10):
        if run.definitions.get(one).tags.get(marks.RESTORES) == arn:
            return one
    return ""
