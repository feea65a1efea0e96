"""What `validate` looks at of the checks and of what they read: see findings.py."""

from __future__ import annotations

from functools import partial

from ecs_pipeline import programs
from ecs_pipeline.checks.reach import refuse_unreachable
from ecs_pipeline.engine.run import Run, note
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.findings.findings import together
from ecs_pipeline.model.release import Service
from ecs_pipeline.steps import credentials
from ecs_pipeline.steps.judging import refuse_checks

UNREADABLE = "(its log cannot be read: "


def checks(run: Run, service: Service) -> str:
    """Queries, alarms and programs; an alarm in ALARM refuses a release."""
    settings = run.settings.canary
    asked = [(number, check.command.run[0]) for number, check in enumerate(settings.checks) if check.command]
    together(
        [
            lambda: refuse_checks(run, alive=False, watched=settings.watched),
            *(partial(_refuse_program, run, number, word) for number, word in asked),
        ]
    )
    if settings.checks and not settings.watched:
        note(run.recorder, "`bake: 0s` runs no check: none of the config's checks judges a canary here")
    if not settings.checks:
        note(run.recorder, f"no checks: a canary of {service.label} passes when it is healthy")
    return f"{len(settings.checks)} checks"


def _refuse_program(run: Run, number: int, word: str) -> None:
    """A program that cannot be started: a path is relative to the config, a name is looked for in PATH."""
    there = (run.folder / word).is_file() if "/" in word else bool(programs.find(word))
    if not there:
        where = str(run.folder / word) if "/" in word else "PATH"
        raise InvalidInput(f"canary.checks.{number}.command: no program {word} ({where})", cure="check `run`")


def reach(run: Run, service: Service) -> str:
    """As the canary's preflight asks."""
    refuse_unreachable(run, service)
    asked = [check for check in run.settings.canary.checks if check.http and check.http.via == "canary"]
    return "a task takes connections from here" if asked else "no check asks the canary itself"


def credentials_of_job(run: Run, service: Service) -> str:
    """They last as long as the bake, as the canary's preflight asks."""
    credentials.refuse_short_bake(run, service, service.revision)
    return "nothing says that they end before the bake"


def logs(run: Run, service: Service) -> str:  # noqa: ARG001
    """The last line of each container of one running task."""
    running = [task for task in run.ecs.tasks(run.ecs.arns_of_service()) if task.alive]
    if not running:
        return "no task runs whose logs could be read"
    current = run.definitions.get(running[0].revision)
    names = [str(container["name"]) for container in current.definition["containerDefinitions"]]
    tails = {name: run.logs.tail(running[0], current, name, 1) for name in names}
    unread = [
        f"log of {name}: {line}" for name, lines in tails.items() for line in lines if line.startswith(UNREADABLE)
    ]
    if unread:
        raise InvalidInput(unread[0], cure="see ReadLogs in docs/iam.md", evidence=unread[1:])
    return f"of {', '.join(name for name, lines in tails.items() if lines) or 'none'}"
