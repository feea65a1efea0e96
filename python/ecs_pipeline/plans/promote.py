"""What a promotion is going to do: which canary, whether it may be promoted, and what refuses it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.origin import checked_release_id
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Held, Refused
from ecs_pipeline.model.breaker import was_told
from ecs_pipeline.model.release import Revision, Task
from ecs_pipeline.model.service_kinds import Use
from ecs_pipeline.plans import wellness
from ecs_pipeline.plans.approval import Approved, refuse_another
from ecs_pipeline.plans.fitness import refuse_unfit
from ecs_pipeline.plans.refusals import refuse_when_cancelled
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import credentials, orphans
from ecs_pipeline.steps.holder import build_of, holder_of
from ecs_pipeline.steps.traffic import record_seen, seen_at
from ecs_pipeline.steps.trust import refuse_disbelieved, refuse_foreign
from ecs_pipeline.task_definitions import definition, previous_definition


@dataclass(frozen=True)
class PromoteOptions:
    """What the command line asks for."""

    release: str = ""
    unjudged: bool = False
    approved_by: str = ""
    comment: str = ""
    approved: Approved = field(default_factory=Approved)

    def checked(self) -> PromoteOptions:
        """The same with what was approved read. Raises InvalidInput."""
        return replace(self, approved=self.approved.checked())


@dataclass(frozen=True)
class Plan:
    """What is promoted: `resumed` when the service was told before."""

    seen: Snapshot
    release: str
    revision: str
    canaries: tuple[Task, ...]
    resumed: bool

    @property
    def ours(self) -> tuple[Task, ...]:
        """All tasks that go: the canary's last, for it is what another run resumes by."""
        return (*self.seen.baselines, *self.seen.seconds, *self.canaries)

    @property
    def told(self) -> bool:
        """Whether the service was told to run the revision before."""
        return was_told(self.seen.service, self.revision)

    @property
    def done(self) -> bool:
        """Whether the service runs it and nothing else, and nothing of the canary is left."""
        primary = self.seen.service.primary
        stable = primary is not None and primary.rollout in ("COMPLETED", "")
        left = self.ours or orphans.without_owner(self.seen.registrations)
        return self.resumed and self.seen.service.revision == self.revision and stable and not left

    def __str__(self) -> str:
        """The release, and where it stands when nothing is left to do."""
        line = f"release {self.release}: {Revision(self.revision).name}"
        if not self.done:
            return line
        unchanged = "" if self.seen.marks.scaling else ": nothing was changed"
        return f"{line} is promoted already, and no canary lives{self._since()}{unchanged}"

    def _since(self) -> str:
        """What became of another release since this one was promoted; '' when none came."""
        marks, promoted = self.seen.marks, self.seen.revisions[self.revision]
        if marks.under_way not in ("", self.release):
            return f" (release {marks.under_way} has begun)"
        return f" (release {marks.epoch.cancelled} was rolled back since)" if promoted.epoch != marks.epoch else ""


def requested(run: Run, options: PromoteOptions) -> tuple[Snapshot, str]:
    """The snapshot, and which release is asked for. Raises Held when another one's canary lives."""
    asked = run.recorder.record.release.id = checked_release_id(options.release) if options.release else ""
    seen = run.observer.snapshot()
    live = decide.holder(seen)
    release = run.recorder.record.release.id = asked or (live.release if live else seen.marks.release)
    if live and live.release != release:
        raise Held(
            f"the canary of {seen.service.label} is release {live.release}, not {release}{build_of(run, live)}",
            holder_of(run, live),
            cure=f"promote what was approved: `promote --release {live.release}`",
        )
    refuse_disbelieved(seen)
    return seen, release


def plan(run: Run, options: PromoteOptions, seen: Snapshot, release: str) -> Plan:
    """What is promoted, and whether it may be. Raises Refused, and what refuses another than was approved."""
    if decide.promoted(seen, release):
        found = Plan(seen, release, str(seen.marks.wanted), seen.canaries, resumed=True)
    else:
        found = _new_plan(run, seen, release)
    _record(run, found)
    refuse_another(seen, release, found.revision, run.recorder.record.release.image, options.approved)
    if found.resumed and not options.approved_by:
        run.recorder.record.approved_by = seen.marks.approval
    if not found.told:
        refuse_unfit(run, seen.service, Use.UPDATE)
        credentials.refuse_short_drain(run, seen.service, found.revision)
        _refuse_when_unjudged(found, options)
        _refuse_when_unwell(run, found)
    return found


def _new_plan(run: Run, seen: Snapshot, release: str) -> Plan:
    live, label = decide.holder(seen), seen.service.label
    refuse_foreign(seen)
    if live is None:
        begun = release or seen.marks.under_way
        ended = [task for task in run.observer.stopping() if run.definitions.revision(task.revision).release == begun]
        why = f": {evidence.end_of(ended[-1])}" if ended and begun else ""
        raise Refused(
            f"no canary {f'of release {release} ' if release else ''}lives at {label}{why}", cure="run `canary` first"
        )
    refuse_when_cancelled(seen)
    return Plan(seen, release, live.revision, seen.canaries, resumed=False)


def _refuse_when_unjudged(plan: Plan, options: PromoteOptions) -> None:
    if plan.canaries and not plan.seen.verdict and not options.unjudged:
        raise Refused(
            f"the canary of release {plan.release} at {plan.seen.service.label} has no verdict: its bake did not end",
            cure="run `canary` again to end it, or `promote --unjudged`",
        )


def _refuse_when_unwell(run: Run, plan: Plan) -> None:
    """A canary that died or turned unhealthy since it was judged is not what was approved; nor is half a service."""
    problems = wellness.problems(run, plan.seen, plan.canaries, seen_at(run, plan.seen, plan.canaries))
    if problems:
        raise Refused(
            f"the canary of release {plan.release} is not well any more: {', '.join(problems)}",
            cure="`rollback` it, or run `canary` again",
        )


def _record(run: Run, plan: Plan) -> None:
    record, service = run.recorder.record, plan.seen.service
    record.release.id = plan.release
    record.release.task_definition = plan.revision
    record.release.epoch = plan.seen.marks.epoch.digest
    record.release.previous_task_definition = (plan.seen.marks.previous if plan.resumed else service.revision) or ""
    whole = run.definitions.get(plan.revision)
    container = definition.chosen_container(whole.definition, service, run.settings.container)
    record.release.refer_to(definition.image_of(whole, container))
    record.release.commit = whole.tags.get(release_tags.COMMIT, "")
    record.release.build = whole.tags.get(release_tags.BUILD, run.origin.build)
    record_seen(run, plan.seen)
    before = record.release.previous_task_definition
    if before and run.definitions.exists(before):
        earlier, read_only = run.definitions.get(before), run.definitions.read_only_members
        record.changes = definition.changes(earlier, whole, read_only)
        record.release.previous_document = previous_definition.document(earlier, read_only)
