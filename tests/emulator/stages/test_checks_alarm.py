"""The check `alarm`: CloudWatch alarms before and during the bake."""

from __future__ import annotations

import subprocess
import time
from typing import Any

from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.stages.scene import Scene
from tests.emulator.stages.signals import Metrics

SOON = {"interval": "300ms", "failures": 1, "of": 1, "min_samples": 2}


def alarm(**settings: Any) -> dict[str, Any]:
    """One check."""
    return {"name": "alarms", **SOON, "alarm": settings}


def create(scene: Scene, name: str, state: str) -> None:
    """An alarm of more than 10 in 10 s, in the state that its data or the lack of them bring about."""
    scene.server.configure(health_check_interval=0.3, alarm_evaluation_interval=0.2)
    cloudwatch = scene.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=f"Test/{scene.name}",
        MetricName="Latency" if state != "ALARM" else "AlwaysHigh",
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching" if state == "OK" else "missing",
    )
    if state == "ALARM":
        data = [{"MetricName": "AlwaysHigh", "Timestamp": time.time(), "Value": 99.0}]
        cloudwatch.put_metric_data(Namespace=f"Test/{scene.name}", MetricData=data)
    wait_for(lambda: state_of(scene, name) == state)


def state_of(scene: Scene, name: str) -> str:
    return str(scene.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def test_alarms_that_stay_ok_pass_by_name_and_prefix(scene: Scene) -> None:
    scene.start(1)
    for suffix in ("-5xx", "-latency"):
        create(scene, scene.name + suffix, "OK")
    by_prefix = {**alarm(prefix=f"{scene.name}-"), "name": "all"}
    scene.config(canary={"bake": "5s", "checks": [alarm(names=[f"{scene.name}-5xx"]), by_prefix]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"alarms": "pass", "all": "pass"}
    assert canary.check("all")["value"] == "OK"


def test_an_alarm_during_the_bake_fails_the_release(scene: Scene) -> None:
    before = scene.start(1)
    create(scene, scene.name, "OK")
    scene.config(canary={"bake": "60s", "checks": [alarm(names=[scene.name])]})
    with Metrics(scene, {"canary": lambda count: 99.0}, by_task=False):
        canary = scene.canary("v2")
    assert canary.code == 1
    assert canary.cases()["check: alarms"] == "failure"
    assert f"{scene.name} is in ALARM" in canary.case_message("check: alarms")
    assert canary.cases()["bake"] == "passed"
    assert canary.cases()["restore"] == "passed"
    assert scene.service()["taskDefinition"] == before
    assert scene.revisions() == [1]
    scene.assert_nothing_left()


def test_an_alarm_without_data_is_inconclusive(scene: Scene) -> None:
    scene.start(1)
    create(scene, scene.name, "INSUFFICIENT_DATA")
    scene.config(canary={"bake": "1s", "checks": [alarm(names=[scene.name])]})
    canary = scene.canary("v2")
    assert canary.code == 5, canary.stderr
    assert canary.case_message("check: alarms").startswith("inconclusive")
    assert "INSUFFICIENT_DATA" in canary.case_message("check: alarms")
    assert len(scene.canaries()) == 1


def test_an_alarm_before_the_release_refuses_it_and_nothing_is_written(scene: Scene) -> None:
    scene.start(1)
    create(scene, scene.name, "ALARM")
    scene.config(canary={"bake": "60s", "checks": [alarm(names=[scene.name])]})
    refused = scene.canary("v2")
    assert refused.code == 3
    assert refused.cases()["preflight"] == "failure"
    assert f"alarm {scene.name} is in ALARM before the release" in refused.stderr
    assert scene.marks() == {}
    assert scene.revisions() == [1]
    assert scene.canaries() == scene.canaries("STOPPED") == []


def test_an_alarm_before_the_release_may_be_ignored(scene: Scene) -> None:
    scene.start(1)
    create(scene, scene.name, "ALARM")
    create(scene, f"{scene.name}-other", "OK")
    both = [scene.name, f"{scene.name}-other"]
    scene.config(canary={"bake": "5s", "checks": [alarm(names=both, in_alarm_at_start="ignore")]})
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert canary.verdicts() == {"alarms": "pass"}
    assert f"{scene.name}: ALARM (ignored)" in canary.junit.read_text()


def test_an_alarm_that_does_not_exist_is_a_mistake_of_the_config(scene: Scene) -> None:
    scene.start(1)
    scene.config(canary={"bake": "60s", "checks": [alarm(names=["no-such-alarm"])]})
    refused = scene.canary("v2")
    assert refused.code == 2
    assert "no alarm no-such-alarm in CloudWatch" in refused.stderr
    assert scene.marks() == {}
    assert scene.revisions() == [1]


def test_an_alarm_that_rings_while_a_killed_bake_is_resumed_fails_the_release(scene: Scene) -> None:
    """The release's own canary may be what rings: no refusal."""
    scene.start(1)
    create(scene, scene.name, "OK")
    scene.config(canary={"bake": "60s", "checks": [alarm(names=[scene.name])]})
    words, _ = scene.command("canary", "--image", scene.images.uri("v2"), "--release", "v2")
    bake = subprocess.Popen(words, cwd=scene.folder, env=scene.environment(), stderr=subprocess.PIPE, text=True)
    assert bake.stderr is not None
    assert any("traffic passed" in line for line in bake.stderr)
    bake.kill()
    bake.wait()
    bake.stderr.close()
    with Metrics(scene, {"canary": lambda count: 99.0}, by_task=False):
        wait_for(lambda: state_of(scene, scene.name) == "ALARM")
        again = scene.canary("v2")
    assert again.code == 1, again.stderr
    assert again.cases()["preflight"] == "passed"
    assert again.cases()["check: alarms"] == "failure"
    scene.assert_nothing_left()
