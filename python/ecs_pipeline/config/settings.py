"""What a config may say: names, types, defaults, limits. load.py reads it; docs/configuration.md explains it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.config.containers import Containers
from ecs_pipeline.config.hooks import HooksSettings
from ecs_pipeline.config.images import ImageSettings, ReleaseImageSettings
from ecs_pipeline.config.types import Argument, Duration, OptionalDuration, Section
from ecs_pipeline.model import tag_values

RELEASE_ID = tag_values.RELEASE_ID


def _name_of(what: str) -> Callable[[str], str]:
    """A check of a name in Amazon ECS; of an ARN its last part is the name."""

    def check(text: str) -> str:
        name = text.rpartition("/")[2] if text.startswith("arn:") else text
        if not ECS_NAME.fullmatch(name):
            raise ValueError(f"{text[:60]!r} is not the name of a {what}; ECS takes letters, digits, `-` and `_`")
        return name

    return check


def _role(text: str) -> str:
    if text and not ROLE_ARN.fullmatch(text):
        raise ValueError(f"{text!r} is not the ARN of a role; write arn:aws:iam::123456789012:role/NAME")
    return text


def _external_id(text: str) -> str:
    if text and not EXTERNAL_ID.fullmatch(text):
        raise ValueError("this is not an external id; AWS takes 2 to 1224 letters, digits and any of _+=,.@:/-")
    return text


def _session(seconds: float) -> float:
    if not 15 * 60 <= seconds <= 12 * 3600:
        raise ValueError("the session of a role lasts 15m to 12h")
    return seconds


ECS_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[!-~]+")
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}")
Capability = Literal["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
ClusterName = Annotated[str, AfterValidator(_name_of("cluster"))]
ServiceName = Annotated[str, AfterValidator(_name_of("service"))]
RoleArn = Annotated[str, AfterValidator(_role)]
SessionDuration = Annotated[Duration, AfterValidator(_session)]
ExternalId = Annotated[str, AfterValidator(_external_id)]


class CanaryStep(Section):
    """One size of a canary that grows, and how long it is watched at that size."""

    tasks: int | None = Field(None, ge=1, le=100, strict=True)
    percent: float | None = Field(None, gt=0, lt=100, strict=True)
    bake: Duration | None = None

    @model_validator(mode="after")
    def _one_size(self) -> CanaryStep:
        if (self.tasks is None) == (self.percent is None):
            raise ValueError("give either tasks or percent")
        return self


class CanarySettings(Section):
    """How the canary is started, and how it is judged."""

    tasks: int | None = Field(None, ge=1, le=100, strict=True, description="how many canary tasks; default 1")
    percent: float | None = Field(
        None, gt=0, lt=100, strict=True, description="instead of tasks: as many as make up this part of all"
    )
    steps: tuple[CanaryStep, ...] = Field((), description="instead of both: sizes to grow through")
    healthy_within: Duration = Field(300.0, gt=0, description="time for start, health and traffic together")
    bake: Duration = Field(300.0, description="how long the canary is watched under traffic")
    initial_delay: Duration = Field(0.0, description="after traffic and slow start, before the bake's clock starts")
    expires: Duration | None = Field(
        None, gt=0, description="how old a canary may become; `status` exits 5 for an older one, which stays"
    )
    baseline: bool = Field(
        default=False, strict=True, description="a second new task, of the stable revision, to compare with"
    )
    checks: tuple[CheckSettings, ...] = Field((), description="what is judged during the bake")

    @model_validator(mode="after")
    def _one_size(self) -> CanarySettings:
        given = [name for name in ("tasks", "percent", "steps") if getattr(self, name) not in (None, ())]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other; keep one")
        return self

    @model_validator(mode="after")
    def _growing(self) -> CanarySettings:
        for number, (before, after) in enumerate(pairwise(self.steps), start=2):
            for size in ("tasks", "percent"):
                old, new = getattr(before, size), getattr(after, size)
                if old and new and new < old:
                    raise ValueError(f"steps grow: step {number} has {size}: {new:g} after {size}: {old:g}")
        return self

    @model_validator(mode="after")
    def _named_apart(self) -> CanarySettings:
        names = [check.title for check in self.checks]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two checks are called {name!r}; give each a `name`")
        return self

    @model_validator(mode="after")
    def _with_what_is_compared(self) -> CanarySettings:
        for check in self.checks:
            if check.needs_baseline and not self.baseline and self.watched:
                raise ValueError(f"check {check.title!r} compares with the baseline; set `baseline: true` as well")
        return self

    @property
    def watched(self) -> bool:
        """Whether any size is watched at all: `bake: 0s` runs no check."""
        return any(size.bake for size in self.sizes)

    @property
    def sizes(self) -> tuple[CanaryStep, ...]:
        """The sizes that the canary goes through, each with its bake."""
        if self.steps:
            return tuple(
                size if size.bake is not None else size.model_copy(update={"bake": self.bake}) for size in self.steps
            )
        if self.percent is not None:
            return (CanaryStep.model_construct(percent=self.percent, bake=self.bake),)
        return (CanaryStep.model_construct(tasks=self.tasks or 1, bake=self.bake),)


class PromoteSettings(Section):
    """The rollout of the whole service."""

    stable_within: OptionalDuration = Field(
        None, gt=0, description="time for the rollout; auto: from count, maximumPercent, health checks and drain"
    )
    stalled_after: Duration = Field(300.0, gt=0, description="a rollout that does not move for so long has failed")
    autoscaling: Literal["leave", "hold"] = Field(
        "leave", description="hold: suspended before the rollout, put back as it was after it"
    )


class RollbackSettings(Section):
    """The way back."""

    drain: OptionalDuration = Field(None, description="auto: the target group's deregistration delay")


class ReportSettings(Section):
    """What the console and the reports show."""

    log_lines: int = Field(20, ge=0, le=200, strict=True, description="last lines of a log that failures show; 0: none")


class ProvisionSettings(Section):
    """The environment from the CloudFormation template."""

    template: str = Field("", description="a template of your own; default: the one of the package")
    stack: str = Field("", description="the stack's name; default: the cluster's")
    parameters: dict[str, Argument] = Field(
        default_factory=dict, description="parameters of the template; null takes the value from the environment"
    )
    capabilities: tuple[Capability, ...] = Field(
        ("CAPABILITY_IAM",), description="what the template may do: IAM resources, named ones, macros"
    )
    containers: Containers = Field(
        default_factory=dict, description="other containers of the task, and what is added to the template's own"
    )
    images: dict[str, ImageSettings] = Field(
        default_factory=dict, description="images built and pushed first, by the parameter that takes them"
    )


class Settings(Section):
    """A whole config, with the environment's overlay and the flags merged in."""

    app: str = Field("", max_length=100, description="name from which others are derived")
    region: str = ""
    role_arn: RoleArn = Field("", description="role that is assumed for all AWS calls")
    role_external_id: ExternalId = Field("", description="the external id that the role asks for")
    role_duration: SessionDuration | None = Field(None, description="how long a session of the role lasts; default: 1h")
    cluster: ClusterName = Field(..., description="default: APP-ENVIRONMENT")
    service: ServiceName = Field(..., description="default: APP")
    container: str = Field(
        "", description="gets the image; default: the one behind the load balancer, else the only one"
    )
    image: ReleaseImageSettings = Field(default_factory=lambda: ReleaseImageSettings.model_validate({}))
    task_definition: str = Field("", description="a JSON file; default: what the service runs now")
    canary: CanarySettings = Field(default_factory=lambda: CanarySettings.model_validate({}))
    promote: PromoteSettings = Field(default_factory=lambda: PromoteSettings.model_validate({}))
    rollback: RollbackSettings = Field(default_factory=lambda: RollbackSettings.model_validate({}))
    hooks: HooksSettings = Field(default_factory=lambda: HooksSettings.model_validate({}))
    reports: ReportSettings = Field(default_factory=lambda: ReportSettings.model_validate({}))
    provision: ProvisionSettings = Field(default_factory=lambda: ProvisionSettings.model_validate({}))


EXCLUSIVE: Mapping[str, frozenset[str]] = {"canary": frozenset(("tasks", "percent", "steps"))}
"""Keys of which an overlay's one replaces the others."""
