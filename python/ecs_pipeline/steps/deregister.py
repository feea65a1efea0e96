"""Revisions that may go: deregistered only when it is proven that nothing uses them. Nobody else deregisters one."""

from __future__ import annotations

from collections.abc import Callable, Collection

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision, Service
from ecs_pipeline.protocol.fence import settled
from ecs_pipeline.protocol.release_tags import is_one_off


def used_by(run: Run, service: Service | None, revision: str, going: Collection[str] = ()) -> str:
    """What uses a revision: the service, its marks, one of its deployments, a running task; '' for nothing.

    A one-off task needs it no more once it was started: it goes on when the revision is deregistered, and nobody
    replaces it (Amazon ECS API reference, DeregisterTaskDefinition).
    `service`: None when it was deleted. `going`: ARNs of tasks that are about to be stopped.
    """
    user = _in_service(service, revision) if service else ""
    if user:
        return user
    running = run.ecs.tasks_of_family(Revision(revision).family)
    using = (task for task in running if task.revision == revision and task.alive and not is_one_off(task))
    return next((f"task {task.id}" for task in using if task.arn not in going), "")


def _in_service(service: Service, revision: str) -> str:
    marks = service.marks
    if revision in (service.revision, marks.wanted, marks.previous):
        return f"service {service.name}"
    for deployment in service.deployments:
        if deployment.revision == revision and (deployment.running or deployment.pending):
            return f"deployment {deployment.id}"
    return ""


def deregister(
    run: Run,
    service: Service | None,
    revision: str,
    *,
    going: Collection[str] = (),
    tell: Callable[[str], None] | None = None,
) -> bool:
    """DeregisterTaskDefinition, unless something uses the revision: whether it went; `tell` hears why it stays.

    `service` and `going` are those of `used_by`.
    """
    user = used_by(run, service, revision, going)
    if user:
        (tell or run.recorder.progress)(f"{Revision(revision).name} stays: {user} uses it")
        return False
    with run.recorder.writing(f"deregister {Revision(revision).name}"):
        run.definitions.deregister(revision)
    return True


def discard(run: Run, revision: str) -> None:
    """(3) Deregister a revision of this process' own, unless another run of its release has promoted it since."""
    deregister(run, settled(run.ecs, run.clock), revision)
