"""The waits for a CloudFormation stack: until it is idle, until a change set is there, until a change is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Refused, Trouble
from ecs_pipeline.model.stacks import ChangeSet, Stack, StackPort
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting

STACK_WITHIN = 3600.0
"""Seconds that CloudFormation may take for a stack."""
CHANGE_SET_WITHIN = 300.0
"""Seconds that CloudFormation may take to prepare a change set."""
UNUSABLE = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED")


@dataclass(frozen=True)
class StackWaits:
    """The waits of one stack. Each raises TimedOut when its time is over."""

    run: Run
    cloudformation: StackPort

    def until_done(self, kind: str, begun: datetime) -> None:
        """Until the CREATE, UPDATE or DELETE of then is over; its events are told. Raises Trouble when it failed."""
        told: set[str] = set()

        def judge() -> Judgement[Stack | None]:
            for identity, line in self.cloudformation.events(begun):
                if identity not in told:
                    told.add(identity)
                    self.run.recorder.progress(line)
            stack = self.cloudformation.stack()
            if stack is None or (stack.settled and not stack.planned):
                return Settled(stack)
            return Waiting("")

        stack = wait.until(judge, self.run.clock, self._within(STACK_WITHIN), lambda _why: None)
        good = (stack is None) if kind == "DELETE" else bool(stack and stack.status == f"{kind}_COMPLETE")
        if not good:
            failed = [line for _, line in self.cloudformation.events(begun) if "_FAILED" in line]
            raise Trouble(
                f"stack {self.cloudformation.name} is {stack.status if stack else 'gone'}"
                + (f": {failed[0]}" if failed else ""),
                cure="see the events, correct the cause, then run it again",
                evidence=failed,
            )

    def until_settled(self, *, usable: bool) -> Stack | None:
        """The stack once nothing is going on with it: an earlier, killed run may have left it busy.

        `usable`: raise Refused when it is in a state that only a deletion ends.
        """

        def judge() -> Judgement[Stack | None]:
            stack = self.cloudformation.stack()
            return Settled(stack) if stack is None or stack.settled else Waiting(f"stack is {stack.status}")

        stack = wait.until(judge, self.run.clock, self._within(STACK_WITHIN), self.run.recorder.progress)
        if usable and stack and stack.status in UNUSABLE:
            raise Refused(
                f"stack {stack.name} is {stack.status}: {stack.reason}",
                cure=f"remove it first: `provision --delete --confirm {stack.name}`",
            )
        return stack

    def until_prepared(self, name: str) -> ChangeSet:
        """The change set once AWS has worked it out (DescribeChangeSet): CREATE_COMPLETE or FAILED."""

        def judge() -> Judgement[ChangeSet]:
            found = self.cloudformation.change_set(name)
            ready = found.status in ("CREATE_COMPLETE", "FAILED")
            return Settled(found) if ready else Waiting("preparing the change set")

        return wait.until(judge, self.run.clock, self._within(CHANGE_SET_WITHIN), self.run.recorder.progress)

    def _within(self, seconds: float) -> Deadline:
        return Deadline.after(self.run.clock, seconds)
