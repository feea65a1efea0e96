"""The image: taken when the registry has it, else built and pushed under the release id, and pinned by digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, PipelineError, Refused, Trouble
from ecs_pipeline.images import references, registry
from ecs_pipeline.images.references import DOCKER_HUB, Reference
from ecs_pipeline.model.release import EcrRegistry, Image, Repository, TaskDefinition
from ecs_pipeline.steps.build import build_of, refuse_unready
from ecs_pipeline.steps.provenance import Provenance, described, provenance
from ecs_pipeline.task_definitions.definition import image_of
from ecs_pipeline.timing.wait import Judgement, Settled, Waiting

LISTED_WITHIN = 60.0
"""Seconds that ECR may take to show a pushed image."""

PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
DEFAULT_PLATFORM = "linux/amd64"


class OtherImage(Refused):
    """The tag of the release is that of an image of another service, place or commit."""


def given(run: Run, text: str) -> Image:
    """The image that `--image` names, by digest: from ECR, else from the registry's API. Raises InvalidInput."""
    reference = references.parse(text)
    elsewhere = EcrRegistry(*(reference.ecr or ()))
    ours, trouble = (True, None) if reference.ecr else _is_ours(run, reference)
    if ours:
        digest = run.repositories.digest(
            reference.repository, tag=reference.tag, digest=reference.digest, registry=elsewhere
        )
    else:
        try:
            digest = reference.digest or _elsewhere(run, reference, trouble)
        except (InvalidInput, Trouble) as refusal:
            raise _explained(refusal, text, reference) from refusal.__cause__
    if not digest:
        raise InvalidInput(
            f"image {text}: ECR repository {reference.repository} has no image {reference.digest or reference.tag}",
            cure="push it first, or check --image",
        )
    return Image(reference.pinned(digest), digest)


def of_tag(current: TaskDefinition, container: str, tag: str) -> str:
    """The reference of a tag in the repository that the container's image is of."""
    return f"{references.parse(image_of(current, container)).name}:{tag}"


def is_of_account(run: Run, reference: Reference) -> bool:
    """Whether ECR itself says that a repository of the account has this name: its hosts are not all alike."""
    found = run.repositories.repository(reference.repository)
    return found is not None and found.uri == reference.name


def _is_ours(run: Run, reference: Reference) -> tuple[bool, Trouble | None]:
    """Whether the reference is one of the account's; when ECR cannot be asked, why."""
    try:
        return is_of_account(run, reference), None
    except Trouble as trouble:
        return False, trouble


def _elsewhere(run: Run, reference: Reference, trouble: Trouble | None) -> str:
    """What the registry says; when it says no, and ECR could not be asked, that may be the reason."""
    try:
        return registry.digest_of(reference, run.clock)
    except InvalidInput as refusal:
        if trouble is None:
            raise
        raise trouble from refusal


def _explained(refusal: PipelineError, text: str, reference: Reference) -> PipelineError:
    """What a registry said, with where it was looked up when the text does not name it."""
    if reference.registry == DOCKER_HUB and not text.startswith(f"{DOCKER_HUB}/"):
        refusal.message += f" (Docker Hub was asked, as {text} names no registry)"
        refusal.cure = "write REGISTRY/REPOSITORY:TAG, or give a tag of the service's own repository as `canary --tag`"
    return refusal


def repository(run: Run, settings: ImageSettings) -> Repository:
    """The ECR repository that is pushed to. Raises InvalidInput when there is none."""
    registry = _registry_of(settings)
    found = run.repositories.repository(settings.repository, registry)
    if found is None:
        where, key = (f" in registry {registry}", " and image.registry") if str(registry) else ("", "")
        raise InvalidInput(
            f"no ECR repository {settings.repository}{where}",
            cure=f"run `provision`, create it, or check image.repository{key} in the config",
        )
    return found


def _registry_of(settings: ImageSettings) -> EcrRegistry:
    account, _, region = settings.registry.partition("/")
    return EcrRegistry(account, region)


def refuse_unbuildable(run: Run, settings: ImageSettings, tag: str) -> None:
    """What the build needs is not there, nor has the repository an image of the tag. Raises InvalidInput."""

    def is_there() -> bool:
        return bool(run.repositories.digest(settings.repository, tag=tag, registry=_registry_of(settings)))

    context = (run.folder / settings.context).resolve()
    if run.engine.has_dockerfile(context, settings.dockerfile):
        refuse_unready(run, settings, is_there)
    elif not is_there():
        raise InvalidInput(
            f"no Dockerfile {context / settings.dockerfile}",
            cure="check image.context and image.dockerfile in the config, or give --image",
        )


def refuse_windows(definition: Mapping[str, Any]) -> None:
    """Tasks that run on Windows: what is built here is for Linux. Raises InvalidInput."""
    family = str((definition.get("runtimePlatform") or {}).get("operatingSystemFamily", ""))
    if family.startswith("WINDOWS"):
        raise InvalidInput(
            f"the tasks run on {family}, and images are built for Linux here",
            cure="build it elsewhere and give it with --image",
        )


def tell_lost(run: Run, current: TaskDefinition, container: str) -> None:
    """Say so when the image that a rollback would need is not in ECR any more: expired, deleted or archived."""
    text = next(
        (str(entry["image"]) for entry in current.definition["containerDefinitions"] if entry["name"] == container), ""
    )
    try:
        reference = references.parse(text)
        if reference.ecr is None:
            return
        place, name = EcrRegistry(*reference.ecr), reference.repository
        found, why = run.repositories.digest(name, tag=reference.tag, digest=reference.digest, registry=place), ""
    except InvalidInput as archived:
        found, why = "", f": {archived.message}"
    except Trouble:
        return
    if not found:
        note = f"ECR does not have the image of {current.revision.name}, to which a rollback would return{why}"
        run.recorder.progress(note)
        run.recorder.record.notes.append(note)


def platform_of(definition: Mapping[str, Any]) -> str:
    """What the tasks run on: the task definition's runtimePlatform."""
    found = definition.get("runtimePlatform") or {}
    return PLATFORMS.get(found.get("cpuArchitecture", ""), DEFAULT_PLATFORM)


@dataclass
class GivenImage(Step[Image, Image]):
    """An image that was built elsewhere: never built, never tagged anew."""

    image: Image
    name = "image"
    writes = False

    def observe(self) -> Image:
        """Known since the preflight."""
        return self.image

    def judge(self, seen: Image) -> Judgement[Image]:
        """It is there."""
        return Settled(seen)

    def told(self, result: Image) -> str:
        """The reference by digest."""
        return result.reference


@dataclass
class BuiltImage(Step[str, Image]):
    """Build and push, unless the repository has an image of this tag."""

    run: Run
    settings: ImageSettings
    repository: Repository
    tag: str
    platform: str
    name = "image"
    _pushed: bool = field(default=False, init=False)
    _taken: str = field(default="", init=False)

    @property
    def _target(self) -> str:
        return f"{self.repository.uri}:{self.tag}"

    @property
    def _sources(self) -> Provenance:
        service = f"{self.run.settings.cluster}/{self.run.settings.service}"
        return provenance(self.run.origin, self.settings, service, self.tag)

    @property
    def _platform(self) -> str:
        return self.settings.platform or self.platform

    def observe(self) -> str:
        """The digest that ECR has under the tag, or ''. Raises Refused when that is an image of something else."""
        repository = self.repository
        digest = self.run.repositories.digest(repository.name, tag=self.tag, registry=repository.registry)
        if digest and not self._pushed and digest != self._taken:
            self._take(digest)
        return digest

    def decide(self, seen: str) -> str:
        """Build and push what is not there."""
        return "" if seen else f"build {self.settings.context} and push {self._target}"

    def act(self, seen: str) -> None:
        """Build, then push; a push that was cut short sends only the layers that are missing."""
        progress = self.run.recorder.progress
        build = build_of(self.run, self.settings, self._target, self._platform, self._sources.labels)
        self.run.engine.build(build, progress)
        self.run.recorder.wrote()
        progress(f"push {self._target} with {self._pusher}")
        try:
            self.run.engine.push(self._target, self.run.repositories.credentials(self.repository.registry), progress)
            self._pushed = True
        except Trouble:
            if not self.observe():  # another run of the release was faster, and its tag is immutable
                raise

    @property
    def _pusher(self) -> str:
        """Whose credentials the push is made with."""
        role = self.run.settings.role_arn
        return f"the credentials of {role}" if role else "the job's own AWS credentials"

    def _take(self, digest: str) -> None:
        """An image that this run did not build: its labels say whether it is one of these sources for this service."""
        repository = self.repository
        labels = self.run.repositories.labels(repository.name, digest, self._platform, repository.registry)
        conflict = self._sources.conflict(labels)
        if conflict:
            raise OtherImage(
                f"image {self.repository.name}:{self.tag} is in the registry already, and {conflict}",
                cure="give this release an id of its own (--release), or the image that is meant (--image)",
            )
        self._taken = digest
        note = f"{self.repository.name}:{self.tag} is taken from the registry, not built: {described(labels)}"
        self.run.recorder.progress(note)
        self.run.recorder.record.notes.append(note)

    def judge(self, seen: str) -> Judgement[Image]:
        """ECR lists it."""
        if not seen:
            return Waiting(f"ECR does not list {self._target} yet")
        return Settled(Image(f"{self.repository.uri}@{seen}", seen))

    def planned(self, seen: str) -> Image:
        """By tag, for there is no digest yet."""
        return Image(self._target, "")

    def told(self, result: Image) -> str:
        """Tag and digest."""
        return f"{self.tag} is {result.digest}"
