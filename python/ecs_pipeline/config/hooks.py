"""What a config may say of hooks: named one-off commands at set moments of a release (docs/configuration.md)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from ecs_pipeline.config.types import Duration, Section, Word
from ecs_pipeline.model import tag_values


def _name(text: str) -> str:
    if not tag_values.RUN_NAME.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a name; take up to 40 letters, digits, `-` and `_`")
    return text


class HookSettings(Section):
    """A command that is run in a task of its own, of the release's revision."""

    name: Annotated[str, AfterValidator(_name)] = Field(..., description="JUnit case and tag of the service")
    command: tuple[Word, ...] = Field(..., min_length=1, description="words; no shell reads them: [sh, -c, LINE]")
    container: str = Field("", description="gets the command; default: the container that gets the image")
    within: Duration = Field(3600.0, gt=0, description="how long it may take")


def _named_apart(hooks: tuple[HookSettings, ...]) -> tuple[HookSettings, ...]:
    names = [hook.name for hook in hooks]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two hooks are called {name!r}; give each a name of its own")
    return hooks


Hooks = Annotated[tuple[HookSettings, ...], AfterValidator(_named_apart)]


class HooksSettings(Section):
    """Commands by the moment at which they run, one after the other."""

    before_canary: Hooks = Field((), description="of the new revision, before any canary task starts")
    after_promote: Hooks = Field((), description="of the promoted revision, when the canary is gone")
    after_rollback: Hooks = Field((), description="of what the service runs after a rollback")

    @property
    def all(self) -> tuple[HookSettings, ...]:
        """The hooks of every moment."""
        return (*self.before_canary, *self.after_promote, *self.after_rollback)

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self.all)
