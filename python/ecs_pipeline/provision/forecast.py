"""What `provision` would do, told without a change set: a change set would be a write."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_pipeline.engine.converge import planned
from ecs_pipeline.provision.change_sets import show
from ecs_pipeline.provision.first_images import first_images
from ecs_pipeline.provision.plan import Deletion, Plan, Tools
from ecs_pipeline.provision.template import parse


def tell(tools: Tools, plan: Deletion | Plan) -> None:
    """Tell a plan, step by step, instead of carrying it out. GetTemplate, and what an image by `--image` asks."""
    if isinstance(plan, Deletion):
        _tell_deletion(tools, plan)
    elif plan.built and plan.creating:
        _tell_building(tools, plan)
    elif plan.creating:
        found = first_images(tools.run, plan)
        _tell_changes(tools, plan, {**plan.given, **found}, "service")
    else:
        _tell_changes(tools, plan, plan.given, "stack")


def _tell_deletion(tools: Tools, plan: Deletion) -> None:
    with tools.run.recorder.step("stack") as step:
        step.message = planned(tools.run, [f"delete stack {plan.stack.name}"]) if plan.stack else plan.absent


def _tell_building(tools: Tools, plan: Plan) -> None:
    """A new environment whose images do not exist yet: the stack would be changed twice."""
    run = tools.run
    _tell_changes(tools, plan, {**plan.given, **dict.fromkeys(plan.built, "built")}, "stack")
    run.recorder.progress("would then build and push the images and add the service")
    planned(run, ["build and push the images", f"add service {run.settings.service}"])


def _tell_changes(tools: Tools, plan: Plan, given: Mapping[str, str], name: str) -> None:
    with tools.run.recorder.step(name) as step:
        step.message = _changes(tools, plan, given)


def _changes(tools: Tools, plan: Plan, given: Mapping[str, str]) -> str:
    """The step's line; each resource is shown, and noted as planned."""
    run, template, stack = tools.run, plan.template, plan.stack
    if stack is None or stack.planned:
        changes = template.additions({**template.defaults, **given})
        message = f"would create stack {tools.cloudformation.name} of {len(changes)} resources"
    else:
        before = stack.parameters
        old = parse(tools.cloudformation.template(), f"stack {stack.name}")
        changes = template.changes(old, before, {**template.defaults, **before, **given})
        changed = sorted(key for key in given if key in template.parameters and before.get(key) != given[key])
        parameters = f" by {', '.join(changed)}" if changed else ""
        message = f"would change up to {len(changes)} resources{parameters}" if changes or changed else "unchanged"
    show(run.recorder, changes)
    for change in changes:
        run.recorder.plan(" ".join(str(change).split()))
    return message
