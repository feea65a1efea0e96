"""(4) The release is under way: what the service's tags say from before the first write of a canary."""

from __future__ import annotations

from functools import partial

from ecs_pipeline.engine.run import Run
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps import scaling_hold


def mark_under_way(run: Run, fence: Fence, seen: Snapshot, release: str, source: str) -> None:
    """The release is under way and judged anew; keys that a promotion or a rollback needs are there from now on."""
    outdated = {release_tags.VERDICT: "", release_tags.JUDGED_STEPS: "0"}
    for task in seen.canaries:
        if task.verdict:
            fence.write(partial(run.ecs.tag_task, task.arn, outdated))
    if (seen.marks.under_way, seen.marks.source) == (release, source):
        return
    service = fence.require()
    tags = {
        **release_tags.missing_keys(service.raw.get("tags") or {}, scaling_hold.reserved(run)),
        release_tags.UNDER_WAY: release,
        release_tags.SOURCE: source,
        release_tags.APPROVAL: "",
    }
    with run.recorder.noting(f"mark release {release} as under way"):
        fence.write(lambda: run.ecs.tag(service.arn, tags))
