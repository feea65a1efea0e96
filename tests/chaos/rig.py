"""Runs stages through the proxy, disturbed and undisturbed, and compares what AWS holds afterwards."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from embedded_aws.images import APP_FOLDER
from embedded_aws.launcher import EmbeddedAws
from tests.chaos.error_answers import microburst
from tests.chaos.faults import DEATHS, KILLED_AFTER, Death, Gate, Once, Storm
from tests.chaos.picture import picture
from tests.chaos.proxy import Call, Disturb, Proxy, listening
from tests.chaos.results import Result
from tests.chaos.scenarios import CRASH_SWITCH, RELEASE, Scenario
from tests.emulator.forks import Fork, Forks, forking
from tests.emulator.stages.images import Images
from tests.emulator.stages.outcome import Outcome
from tests.emulator.stages.scene import Scene
from tests.fakes.state import WRITES

KILLED = -9
ENDS_WITHIN = 400
MOST_DEATHS = 20
WRITTEN_AGAIN = ("TagResource", "UpdateService")


@dataclass(frozen=True)
class Undisturbed:
    """A stage without a fault: what AWS holds then, and the calls that it took."""

    picture: dict[str, Any]
    calls: tuple[Call, ...]


@dataclass
class Rig:
    """An embedded AWS with the proxy and microburst before it."""

    aws: EmbeddedAws
    proxy: Proxy
    forks: Forks
    microburst: str
    client: Callable[[str], Any]
    images: Images
    _known: dict[str, Undisturbed] = field(default_factory=dict)

    def undisturbed(self, scenario: Scenario) -> Undisturbed:
        """What the stage does when nothing happens; found out once."""
        if scenario.name not in self._known:
            with self.scene(scenario) as scene:
                done = self.run(scene, scenario.stage, scenario)
                assert done.code == scenario.exits, done.stderr
                self._known[scenario.name] = Undisturbed(picture(scene), tuple(self.proxy.calls))
        return self._known[scenario.name]

    def try_fault(self, scenario: Scenario, kind: str, at: Call) -> Result | None:
        """The stage with one fault, then again without; None when it polled less this time and never made that call."""
        wanted = self.undisturbed(scenario).picture
        with self.scene(scenario) as scene:
            first = self.run(scene, scenario.stage, scenario, Once(kind, at, self.microburst))
            if not self.proxy.disturbed:
                return None
            problems = []
            if (first.code == KILLED) != (kind in DEATHS):
                problems.append(f"the first run ended with {first.code}: {first.stderr[-800:]}")
            problems += self.recovers(scene, scenario, wanted)
        return Result(scenario.name, kind, str(at), problems)

    def try_storm(self, scenario: Scenario, storm: Storm, kind: str) -> list[Result]:
        """The stage with a passing fault at each of its calls: it ends as if nothing had been, and so does a rerun."""
        wanted = self.undisturbed(scenario).picture
        with self.scene(scenario) as scene:
            first = self.run(scene, scenario.stage, scenario, storm)
            problems = [] if first.code == scenario.exits else [f"it exits {first.code}: {first.stderr[-1500:]}"]
            problems += differences(wanted, picture(scene))
            problems += self.recovers(scene, scenario, wanted)
        return [Result(scenario.name, kind, str(at), problems) for at in storm.met]

    def try_deaths(self, scenario: Scenario) -> list[Result]:
        """The stage killed after each of its writes, run after run."""
        wanted = self.undisturbed(scenario)
        writes = [call for call in wanted.calls if call.operation in WRITES]
        with self.scene(scenario) as scene:
            met = list(self._deaths(scene, scenario, writes))
            problems = self.recovers(scene, scenario, wanted.picture)
        missed = {write.operation for write in writes} - {call.operation for call in met}
        problems += [f"it never died at {', '.join(sorted(missed))}"] if missed else []
        return [Result(scenario.name, KILLED_AFTER, str(at), problems) for at in met]

    def _deaths(self, scene: Scene, scenario: Scenario, writes: Sequence[Call]) -> Iterator[Call]:
        """Where each run died: at its first write, for what was done is not done again.

        What is written again each time is let pass: a record, or the update of a service that ECS has rolled back
        before the next run looks; twice it may be two tags, as promote has them. A stage that starts anew once its
        failure is undone dies where the undisturbed one has its writes.
        """
        dies: Iterator[Disturb] = (Once(KILLED_AFTER, at, self.microburst) for at in writes)
        met: list[Call] = []
        for _ in range(len(writes) if scenario.restarts else MOST_DEATHS):
            stuck = len(met) > 2 and met[-3] == met[-2] == met[-1] and met[-1].operation in WRITTEN_AGAIN
            death = next(dies) if scenario.restarts else Death(KILLED_AFTER, 2 if stuck else 1)
            if self.run(scene, scenario.stage, scenario, death).code == KILLED:
                met.append(self.proxy.disturbed[-1])
                yield met[-1]
            elif not scenario.restarts:
                return

    def held(self, scene: Scene, gate: Gate, *words: str) -> AbstractContextManager[Started]:
        """A command that the gate will hold at its call."""
        self.proxy.begin(gate)
        return self.started(scene, *words)

    def recovers(self, scene: Scene, scenario: Scenario, wanted: dict[str, Any]) -> list[str]:
        """Run the same command again; what is not as it should be then."""
        again = self.run(scene, scenario.stage, scenario)
        problems = []
        if again.code not in scenario.may_exit:
            problems.append(f"run again it exits {again.code}, not {scenario.may_exit}: {again.stderr[-1500:]}")
        return problems + differences(wanted, picture(scene))

    @contextmanager
    def scene(self, scenario: Scenario) -> Iterator[Scene]:
        """A service in the scenario's state."""
        with self.service() as scene:
            scene.config(canary=scenario.settings, **({} if scenario.variant else _project(scene)))
            for command in scenario.before:
                done = self.run(scene, command.stage, scenario, command.death)
                assert done.code == (KILLED if command.death else 0), done.stderr
            if scenario.rollout_fails:
                (scene.folder / "switch" / "crash").touch()
            yield scene

    @contextmanager
    def service(self, count: int = 1, **members: Any) -> Iterator[Scene]:
        """A service that runs v1; its other versions crash once the switch is on."""
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(self.aws, self.client, images=self.images, folder=Path(folder))
            (scene.folder / "switch").mkdir()
            mount = {"sourceVolume": "switch", "containerPath": "/switch", "readOnly": True}
            try:
                scene.start(
                    count,
                    container={"command": ["sh", "-c", CRASH_SWITCH], "mountPoints": [mount]},
                    definition={"volumes": [{"name": "switch", "host": {"sourcePath": str(scene.folder / "switch")}}]},
                    **members,
                )
                scene.config(canary={"bake": "0s"})
                yield scene
            finally:
                scene.close()

    def run(self, scene: Scene, stage: str, scenario: Scenario, disturb: Disturb | None = None) -> Outcome:
        """Run a stage of a scenario through the proxy."""
        return self.command(scene, *self.words(stage, scenario), disturb=disturb)

    def words(self, stage: str, scenario: Scenario) -> list[str]:
        """The command line of a stage."""
        if stage != "canary":
            return [stage]
        return [
            stage,
            "--release",
            RELEASE,
            *(["--image", self.images.uri(scenario.variant)] if scenario.variant else []),
        ]

    def command(self, scene: Scene, *words: str, disturb: Disturb | None = None) -> Outcome:
        """Run a command through the proxy."""
        self.proxy.begin(disturb)
        with self.started(scene, *words) as started:
            return started.ended()

    @contextmanager
    def started(self, scene: Scene, *words: str, beside: bool = False) -> Iterator[Started]:
        """A command that runs through the proxy; `beside` another that does, it goes straight to AWS."""
        command, reports = scene.command(*words)
        environment = scene.environment() if beside else scene.environment(AWS_ENDPOINT_URL=self.proxy.endpoint)
        process = self.forks.start(command[1:], scene.folder, environment, reports)
        if not beside:
            self.proxy.pid = process.pid
        try:
            yield Started(process, scene, words[0], reports)
        finally:
            process.send_signal(signal.SIGKILL)
            process.ended(ENDS_WITHIN)


@dataclass
class Started:
    """A command that runs."""

    process: Fork
    scene: Scene
    stage: str
    reports: Path

    def ended(self, within: float = ENDS_WITHIN) -> Outcome:
        """How it ended."""
        return self.scene.outcome(self.stage, *self.process.ended(within), self.reports)


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What AWS holds that it should not, and the other way round."""
    return [f"{key}: {found[key]}, not {wanted[key]}" for key in wanted if found[key] != wanted[key]]


def _project(scene: Scene) -> dict[str, Any]:
    """A project with a Dockerfile, and a repository of the service's own; the config that builds it."""
    shutil.copytree(APP_FOLDER, scene.folder / "app")
    scene.client("ecr").create_repository(repositoryName=scene.name, imageTagMutability="IMMUTABLE")
    return {"image": {"context": "app", "repository": scene.name, "build_args": {"VERSION": "built"}}}


@contextmanager
def running() -> Iterator[Rig]:
    """A rig of this process' own."""
    with ExitStack() as everything:
        aws = everything.enter_context(EmbeddedAws())
        aws.configure(health_check_interval=0.3)
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=aws.region)
        client = cache(lambda service: session.client(service, endpoint_url=aws.endpoint))
        answers = everything.enter_context(microburst(aws.endpoint))
        proxy = everything.enter_context(listening(aws.endpoint))
        forks = everything.enter_context(forking())
        yield Rig(aws, proxy, forks, answers, client, Images(client))
