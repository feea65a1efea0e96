"""What `provision` is going to do with its stack: it reads and refuses, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.origin import checked_release_id, new_release_id
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.model.stacks import NetworkPort, Stack, StackPort, is_new
from ecs_pipeline.provision import rules, template_parameters
from ecs_pipeline.provision.containers import composed
from ecs_pipeline.provision.environment_parameters import Parameters
from ecs_pipeline.provision.refusals import refuse_to_delete, refuse_unknown_port
from ecs_pipeline.provision.stack_waits import StackWaits
from ecs_pipeline.provision.template import IMAGE, Template, read
from ecs_pipeline.steps import image as images


@dataclass(frozen=True)
class Tools:
    """What `provision` works with beside the ports of every stage; `partition_of` tells a region's partition."""

    run: Run
    cloudformation: StackPort
    network: NetworkPort
    partition_of: Callable[[str], str]


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    image: str = ""
    release: str = ""
    delete: bool = False
    confirm: str = ""


@dataclass(frozen=True)
class Deletion:
    """The environment goes; `stack` is None when there is none."""

    stack: Stack | None

    @property
    def absent(self) -> str:
        """Why there is nothing to delete; '' when there is a stack."""
        return "" if self.stack else "unchanged: there is no such stack"


@dataclass(frozen=True)
class Plan:
    """What the stack is made from.

    `stack`: as it is, None for none. `creating`: there is no environment yet, or it waits for its first image.
    `given`: the parameters that a change set is given beside those that the stack has. `image`: as `--image` says.
    `built`: the images that are built here, by the parameter that takes them. `tag`: what they are tagged with.
    """

    stack: Stack | None
    creating: bool
    template: Template
    given: Mapping[str, str]
    image: str
    built: Mapping[str, ImageSettings]
    tag: str


def plan(tools: Tools, options: Options) -> Deletion | Plan:
    """Read the stack and refuse what cannot go well. Raises InvalidInput, Refused, and TimedOut for a busy stack."""
    template_parameters.refuse_name(tools.cloudformation.name)
    return _deletion(tools, options) if options.delete else _making(tools, options)


def _deletion(tools: Tools, options: Options) -> Deletion:
    stack = StackWaits(tools.run, tools.cloudformation).until_settled(usable=False)
    refuse_to_delete(tools.run, tools.cloudformation.name, stack, options.confirm)
    return Deletion(stack)


def _making(tools: Tools, options: Options) -> Plan:
    run = tools.run
    template = read(run.folder, run.settings.provision.template)
    tag = options.release or new_release_id(run.clock.wall(), run.origin.commit)
    _refuse_unusable(run, template, tag, options.image)
    stack = StackWaits(run, tools.cloudformation).until_settled(usable=True)
    creating = stack is None or is_new(stack) or (template.takes_image and not stack.parameters.get(IMAGE))
    built = _built(run, template, options.image)
    if creating:
        _refuse_images(run, options.image, built, tag)
    parameters = Parameters(run, template, tools.network, tools.partition_of, built, options.image)
    given = parameters.given(stack)
    template = _filled(run, template, stack, given, parameters)
    if template.packaged and stack is not None and not creating:
        refuse_unknown_port(run, stack, given)
    return Plan(stack, creating, template, given, options.image, built, tag)


def _refuse_unusable(run: Run, template: Template, tag: str, image: str) -> None:
    """What is wrong with the template and the command line, found without asking AWS."""
    settings = run.settings.provision
    template.refuse_unfit(settings.capabilities)
    template.refuse_unknown(settings.parameters)
    checked_release_id(tag)
    if image and not template.takes_image:
        raise InvalidInput(f"{template.name} has no parameter {IMAGE}", cure="leave --image out")


def _built(run: Run, template: Template, image: str) -> dict[str, ImageSettings]:
    """The images that are built here: those of `provision.images`, and the app's unless it is given."""
    own = {IMAGE: run.settings.image} if template.takes_image and not image else {}
    return {**run.settings.provision.images, **own}


def _refuse_images(run: Run, image: str, built: Mapping[str, ImageSettings], tag: str) -> None:
    """What would come to light once there is half an environment: no such image, no Dockerfile."""
    if image:
        images.given(run, image)
    for settings in built.values():
        images.refuse_unbuildable(run, settings, tag)


def _filled(
    run: Run, template: Template, stack: Stack | None, given: Mapping[str, str], parameters: Parameters
) -> Template:
    """The template with the config's containers, once what is wrong with these and the parameters is told."""
    before = stack.parameters if stack else {}
    template_parameters.refuse(template.body.get("Parameters") or {}, given, {*parameters.built, *before})
    values = parameters.values(given, stack)
    if template.packaged:
        rules.refuse(values, before)
    template = composed(template, run.settings.provision.containers, values)
    template.refuse_unfit(run.settings.provision.capabilities)
    return template
