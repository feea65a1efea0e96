"""Revisions that stand for another one: a copy of a deregistered one, or a file's definition.

The copy that a killed process registered is found again by its tag. Whoever may tag revisions can write that tag, so a
tagged revision is taken only when it is what would be registered. Else another one is registered: that harms nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import AnswerLost, Refused
from ecs_pipeline.model.release import Revision, TaskDefinition
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.task_definitions import definition
from ecs_pipeline.timing import wait

SEARCHED = 10
"""So many of the newest ACTIVE revisions are looked at. A copy that newer ones have hidden is registered once more."""

LISTED_AFTER = 2.0
"""Seconds after which a revision is looked for whose registration got no answer."""


@dataclass(frozen=True)
class Wanted:
    """A revision to be registered, or found by its tag `key`; `proves`: whether a revision is that one."""

    what: str
    definition: Mapping[str, Any]
    tags: Mapping[str, str]
    key: str
    proves: Callable[[TaskDefinition], bool]

    @property
    def family(self) -> str:
        """The family that it joins."""
        return str(self.definition["family"])


def of_revision(run: Run, arn: str) -> Wanted:
    """A copy of a revision that AWS still describes. Raises InvalidInput when it does not."""
    old, read_only = run.definitions.get(arn), run.definitions.read_only_members
    plain = {key: value for key, value in definition.without(old.definition, read_only).items() if value is not None}
    release = old.tags.get(release_tags.RELEASE, "")
    tags = {
        **release_tags.theirs(old.tags),
        release_tags.RESTORES: arn,
        **({release_tags.RELEASE: release} if release else {}),
    }
    return Wanted(
        f"a copy of {old.revision.name}",
        plain,
        tags,
        release_tags.RESTORES,
        lambda found: not definition.changes(old, found, read_only),
    )


def existing(run: Run, wanted: Wanted) -> str:
    """The newest revision that is the wanted one by its tag and in fact; '' for none. Others are named once."""
    for found in _tagged(run, wanted.family, wanted.key, wanted.tags[wanted.key]):
        name = found.revision.name
        if found.tags.get(release_tags.RELEASE, "") == wanted.tags.get(release_tags.RELEASE, "") and wanted.proves(
            found
        ):
            return found.revision.arn
        line = f"{name} is tagged as {wanted.what}, but is another one: it is passed by"
        if line not in run.recorder.record.notes:
            note(run.recorder, line)
    return ""


def registered(run: Run, wanted: Wanted, why: str, action: str) -> str:
    """The wanted revision: the one that is there, or RegisterTaskDefinition.

    `why` is said on the console, `action` is what was done. When no answer came, it is looked for again.
    """
    found = existing(run, wanted)
    if found:
        return found
    run.recorder.progress(why)
    try:
        with run.recorder.noting(action):
            return run.definitions.register(wanted.definition, wanted.tags).revision.arn
    except AnswerLost:
        wait.pause(run.clock, LISTED_AFTER)
        again = existing(run, wanted)
        if again:
            return again
        raise


def registered_anew(run: Run, arn: str) -> str:
    """A copy of a revision that somebody deregistered. Raises Refused when AWS describes it no more."""
    refuse_lost(run, arn)
    name = Revision(arn).name
    wanted = of_revision(run, arn)
    return registered(run, wanted, f"{name} was deregistered: it is registered anew", f"register {name} anew")


def copy_of(run: Run, arn: str) -> str:
    """The copy of a deregistered revision that would be taken; '' when one would be registered."""
    return existing(run, of_revision(run, arn)) if run.definitions.exists(arn) else ""


def refuse_lost(run: Run, arn: str) -> None:
    """A revision to return to that was deregistered and that AWS does not describe any more.

    Then no revision can be proven to be its copy: the tagged ones are named for a person to look at. Raises Refused.
    """
    if run.definitions.exists(arn):
        return
    lost = Revision(arn)
    tagged = [found.revision.name for found in _tagged(run, lost.family, release_tags.RESTORES, arn)]
    named = f"; {', '.join(tagged)} is tagged as its copy, which cannot be checked any more" if tagged else ""
    other = (
        f"`rollback --to {tagged[0]}` after a look at what is in it" if tagged else "`rollback --to` another revision"
    )
    raise Refused(
        f"{lost.name}, to which the service is to return, was deregistered, and AWS describes it no more{named}",
        cure="`rollback --to FILE`: the reports of its promotion have it as promote.previous-task-definition.json; "
        f"or {other}",
    )


def _tagged(run: Run, family: str, key: str, value: str) -> list[TaskDefinition]:
    """Those of the newest ACTIVE revisions of a family that have a tag, newest first."""
    newest = run.definitions.revisions(family, "ACTIVE", SEARCHED)
    return [found for arn in newest if (found := run.definitions.get(arn)).tags.get(key) == value]
