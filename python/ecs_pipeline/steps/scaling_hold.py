"""Automatic scaling, held for the time of a promotion: suspended before the service is updated, put back afterwards.

The tag `scaling` of the service says what was suspended before, and is written before anything is suspended. Whoever
finds it (promote, rollback, the next canary) puts that back and empties it; so a promotion that was killed leaves
nothing suspended for good. Putting back needs no fence: it is right in every epoch in which no promotion runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ecs_pipeline.engine.converge import only_planned
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import Interrupted, PipelineError
from ecs_pipeline.model import scaling
from ecs_pipeline.model.release import Service
from ecs_pipeline.model.scaling import ALL, Suspended
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import Fence

HOLD = "hold"


def asked(run: Run) -> bool:
    """Whether the config wants it."""
    return bool(run.settings.promote.autoscaling == HOLD)


def reserved(run: Run) -> tuple[str, ...]:
    """The key that a canary creates empty for the promotion, where the config wants it."""
    return (release_tags.SCALING,) if asked(run) else ()


def tags_needed(run: Run, service: Service) -> int:
    """How many tags of the service this takes: the one that it has from before, too."""
    return 1 if asked(run) or release_tags.SCALING in (service.raw.get("tags") or {}) else 0


@dataclass
class ScalingHold:
    """Of one promotion. `before`: what is put back at its end; None when nothing is held."""

    run: Run
    fence: Fence
    service: Service
    before: Suspended | None

    def holdable(self) -> Suspended | None:
        """What is suspended now, where the config wants a hold and there is something to suspend; else that is told."""
        run, label = self.run, self.service.label
        if not asked(run):
            return None
        now = run.scaling.suspended(self.service)
        if now is None:
            note(run.recorder, f"{label} has no scalable target: there is no autoscaling to hold")
        elif now == ALL and not self.service.marks.scaling:
            note(run.recorder, f"the autoscaling of {label} is suspended already, and stays so")
            return None
        return now

    def begin(self, now: Suspended) -> None:
        """Write the mark, then suspend; `now` is what is suspended before that.

        Raises AwsError before anything is changed, when one of the calls is not allowed; TooManyTags; EpochChanged.
        """
        run, label = self.run, self.service.label
        if self.before is None:
            # What is suspended already is sent once more: it changes nothing, and AWS says whether it is allowed.
            run.scaling.suspend(self.service, now)
            self.before = now
            with run.recorder.noting(f"mark the autoscaling of {label} as held"):
                self.fence.write(lambda: run.ecs.tag(self.service.arn, {release_tags.SCALING: str(now)}))
        with run.recorder.writing(f"suspend the autoscaling of {label}"):
            self.fence.write(lambda: run.scaling.suspend(self.service, ALL))

    def end(self) -> None:
        """Put it back, once; a failure of that is a warning."""
        before, self.before = self.before, None
        if before is not None:
            _put_back(self.run, self.service, before)


@contextmanager
def held(run: Run, fence: Fence, service: Service) -> Iterator[ScalingHold]:
    """A hold that ends with what is done within, also when that fails.

    Not when it is interrupted: the mark stays then. One that a promotion before left is taken over.
    """
    hold = ScalingHold(run, fence, service, scaling.parse(service.marks.scaling))
    try:
        yield hold
    except Interrupted:
        raise
    except PipelineError:
        hold.end()
        raise
    hold.end()


def planned_end(service: Service) -> list[str]:
    """What a dry run says of a hold that a promotion left."""
    before = scaling.parse(service.marks.scaling)
    return [_words(service, before)] if before is not None else []


def put_back(run: Run, service: Service) -> None:
    """What a promotion held and left: put back as its mark says. A failure is a warning."""
    before = scaling.parse(service.marks.scaling)
    if before is not None:
        _put_back(run, service, before)


def put_back_at_rest(run: Run, service: Service) -> None:
    """The same by a canary: not in the middle of a rollout, for the promotion that does it may be running."""
    if service.primary is None or service.primary.rollout not in ("COMPLETED", ""):
        return
    put_back(run, service)


def _put_back(run: Run, service: Service, before: Suspended) -> None:
    """Sent also when AWS says that it is so: that may be a read of before.

    A target that somebody removed meanwhile needs nothing. A dry run only tells it.
    """
    if only_planned(run, [_words(service, before)]):
        return
    try:
        if run.scaling.suspended(service) is not None:
            with run.recorder.writing(_words(service, before)):
                run.scaling.suspend(service, before)
        if run.ecs.service().marks.scaling:
            with run.recorder.noting(f"mark the autoscaling of {service.label} as not held"):
                run.ecs.tag(service.arn, {release_tags.SCALING: ""})
    except Interrupted:
        raise
    except PipelineError as error:
        note(
            run.recorder,
            f"warning: the autoscaling of {service.label} may still be suspended: {error.message}; "
            f"the next promote, rollback or canary tries it again; now: `{run.scaling.command(service, before)}`",
        )


def _words(service: Service, before: Suspended) -> str:
    return f"put the autoscaling of {service.label} back to what it was (suspended: {before})"
