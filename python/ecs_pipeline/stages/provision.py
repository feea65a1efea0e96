"""Provision: an environment from one CloudFormation template, by change sets that are shown first.

preflight  read stack, template and parameters, refuse what cannot go well (provision/plan.py)
stack      what the template or the parameters changed; of a new environment all but the service
image      the first images, built and pushed into the new repositories
service    the service, added once its images are there

Given again it changes what the template or the parameters changed, and nothing that releases or autoscaling have
moved since. A dry run tells the same plan (provision/forecast.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ecs_pipeline.provision.change_sets import ChangeSets
from ecs_pipeline.provision.first_images import first_images
from ecs_pipeline.provision.forecast import tell
from ecs_pipeline.provision.plan import Deletion, Options, Plan, Tools, plan
from ecs_pipeline.provision.stack_waits import StackWaits
from ecs_pipeline.provision.template import IMAGE

STEPS = ("preflight", "stack", "image", "service")


def provision(tools: Tools, options: Options) -> None:
    """Create, update or delete the environment. Raises InvalidInput, Refused, Trouble, and TimedOut after an hour."""
    run = tools.run
    with run.recorder.step("preflight") as step:
        found = plan(tools, options)
        step.message = f"stack {tools.cloudformation.name}: {found.stack.status if found.stack else 'new'}"
    if run.dry_run:
        tell(tools, found)
    elif isinstance(found, Deletion):
        _delete(tools, found)
    else:
        _make(tools, found)
        _tell_outputs(tools)


def _make(tools: Tools, found: Plan) -> None:
    if found.creating and found.built:
        found = _without_service(tools, found)
    if found.creating:
        _with_service(tools, found)
    else:
        _update(tools, found)


def _without_service(tools: Tools, found: Plan) -> Plan:
    """The repositories have to be there before an image can be pushed; the plan with the stack as it is then."""
    with tools.run.recorder.step("stack") as step:
        step.message = _changes(tools, found).apply({**found.given, IMAGE: ""}, found.stack)
    return replace(found, stack=StackWaits(tools.run, tools.cloudformation).until_settled(usable=True))


def _with_service(tools: Tools, found: Plan) -> None:
    images = first_images(tools.run, found)
    with tools.run.recorder.step("service") as step:
        step.message = _changes(tools, found).apply({**found.given, **images}, found.stack)


def _update(tools: Tools, found: Plan) -> None:
    """The count and the revision of the service are left as they are."""
    with tools.run.recorder.step("stack") as step:
        step.message = _changes(tools, found).apply_keeping_releases(found.given, found.stack)


def _delete(tools: Tools, found: Deletion) -> None:
    with tools.run.recorder.step("stack") as step:
        step.message = found.absent
        if found.stack:
            begun = tools.run.aws_time() - timedelta(seconds=1)
            tools.cloudformation.delete()
            StackWaits(tools.run, tools.cloudformation).until_done("DELETE", begun)
            step.message = "deleted"


def _changes(tools: Tools, found: Plan) -> ChangeSets:
    return ChangeSets(tools.run, tools.cloudformation, found.template)


def _tell_outputs(tools: Tools) -> None:
    stack = tools.cloudformation.stack()
    for key, value in (stack.outputs if stack else {}).items():
        tools.run.recorder.progress(f"{key}: {value}")
