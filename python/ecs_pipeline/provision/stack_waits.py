"""Waiting for a CloudFormation stack: until nothing goes on with it, and until what was asked of it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Refused, Trouble
from ecs_pipeline.model.stacks import Stack, StackPort
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting

STACK_WITHIN = 3600.0
"""Seconds that CloudFormation may take."""
UNUSABLE = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED")


@dataclass(frozen=True)
class StackWaits:
    """The waits of one stack. Both raise TimedOut after an hour."""

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

        stack = wait.until(judge, self.run.clock, self._deadline(), lambda _why: None)
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

        stack = wait.until(judge, self.run.clock, self._deadline(), self.run.recorder.progress)
        if usable and stack and stack.status in UNUSABLE:
            raise Refused(
                f"stack {stack.name} is {stack.status}: {stack.reason}",
                cure=f"remove it first: `provision --delete --confirm {stack.name}`",
            )
        return stack

    def _deadline(self) -> Deadline:
        return Deadline.after(self.run.clock, STACK_WITHIN)
