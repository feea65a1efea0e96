"""Validate: all that a release would find in its way, at once, before it needs it. Nothing is written.

config           the file, its overlay and the flags
service          what limits.md refuses, tags without room, a rollout under way, who else manages it
task-definition  the config's file, the container that gets the image
secrets          whether those that the tasks get are there
hooks            the container of each of the config's hooks
image            the one that is given, or the repository, what is built, the Docker engine; what a rollback would need
target-groups    those of the service, its healthy targets, drain
checks           queries, programs, alarms that are unknown or in ALARM
reach            whether this machine reaches the tasks that an `http` check asks
quotas           whether the account has vCPUs of Fargate left for the canary, and for a rollout
credentials      whether they last as long as the bake
logs             whether the logs of what runs can be read
permissions      every action of the policy that `policy` prints, where IAM may be asked
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Interrupted, InvalidInput, PipelineError, Trouble
from ecs_pipeline.findings import checks, findings, quotas, secrets
from ecs_pipeline.model.release import Service
from ecs_pipeline.policy.granted import refuse_denied

Snapshot = Callable[[Run, Service], str]
LOOKS: dict[str, Snapshot] = {
    "service": findings.service,
    "task-definition": findings.task_definition,
    "secrets": secrets.secrets,
    "hooks": findings.hooks_of_config,
    "image": findings.image,
    "target-groups": findings.target_groups,
    "checks": checks.checks,
    "reach": checks.reach,
    "logs": checks.logs,
    "quotas": quotas.quotas,
    "credentials": checks.credentials_of_job,
    "permissions": refuse_denied,
}
STEPS = ("config", *LOOKS)


def validate(run: Run, image: str = "", tag: str = "") -> None:
    """Look everywhere, whatever is found; then raise InvalidInput with all of it, Trouble when AWS did not answer.

    `image` or `tag`: what the canary would be given; without, what would be built.
    """
    looks: dict[str, Snapshot] = {**LOOKS, "image": partial(findings.image, given=image, tag=tag)}
    with run.recorder.step("config") as step:
        step.message = f"{run.settings.cluster}/{run.settings.service}"
    found: list[PipelineError] = []
    service = _looked(run, "service", found)
    if service is not None:
        for name in STEPS[2:]:
            _look(run, name, looks[name], service, found)
    if found:
        raise _all_of(found)


def _looked(run: Run, name: str, found: list[PipelineError]) -> Service | None:
    """The service, also when something is wrong with it; None when there is none."""
    service: Service | None = None
    try:
        with run.recorder.step(name) as step:
            service = run.ecs.service()
            run.recorder.record.release.previous_task_definition = service.revision
            step.message = LOOKS[name](run, service)
    except Interrupted:
        raise
    except PipelineError as error:
        found.append(error)
    return service


def _look(run: Run, name: str, look: Snapshot, service: Service, found: list[PipelineError]) -> None:
    try:
        with run.recorder.step(name) as step:
            step.message = look(run, service)
    except Interrupted:
        raise
    except PipelineError as error:
        found.append(error)


def _all_of(found: Sequence[PipelineError]) -> PipelineError:
    """One error with all findings; those of AWS' trouble alone may pass, and nothing is known then."""
    lines = [line for error in found for line in (str(error), *error.evidence)]
    what = "1 finding" if len(lines) == 1 else f"{len(lines)} findings"
    kind = Trouble if all(isinstance(error, Trouble) for error in found) else InvalidInput
    return kind(what, cure="correct them before a release", evidence=lines)
