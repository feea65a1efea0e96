"""What a rollback is about, as its options and one look tell: what goes, and what was left earlier."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.model.release import Task
from ecs_pipeline.protocol import decide
from ecs_pipeline.protocol.snapshot import Snapshot


@dataclass(frozen=True)
class Options:
    """What the command line asks for.

    `await_late_tasks`: another process, dead now, may have started a task a moment ago.
    `before`: what the service ran before, as this process saw it itself; then no tag has to be believed.
    `yielding`: what somebody set by hand in the middle of a promotion stays, for he may know why it must.
    """

    release: str = ""
    canary_only: bool = False
    to: str = ""
    await_late_tasks: bool = True
    before: str = ""
    yielding: bool = False

    def binds(self, seen: Snapshot) -> bool:
        """Whether the service is to run what the last cancel wanted: one that somebody set by hand since is left alone
        by a rollback of a release that it does not run, of a canary alone, or to a revision by name.
        """
        runs = seen.revisions[seen.service.revision].release
        return not self.canary_only and not self.to and self.release in ("", seen.marks.epoch.cancelled, runs)


def foreign(seen: Snapshot, options: Options) -> tuple[Task, ...]:
    """Tasks that only look like a canary of the release that is to go, or of any, or run what that one registered."""
    found = (*seen.foreign, *seen.seconds)
    return tuple(task for task in found if options.release in ("", task.release, seen.revisions[task.revision].release))


def unneeded(seen: Snapshot, options: Options) -> tuple[Task, ...]:
    """These, and baselines beside no canary, where no release is to go."""
    lone = () if release_to_cancel(seen, options) else decide.lone_baselines(seen)
    return (*foreign(seen, options), *(task for task in lone if options.release in ("", task.release)))


def leftover(seen: Snapshot, options: Options) -> decide.Leftover:
    """What is left over of an earlier cancel."""
    return decide.leftover(seen, bound=options.binds(seen))


def left_by_promote(seen: Snapshot, options: Options) -> tuple[Task, ...]:
    """With `--canary`: what is to go while the service is left alone."""
    left = decide.left_by_promote(seen) if options.canary_only else ()
    return left if left and options.release in ("", left[-1].release) else ()


def release_to_cancel(seen: Snapshot, options: Options) -> str:
    """(7) With `--canary` only what is unfinished: a living canary, or the start of the release that is named."""
    release = decide.to_cancel(seen, options.release)
    live = decide.holder(seen) or (bool(seen.baselines) and not decide.lone_baselines(seen))
    if left_by_promote(seen, options):
        return ""
    if options.canary_only and not live:
        return release if options.release and release != seen.marks.release else ""
    if options.to and not live and release == seen.marks.release:
        return ""  # the promoted one goes when the service is sent elsewhere
    return release
