"""A stack's update: a change set is prepared, shown, and only then carried out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ecs_pipeline.engine.origin import named_after, unique
from ecs_pipeline.engine.recorder import Recorder
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.stacks import Change, ChangeSet, Stack, StackPort, is_new
from ecs_pipeline.provision.stack_waits import StackWaits
from ecs_pipeline.provision.template import Template

DEPLOYED = frozenset(("Service", "TaskDefinition"))
"""Resources whose change could undo what releases did: the service is then told what it runs by now."""


@dataclass(frozen=True)
class ChangeSets:
    """Brings a stack to a template. Each method raises InvalidInput for what AWS refuses, Trouble for what fails."""

    run: Run
    cloudformation: StackPort
    template: Template

    def apply(self, given: Mapping[str, str], stack: Stack | None) -> str:
        """Change what `given` and the template change; the step's line.

        CreateChangeSet, DescribeChangeSet, ExecuteChangeSet; one that changes nothing is dropped.
        """
        name = self._name()
        return self._carry_out(name, self._prepared(name, given, stack), stack)

    def apply_keeping_releases(self, given: Mapping[str, str], stack: Stack | None) -> str:
        """The same of an environment in use: its service keeps the revision that it runs."""
        name = self._name()
        change_set = self._prepared(name, given, stack)
        if DEPLOYED & {change.resource for change in change_set.changes}:
            self.cloudformation.drop_change_set(name)
            name += "-kept"
            current = self.run.ecs.service().revision
            change_set = self._prepared(name, {**given, "CurrentTaskDefinition": current}, stack)
        return self._carry_out(name, change_set, stack)

    def _name(self) -> str:
        return f"ecs-pipeline-{named_after(self.run.clock.wall())}-{unique()}"

    def _prepared(self, name: str, given: Mapping[str, str], stack: Stack | None) -> ChangeSet:
        new = is_new(stack)
        parameters = list(self._parameters(given, stack))
        self.cloudformation.create_change_set(name, self.template.text, parameters, new=new)
        change_set = self._waits.until_prepared(name)
        if change_set.status == "FAILED" and not change_set.empty:
            self.cloudformation.drop_change_set(name)
            if new:
                self.cloudformation.delete()
            raise InvalidInput(
                f"stack {self.cloudformation.name}: {change_set.reason}", cure="correct the template's parameters"
            )
        return change_set

    def _parameters(self, given: Mapping[str, str], stack: Stack | None) -> Iterator[dict[str, Any]]:
        """Those that are given, then those that stay as they are; the template has to know them."""
        known = self.template.parameters
        for key, value in given.items():
            if key in known:
                yield {"ParameterKey": key, "ParameterValue": value}
        for key in stack.parameters if stack and not stack.planned else ():
            if key in known and key not in given:
                yield {"ParameterKey": key, "UsePreviousValue": True}

    def _carry_out(self, name: str, change_set: ChangeSet, stack: Stack | None) -> str:
        if change_set.empty:
            self.cloudformation.drop_change_set(name)
            return "unchanged"
        show(self.run.recorder, change_set.changes)
        begun = self.run.aws_time() - timedelta(seconds=1)
        with self.run.recorder.noting(f"change stack {self.cloudformation.name}: {len(change_set.changes)} resources"):
            self.cloudformation.execute(name)
        self._waits.until_done("CREATE" if is_new(stack) else "UPDATE", begun)
        return f"{len(change_set.changes)} changes made"

    @property
    def _waits(self) -> StackWaits:
        return StackWaits(self.run, self.cloudformation)


def show(recorder: Recorder, changes: Sequence[Change]) -> None:
    """Say what changes, and keep it for the reports."""
    for change in changes:
        recorder.progress(str(change))
    recorder.record.changes += [str(change) for change in changes]
