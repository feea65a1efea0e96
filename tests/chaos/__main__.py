"""The whole matrix: every kind of fault at every call of every stage.

A fault that may end the process, or that AWS carried out, is tried alone, on a service of its own. Refusals and lost
answers, after which the process tries again, meet every call of one run, a run for each kind; a throttle meets three
attempts. What reads leave behind is nothing, so a death after a read is the death before the next call: it is tried
once. A read without an answer is tried at the first of its operation.

Part of `make chaos`; takes more than an hour. Prints what it tries as it goes, and ends with the table of
docs/crash-safety.md. With `--log` a run that was ended goes on where it was.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

from embedded_aws.engine import ensure_engine
from tests.chaos.faults import (
    AT_EVERY_CALL,
    KILLED_BEFORE,
    KINDS,
    REFUSALS,
    SILENT,
    THROTTLED_ATTEMPTS,
    Storm,
    polls,
)
from tests.chaos.proxy import Call
from tests.chaos.results import Result, table, total
from tests.chaos.rig import Rig, running
from tests.chaos.scenarios import SCENARIOS, Scenario
from tests.fakes.state import WRITES

_rig: Rig
_resources = ExitStack()


def begin() -> None:
    """Each process has a rig of its own."""
    global _rig  # noqa: PLW0603 - a pool's processes have no other place for what they keep
    _rig = _resources.enter_context(running())


def end() -> None:
    """End the rig of this process; a moment's rest lets each process take one of these."""
    _resources.close()
    time.sleep(1)


def sites_of(scenario: Scenario) -> list[Call]:
    """The calls of a stage without those that only poll."""
    calls = _rig.undisturbed(scenario).calls
    operations = [call.operation for call in calls]
    return [call for index, call in enumerate(calls) if not polls(call.operation, operations[:index])]


def differs(kind: str, at: Call, sites: list[Call]) -> bool:
    """Whether a fault at a call leaves something else behind than the other tries do."""
    if kind == KILLED_BEFORE or at.operation in WRITES:
        return True
    return kind == SILENT and at == next(site for site in sites if site.operation == at.operation)


def attempt(scenario: Scenario, kind: str, at: Call | None) -> list[Result]:
    """One try; of a refusal `at` every call."""
    try:
        if at is None:
            return _rig.try_storm(scenario, Storm(_rig.microburst, (kind,), THROTTLED_ATTEMPTS), f"{kind}, every call")
        result = _rig.try_fault(scenario, kind, at)
    except Exception as error:
        return [Result(scenario.name, kind, str(at or "every call"), [f"{type(error).__name__}: {error}"])]
    return [result] if result else []


def tried(log: Path | None) -> Iterator[Result]:
    """The results of earlier runs."""
    if log and log.exists():
        yield from (Result(**json.loads(line)) for line in log.read_text().splitlines())


def note(result: Result, log: Path | None) -> None:
    """Keep a result for a later run."""
    if log:
        with log.open("a") as file:
            file.write(json.dumps(result.as_json()) + "\n")


def main() -> int:
    """Try everything; 1 when something did not recover."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--only", default="", help="only stages whose name begins with this")
    parser.add_argument("--kinds", default=",".join(KINDS), help="only these kinds of fault")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin nothing new after so many")
    parser.add_argument("--log", type=Path, help="results are kept here, and what it holds is not tried again")
    options = parser.parse_args()
    kinds = options.kinds.split(",")
    chosen = [scenario for scenario in SCENARIOS if scenario.name.startswith(options.only)]
    results = list(tried(options.log))
    until = time.monotonic() + 60 * options.minutes
    known = {(result.scenario, result.kind, result.at) for result in results}
    with ensure_engine(), ProcessPoolExecutor(options.processes, initializer=begin) as pool:
        places = dict(zip(chosen, pool.map(sites_of, chosen), strict=True))
        tries: list[tuple[Scenario, str, Call | None]] = []
        for kind, scenario in itertools.product(kinds, chosen):
            if kind not in REFUSALS:
                sites = [at for at in places[scenario] if differs(kind, at, places[scenario])]
                tries += [(scenario, kind, at) for at in sites if (scenario.name, kind, str(at)) not in known]
            if kind in AT_EVERY_CALL and (scenario.name, f"{kind}, every call") not in {entry[:2] for entry in known}:
                tries.append((scenario, kind, None))
        random.Random(len(tries)).shuffle(tries)  # those that wait for a time-out beside those that do not
        say(f"{len(tries)} runs to do")
        futures = [pool.submit(attempt, *arguments) for arguments in tries]
        for done in as_completed(futures):
            if done.cancelled():
                continue
            for result in done.result():
                results.append(result)
                say(f"{len(results)}: {result}")
                note(result, options.log)
            if time.monotonic() > until:
                for future in futures:
                    future.cancel()
        for _ in range(options.processes):
            pool.submit(end)
    order = [scenario.name for scenario in SCENARIOS]
    say(
        "\n"
        + table(
            sorted(
                results, key=lambda result: (KINDS.index(result.kind.partition(",")[0]), order.index(result.scenario))
            )
        )
    )
    say("\n" + total(results))
    return 0 if all(result.recovered for result in results) else 1


def say(line: str) -> None:
    """Print at once."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
