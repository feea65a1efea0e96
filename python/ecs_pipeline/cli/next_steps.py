"""What a person may do next: the commands that a message names, with the flags that were given."""

from __future__ import annotations

import re
import shlex

from ecs_pipeline.cli.options import Common
from ecs_pipeline.engine.record import StageRecord
from ecs_pipeline.errors import Interrupted, PipelineError

COMMAND = re.compile(r"`((?:ecs-pipeline )?(?:canary|judge|policy|promote|provision|rollback|validate))((?: [^`]*)?)`")
NAMES = ("--cluster ", "--environment ")


def flags_of(common: Common) -> str:
    """The flags that say which service is meant, as they were given; '' for none."""
    given = {"config": common.config, "environment": common.environment, **common.flags}
    return "".join(f" --{key.replace('_', '-')} {shlex.quote(value)}" for key, value in given.items() if value)


def with_flags(cure: str, common: Common) -> str:
    """Each command in backticks with the flags; one that names its service stays as it is."""
    flags = flags_of(common)

    def filled(found: re.Match[str]) -> str:
        named = any(name in found[2] for name in NAMES)
        return found[0] if named else f"`{found[1]}{flags}{found[2]}`"

    return COMMAND.sub(filled, cure)


def after_success(record: StageRecord, common: Common) -> str:
    """What a person may do with a canary that passed; '' after all else."""
    if record.stage != "canary" or not record.share or common.dry_run:
        return ""
    flags = flags_of(common)
    return f"takes {record.share:.1f} % until: ecs-pipeline promote{flags} | rollback{flags} --canary"


def after_failure(record: StageRecord, failure: PipelineError, common: Common) -> None:
    """Complete the cure of what ended a stage; of an interrupted canary also what of it is there."""
    if isinstance(failure, Interrupted) and _canary_lives(record) and not common.dry_run:
        failure.left = f": the canary still takes {record.share:.1f} %" if record.share else ": the canary's task runs"
        failure.cure += ", `rollback --canary` removes the canary"
    failure.cure = with_flags(failure.cure, common)


def _canary_lives(record: StageRecord) -> bool:
    """Whether a canary stage has tasks that nothing has begun to remove, as far as it is written down."""
    restoring = any(step.name == "restore" and step.started for step in record.steps)
    return record.stage == "canary" and not restoring and any(task.state != "STOPPED" for task in record.canary)
