"""What a stage that looks at the service writes into its record: the release, its revision and image, its origin."""

from __future__ import annotations

from ecs_pipeline.engine.run import Run
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.traffic import record_traffic
from ecs_pipeline.task_definitions import definition


def describe(run: Run, seen: Snapshot) -> None:
    """Fill the record with what is and what was."""
    record = run.recorder.record
    live = decide.holder(seen)
    unfinished = seen.marks.epoch.cancelled if decide.leftover(seen) else ""
    beside = unfinished or seen.marks.release or seen.marks.under_way
    record.release.id = record.release.id or (live.release if live else beside)
    record.release.task_definition = live.revision if live else seen.service.revision
    record.release.epoch = seen.marks.epoch.digest
    record.release.previous_task_definition = seen.marks.previous or ""
    if record.release.task_definition:
        whole = run.definitions.get(record.release.task_definition)
        record.release.refer_to(definition.deployed_image(whole, seen.service, run.settings.container))
        record.release.commit = record.release.commit or whole.tags.get(release_tags.COMMIT, "")
        record.release.build = record.release.build or whole.tags.get(release_tags.BUILD, run.origin.build)
    record_traffic(run, seen.service.running)
