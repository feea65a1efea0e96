"""Who holds a service: the release whose canary lives, told from the canary's task."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import Held, Holder
from ecs_pipeline.model.release import Service, Task
from ecs_pipeline.protocol import release_tags


def holder_of(run: Run, task: Task) -> Holder:
    """What is known of the release whose canary has the service, by its task."""
    build = run.definitions.get(task.revision).tags.get(release_tags.BUILD, "")
    return Holder(task.release, task.id, build, task.created)


def build_of(run: Run, task: Task) -> str:
    """`, build URL`: which build started the task; '' when its revision does not say."""
    build = holder_of(run, task).build
    return f", build {build}" if build else ""


def held_by(run: Run, service: Service, task: Task) -> Held:
    """The refusal that names the holder."""
    since = f", since {task.created:%Y-%m-%d %H:%M} UTC" if task.created else ""
    return Held(
        f"release {task.release} holds {service.label}: its canary task {task.id} lives{since}{build_of(run, task)}",
        holder_of(run, task),
        cure="promote it, `rollback --canary`, or run `canary --replace`",
    )
