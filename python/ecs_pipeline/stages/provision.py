"""Provision: an environment from one CloudFormation template, by change sets that are shown first.

A new environment needs the app's first image before it can have a service: the stack is made without one, the images
are built and pushed into its repositories, then the service is added. Given again it changes what the template or
the parameters changed, and nothing that releases or autoscaling have moved since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.converge import converge, planned
from ecs_pipeline.engine.origin import checked_release_id, named_after, new_release_id, unique
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.stacks import Change, ChangeSet, NetworkPort, Stack, StackPort
from ecs_pipeline.provision import rules, template_parameters
from ecs_pipeline.provision.containers import composed
from ecs_pipeline.provision.environment_parameters import Parameters
from ecs_pipeline.provision.refusals import refuse_to_delete, refuse_unknown_port
from ecs_pipeline.provision.stack_waits import StackWaits
from ecs_pipeline.provision.template import IMAGE, Template, parse, read
from ecs_pipeline.steps import image as images
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting

STEPS = ("preflight", "stack", "image", "service")
CHANGE_SET_WITHIN = 300.0
DEPLOYED = frozenset(("Service", "TaskDefinition"))
"""Resources whose change could undo what releases did: the service is then told what it runs by now."""


@dataclass(frozen=True)
class ProvisionOptions:
    """What the command line asks for."""

    image: str = ""
    release: str = ""
    delete: bool = False
    confirm: str = ""


@dataclass
class Provision:
    """One run of the command; `partition_of` tells a region's partition."""

    run: Run
    cloudformation: StackPort
    network: NetworkPort
    options: ProvisionOptions
    partition_of: Callable[[str], str]

    def __call__(self) -> None:
        """Create, update or delete the environment."""
        given: dict[str, str] = {}
        with self.run.recorder.step("preflight") as step:
            template_parameters.refuse_name(self.cloudformation.name)
            if not self.options.delete:
                self._refuse_template()
            stack = self._waits.until_settled(usable=not self.options.delete)
            creating = self._is_creating(stack)
            if self.options.delete:
                refuse_to_delete(self.run, self.cloudformation.name, stack, self.options.confirm)
            else:
                self._refuse_mistakes(creating=creating)
                given = self._given(stack)
                if self.template.packaged and stack is not None and not creating:
                    refuse_unknown_port(self.run, stack, given)
            step.message = f"stack {self.cloudformation.name}: {stack.status if stack else 'new'}"
        if self.options.delete:
            self._delete(stack)
        elif stack is None or creating:
            self._create(stack, given)
        else:
            self._update(stack, given)
        self._show_outputs()

    def _is_creating(self, stack: Stack | None) -> bool:
        """Whether there is no environment yet, or one that waits for its first image."""
        if stack is None or stack.planned:
            return True
        return not self.options.delete and self.template.takes_image and not stack.parameters.get(IMAGE)

    def _refuse_template(self) -> None:
        """What is wrong with the template and the command line, found without asking AWS."""
        settings = self.run.settings.provision
        self.template.refuse_unfit(settings.capabilities)
        self.template.refuse_unknown(settings.parameters)
        checked_release_id(self.tag)
        if self.options.image and not self.template.takes_image:
            raise InvalidInput(f"{self.template.name} has no parameter {IMAGE}", cure="leave --image out")

    def _refuse_mistakes(self, *, creating: bool) -> None:
        """What would come to light once there is half an environment: image, Dockerfiles."""
        run = self.run
        if not creating:
            return
        if self.options.image:
            images.given(run, self.options.image)
        for settings in self._built().values():
            images.refuse_unbuildable(run, settings, self.tag)

    def _given(self, stack: Stack | None) -> dict[str, str]:
        """The parameters, once what is wrong with them and with the containers is told."""
        given = self.parameters.given(stack)
        kept = {*self._built(), *(stack.parameters if stack else ())}
        template_parameters.refuse(self.template.body.get("Parameters") or {}, given, kept)
        values = self.parameters.values(given, stack)
        if self.template.packaged:
            rules.refuse(values, stack.parameters if stack else {})
        self.template = composed(self.template, self.run.settings.provision.containers, values)
        self.template.refuse_unfit(self.run.settings.provision.capabilities)
        return given

    def _create(self, stack: Stack | None, given: Mapping[str, str]) -> None:
        """Without a service, then the images, then with it."""
        new = stack is None or stack.planned
        if self._built():
            with self.run.recorder.step("stack") as step:
                to_come = dict.fromkeys(self._built(), "built") if self.run.dry_run else {IMAGE: ""}
                step.message = self._apply({**given, **to_come}, stack, new=new)
            if self.run.dry_run:
                self.run.recorder.progress("would then build and push the images and add the service")
                planned(self.run, ["build and push the images", f"add service {self.run.settings.service}"])
                return
            new, stack = False, self._waits.until_settled(usable=not self.options.delete)
        found = self._images(given)
        with self.run.recorder.step("service") as step:
            step.message = self._apply({**given, **found}, stack, new=new)

    def _update(self, stack: Stack, given: Mapping[str, str]) -> None:
        """What the template or a parameter changed. The count and the revision are left as they are."""
        with self.run.recorder.step("stack") as step:
            step.message = self._apply(given, stack, new=False, keeping_releases=True)

    def _apply(
        self, given: Mapping[str, str], stack: Stack | None, *, new: bool, keeping_releases: bool = False
    ) -> str:
        if self.run.dry_run:
            return self._planned(given, None if new else stack)
        name = f"ecs-pipeline-{named_after(self.run.clock.wall())}-{unique()}"
        change_set = self._change_set(name, given, stack, new=new)
        if keeping_releases and DEPLOYED & {change.resource for change in change_set.changes}:
            self.cloudformation.drop_change_set(name)
            name += "-kept"
            current = self.run.ecs.service().revision
            change_set = self._change_set(name, {**given, "CurrentTaskDefinition": current}, stack, new=new)
        if change_set.empty:
            self.cloudformation.drop_change_set(name)
            return "unchanged"
        self._show(change_set.changes)
        begun = self.run.aws_time() - timedelta(seconds=1)
        with self.run.recorder.noting(f"change stack {self.cloudformation.name}: {len(change_set.changes)} resources"):
            self.cloudformation.execute(name)
        self._waits.until_done("UPDATE" if not new else "CREATE", begun)
        return f"{len(change_set.changes)} changes made"

    def _planned(self, given: Mapping[str, str], stack: Stack | None) -> str:
        """What would be changed, found out without a change set: that would be a write."""
        before = stack.parameters if stack else {}
        values = {**self.template.defaults, **before, **given}
        if stack is None:
            changes = self.template.additions(values)
            self._show(changes)
            return f"would create stack {self.cloudformation.name} of {len(changes)} resources"
        known = self.template.parameters
        changed = sorted(key for key, value in given.items() if key in known and before.get(key) != value)
        old = parse(self.cloudformation.template(), f"stack {stack.name}")
        changes = self.template.changes(old, before, values)
        self._show(changes)
        parameters = f" by {', '.join(changed)}" if changed else ""
        return f"would change up to {len(changes)} resources{parameters}" if changes or changed else "unchanged"

    def _show(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.run.recorder.progress(str(change))
            if self.run.dry_run:
                self.run.recorder.plan(" ".join(str(change).split()))
        self.run.recorder.record.changes += [str(change) for change in changes]

    def _change_set(self, name: str, given: Mapping[str, str], stack: Stack | None, *, new: bool) -> ChangeSet:
        known = self.template.parameters
        parameters: list[dict[str, Any]] = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in given.items() if key in known
        ]
        before = stack.parameters if stack and not new else {}
        parameters += [
            {"ParameterKey": key, "UsePreviousValue": True} for key in before if key in known and key not in given
        ]
        self.cloudformation.create_change_set(name, self.template.text, parameters, new=new)

        def judge() -> Judgement[ChangeSet]:
            found = self.cloudformation.change_set(name)
            return (
                Settled(found) if found.status in ("CREATE_COMPLETE", "FAILED") else Waiting("preparing the change set")
            )

        change_set = wait.until(judge, self.run.clock, self._within(CHANGE_SET_WITHIN), self.run.recorder.progress)
        if change_set.status == "FAILED" and not change_set.empty:
            self.cloudformation.drop_change_set(name)
            if new:
                self.cloudformation.delete()
            raise InvalidInput(
                f"stack {self.cloudformation.name}: {change_set.reason}", cure="correct the template's parameters"
            )
        return change_set

    def _images(self, given: Mapping[str, str]) -> dict[str, str]:
        """The images that the first service starts with: the app's and those of `provision.images`, by digest."""
        run, found = self.run, {}
        architecture = {**self.template.defaults, **given}.get("CpuArchitecture", "")
        platform = images.PLATFORMS.get(architecture, images.DEFAULT_PLATFORM)
        if self.options.image:
            with run.recorder.step("image"):
                found[IMAGE] = images.given(run, self.options.image).reference
        for parameter, settings in self._built().items():
            repository = images.repository(run, settings)
            step = images.BuiltImage(run, settings, repository, self.tag, platform)
            found[parameter] = converge(step, run, self._within(images.LISTED_WITHIN)).reference
        return found

    def _built(self) -> dict[str, ImageSettings]:
        """The images that are built here, by the parameter that takes them."""
        settings = self.run.settings
        own = {IMAGE: settings.image} if self.template.takes_image and not self.options.image else {}
        return {**settings.provision.images, **own}

    @cached_property
    def tag(self) -> str:
        """What the first images are tagged with."""
        return self.options.release or new_release_id(self.run.clock.wall(), self.run.origin.commit)

    def _delete(self, stack: Stack | None) -> None:
        with self.run.recorder.step("stack") as step:
            if stack is None:
                step.message = "unchanged: there is no such stack"
                return
            if self.run.dry_run:
                step.message = planned(self.run, [f"delete stack {stack.name}"])
                return
            begun = self.run.aws_time() - timedelta(seconds=1)
            self.cloudformation.delete()
            self._waits.until_done("DELETE", begun)
            step.message = "deleted"

    @property
    def _waits(self) -> StackWaits:
        return StackWaits(self.run, self.cloudformation)

    def _within(self, seconds: float) -> Deadline:
        return Deadline.after(self.run.clock, seconds)

    @cached_property
    def template(self) -> Template:
        """What the environment is made from."""
        return read(self.run.folder, self.run.settings.provision.template)

    @cached_property
    def parameters(self) -> Parameters:
        """What finds the values of its parameters."""
        return Parameters(self.run, self.template, self.network, self.partition_of, self._built(), self.options.image)

    def _show_outputs(self) -> None:
        stack = None if self.options.delete or self.run.dry_run else self.cloudformation.stack()
        for key, value in (stack.outputs if stack else {}).items():
            self.run.recorder.progress(f"{key}: {value}")
