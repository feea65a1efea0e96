"""Revisions that may go: deregistered only when it is proven that nothing uses them."""

from __future__ import annotations

from ecs_pipeline.fence import settled
from ecs_pipeline.marks import is_one_off
from ecs_pipeline.model import Revision, Service
from ecs_pipeline.run import Run


def used_by(run: Run, service: Service, revision: str) -> str:
    """What uses a revision: the service, its marks, one of its deployments, a running task; '' for nothing.

    A one-off task needs it no more once it was started: it goes on when the revision is deregistered, and nobody
    replaces it (Amazon ECS API reference, DeregisterTaskDefinition).
    """
    marks = service.marks
    if revision in (service.revision, marks.wanted, marks.previous):
        return f"service {service.name}"
    for deployment in service.deployments:
        if deployment.revision == revision and (deployment.running or deployment.pending):
            return f"deployment {deployment.id}"
    running = run.ecs.tasks_of_family(Revision(revision).family)
    tasks = (task for task in running if task.revision == revision and task.alive and not is_one_off(task))
    return next((f"task {task.id}" for task in tasks), "")


def discard(run: Run, revision: str) -> None:
    """(3) Deregister a revision of this process' own, unless another run of its release has promoted it since."""
    service = settled(run.ecs, run.clock)
    user = used_by(run, service, revision)
    if user:
        run.recorder.progress(f"{Revision(revision).name} stays: {user} uses it")
        return
    with run.recorder.writing(f"deregister {Revision(revision).name}"):
        run.definitions.deregister(revision)
