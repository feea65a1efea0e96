"""Plays a service's first releases, good and bad, on an embedded AWS, with the command line as a Jenkinsfile calls it.

`python -m demo [--keep]`; see the Makefile. It ends everything that it started, also when it is interrupted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from demo import keeper
from demo.keeper import Kept
from demo.traffic import Traffic
from embedded_aws.engine import ensure_engine
from embedded_aws.engine_packages import EngineMissing, ensure_busybox
from embedded_aws.images import build_base
from embedded_aws.launcher import EmbeddedAws

HERE = Path(__file__).parent
APP = HERE / "sample-app"
REPORTS = Path("ecs-pipeline-reports") / "demo"
PROGRAM = Path(sys.executable).with_name("ecs-pipeline")
NO_FAULTS = {"CRASH": "", "UNHEALTHY": "", "SLOW": ""}
"""Build arguments of the app, which its config takes from the environment."""
COUNTED = 4.0
"""Seconds of answers that are counted after each stage."""


class Unexpected(RuntimeError):
    """Something did not end as the story says."""


@dataclass
class Act:
    """One line of the table at the end."""

    command: str
    wanted: int
    code: int
    seconds: float
    answers: str

    @property
    def good(self) -> bool:
        """It ended as it should."""
        return self.code == self.wanted


@dataclass
class Story:
    """Runs the acts and remembers how they ended."""

    aws: EmbeddedAws | Kept
    acts: list[Act] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    traffic: Traffic | None = None

    def play(self) -> None:
        """From nothing to a full rollback."""
        key = self.datadog_key()
        title = "the environment from nothing, with v1"
        self.run("provision", version="v1", title=title, DatadogApiKeySecretArn=key)
        with Traffic(self.aws.load_balancer_url("sample-app-prd")) as self.traffic:
            self.answers("v1 serves", {"v1": 1.0})
            self.run("canary", version="v2", title="one task of v2 beside three of v1", expect={"v1": 0.75, "v2": 0.25})
            self.run("status", title="what the approver sees")
            self.run("promote", title="the service follows", expect={"v2": 1.0})
            self.run("canary", version="v3", title="v3 crashes", wanted=1, expect={"v2": 1.0}, CRASH="3")
            self.run(
                "canary", version="v3", title="v3 starts, but is unhealthy", wanted=1, expect={"v2": 1.0}, UNHEALTHY="1"
            )
            self.run("canary", version="v3", title="v3 works, but is slow", wanted=1, expect={"v2": 1.0}, SLOW="60")
            self.run("canary", version="v4", title="v4 is well", expect={"v2": 0.75, "v4": 0.25})
            self.run("rollback", title="but nobody wants it", expect={"v2": 1.0})
            self.run("canary", version="v5", title="v5 is well", expect={"v2": 0.75, "v5": 0.25})
            self.run("promote", title="all the way", expect={"v5": 1.0})
            self.run("rollback", title="and back to v2", expect={"v2": 1.0})
            self.run("rollback", title="once more: nothing to do", expect={"v2": 1.0})
            self.run("provision", title="the environment again: nothing is reset", expect={"v2": 1.0})

    def datadog_key(self) -> str:
        """The key of Datadog's agent in Secrets Manager, as a team has it; the secret's ARN."""
        keys = {"aws_access_key_id": "AWS_ACCESS_KEY_ID", "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY"}
        settings = {"region_name": "AWS_DEFAULT_REGION", "endpoint_url": "AWS_ENDPOINT_URL", **keys}
        given = {name: self.aws.environment[variable] for name, variable in settings.items()}
        secrets = boto3.client("secretsmanager", **given)
        made = secrets.create_secret(Name="sample-app/datadog-api-key", SecretString=32 * "0")
        return str(made["ARN"])

    def run(
        self,
        command: str,
        *,
        title: str,
        version: str = "",
        wanted: int = 0,
        expect: dict[str, float] | None = None,
        **variables: str,
    ) -> None:
        """Call the command line as a Jenkinsfile would, then count answers."""
        reports = REPORTS / f"{len(self.acts) + 1:02}-{command}"
        words = [command, "--environment", "prd", "--config", str(APP / "ecs-pipeline.yml")]
        words += ["--reports", str(reports)] if command != "status" else []
        suffix = "".join(f"-{fault.lower()}" for fault in ("UNHEALTHY", "SLOW") if fault in variables)
        words += ["--release", f"demo-{version}{suffix}"] if version else []
        shown = f"ecs-pipeline {command} --environment prd{f'   # {version}' if version else ''}"
        say(f"\n── {title}\n$ {shown}")
        started = time.monotonic()
        environment = {**os.environ, **self.aws.environment, **NO_FAULTS, "VERSION": version, **variables}
        code = subprocess.run([str(PROGRAM), *words], env=environment, check=False).returncode
        seconds = time.monotonic() - started
        answers = self.answers(title, expect) if expect else ""
        self.acts.append(Act(f"{command} {version}".strip(), wanted, code, seconds, answers))
        if code != wanted:
            self.problems.append(f"{shown}: exit {code}, expected {wanted}")

    def answers(self, title: str, expect: dict[str, float]) -> str:
        """Count real answers and hold them against what is expected."""
        assert self.traffic is not None
        counted = self.traffic.watch(COUNTED)
        total = sum(counted.values())
        shown = ", ".join(f"{version} {number} of {total}" for version, number in sorted(counted.items()))
        say(f"   answers: {shown}")
        if set(counted) != set(expect) or any(abs(counted[key] / total - part) > 0.1 for key, part in expect.items()):
            self.problems.append(f"{title}: answers were {shown}, expected {expect}")
        return percent(counted)

    def table(self) -> None:
        """What happened, in short."""
        assert self.traffic is not None
        say(f"\n{'':3}{'command':<16}{'exit':>5}{'seconds':>9}   answers afterwards")
        for number, act in enumerate(self.acts, start=1):
            mark = "" if act.good else f"   expected {act.wanted}"
            say(f"{number:>2} {act.command:<16}{act.code:>5}{act.seconds:>9.1f}   {act.answers}{mark}")
        failures = self.traffic.failures
        say(f"\nrequests: {len(self.traffic.answers)}, failed: {len(failures)}")
        for kind, (sent, failed) in self.traffic.counts().items():
            say(f"   {kind!s:<30}{sent:>6}, failed: {failed}")
        for one in failures[:10]:
            say(f"   {one.problem}")
        say(f"reports: {REPORTS}/ (JUnit, JSON and HTML of each command)")
        if failures:
            self.problems.append(f"{len(failures)} requests failed")


def percent(counted: Counter[str]) -> str:
    """Shares in words."""
    total = sum(counted.values()) or 1
    return ", ".join(f"{version} {100 * number / total:.0f} %" for version, number in sorted(counted.items()))


def say(text: str) -> None:
    """Print at once: the lines of the commands are not buffered either."""
    print(text, flush=True)  # noqa: T201


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the story; returns 0 when all went as it should."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the embedded AWS running; make demo-stop ends it")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    with ExitStack() as everything:
        try:
            say("── a Docker engine, images and an embedded AWS")
            everything.enter_context(ensure_engine())
            ensure_busybox()
            build_base()
            aws = _kept(everything) if options.keep else everything.enter_context(EmbeddedAws())
        except EngineMissing as error:
            say(f"demo: {error}")
            return 2
        shutil.rmtree(REPORTS, ignore_errors=True)
        story = Story(aws)
        story.play()
        story.table()
        say(f"played in {time.monotonic() - started:.0f} s")
        for problem in story.problems:
            say(f"NOT AS EXPECTED: {problem}")
        if options.keep:
            everything.pop_all()
            tell_how_to_go_on(aws)
    return 1 if story.problems else 0


def _kept(everything: ExitStack) -> Kept:
    """An embedded AWS that outlives this process; one whose story is interrupted does not."""
    kept = keeper.start()
    everything.callback(keeper.stop)
    return kept


def tell_how_to_go_on(aws: EmbeddedAws | Kept) -> None:
    """The commands to try."""
    exports = "\n".join(f"export {key}={value!r}" for key, value in aws.environment.items())
    say(
        f"\nThe embedded AWS goes on in the background; `make demo-stop` ends it. Try:\n\n"
        f"{exports}\nexport VERSION=v6\ncd {APP}\n{PROGRAM} status --environment prd\n"
        f"{PROGRAM} canary --environment prd\ncurl {aws.load_balancer_url('sample-app-prd')}/\n"
        f"{PROGRAM} promote --environment prd\n"
    )


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
