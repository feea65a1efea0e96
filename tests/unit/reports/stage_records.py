"""Records as stages leave them, for the tests of the reports."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ecs_pipeline.engine.record import (
    ERROR,
    FAILED,
    PASSED,
    RUNNING,
    CanaryTaskRecord,
    CheckRecord,
    ReleaseRecord,
    StageRecord,
    StepRecord,
    TrafficPoint,
)

START = datetime(2026, 11, 23, 7, 15, 0, tzinfo=timezone.utc)
ACCOUNT = "arn:aws:ecs:ap-northeast-1:123456789012"
TASK = "0123456789abcdef" * 2
DIGEST = "sha256:" + "4f1c" * 16
CANARY_STEPS = ("preflight", "image", "task-definition", "tasks", "healthy", "traffic", "bake", "restore")
PROMOTE_STEPS = ("preflight", "service-update", "stable", "drain", "cleanup", "restore")
ROLLBACK_STEPS = ("preflight", "drain", "cleanup", "service-update", "stable", "deregister")


def moment(seconds: float) -> datetime:
    """So many seconds after the stage began."""
    return START + timedelta(seconds=seconds)


def stage(name: str, steps: tuple[str, ...]) -> StageRecord:
    """A stage that has just begun."""
    repository = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/sample-app"
    release = ReleaseRecord(
        id="20261123-071500-ab12cd3",
        image=f"{repository}@{DIGEST}",
        digest=DIGEST,
        task_definition=f"{ACCOUNT}:task-definition/sample-app:42",
        previous_task_definition=f"{ACCOUNT}:task-definition/sample-app:41",
        commit="ab12cd3",
        build="https://jenkins.example.com/job/sample-app/42/",
    )
    cluster, service, region = "sample-app-prd", "sample-app", "ap-northeast-1"
    return StageRecord(name, cluster, service, region, START, [StepRecord(step) for step in steps], release)


def passed(record: StageRecord, *steps: tuple[str, float, str]) -> float:
    """Let steps pass one after the other; when the last one was over, in seconds."""
    at = 0.0
    for name, seconds, message in steps:
        step = record.step(name)
        step.outcome, step.started, step.seconds, step.message = PASSED, moment(at), seconds, message
        at += seconds
    record.seconds = at
    return at


def finish(record: StageRecord, outcome: str, code: int, message: str = "", cure: str = "") -> StageRecord:
    """Close the record."""
    record.outcome, record.exit_code, record.message, record.cure = outcome, code, message, cure
    record.aws_calls, record.waited_seconds = 57, record.seconds * 0.9
    return record


def _until_traffic(record: StageRecord) -> float:
    task = f"{ACCOUNT}:task/sample-app-prd/{TASK}"
    group = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/sample-app/6d0ecf831eec9f09"
    record.canary = [CanaryTaskRecord(task, "10.0.1.17", (group,), "RUNNING, healthy")]
    record.changes = [
        "containerDefinitions[0].image",
        "- sample-app@sha256:" + "77aa" * 16,
        "+ sample-app@" + DIGEST,
        "containerDefinitions[0].environment: 1 value changed",
    ]
    return passed(
        record,
        ("preflight", 1.3, "service runs sample-app:41, 3 of 3 tasks"),
        ("image", 38.2, "built and pushed"),
        ("task-definition", 0.9, "registered sample-app:42"),
        ("tasks", 21.4, "1 of 1 running"),
        ("healthy", 17.0, "1 of 1 targets healthy"),
        ("traffic", 2.2, "1 of 4 targets"),
    )


def passed_canary() -> StageRecord:
    """A canary that passed all its checks."""
    record = stage("canary", CANARY_STEPS)
    at = _until_traffic(record)
    record.traffic = [TrafficPoint(moment(at - 19), 1, 3)]
    bake = record.step("bake")
    bake.outcome, bake.started, bake.seconds, bake.message = PASSED, moment(at), 300.4, "baked for 5m"
    record.seconds, record.share = at + 300.4, 25.0
    record.checks = [
        CheckRecord(
            "answers",
            "http",
            "pass",
            30,
            0,
            182.5,
            300.0,
            "30 samples, p95 182 ms, limit 300 ms",
            seconds=300.4,
            unit="ms",
        ),
        CheckRecord("errors in the log", "logs", "pass", 5, 0, 0, 0, seconds=300.0, unit="lines"),
    ]
    record.log_tail = ["listening on :8080", 'GET /health 200 1.2ms "ELB-HealthChecker/2.0"']
    return finish(record, "passed", 0)


def failed_canary() -> StageRecord:
    """A canary whose task died, with evidence and long lines."""
    record = stage("canary", CANARY_STEPS)
    at = _until_traffic(record)
    for name in ("traffic", "healthy"):
        record.steps[CANARY_STEPS.index(name)] = StepRecord(name)
    at -= 19.2
    message = f"task {TASK} stopped: Essential container in task exited (app: exit code 1)"
    cure = "read the container's log, then start again"
    evidence = (
        "stopped reason: Essential container in task exited",
        "container app: exit code 1",
        f"event: (service sample-app) has started 1 tasks: (task {TASK}).",
        "log: Traceback (most recent call last):",
        'log:   File "/srv/app/main.py", line 12, in <module>: ' + "settings = from_environment(), " * 6,
        "log: KeyError: 'SAMPLE_APP_QUEUE'",
    )
    healthy = record.step("healthy")
    healthy.outcome, healthy.started, healthy.seconds = FAILED, moment(at), 12.6
    healthy.message, healthy.evidence = f"{message}; {cure}", evidence
    restore = record.step("restore")
    restore.outcome, restore.started, restore.seconds = PASSED, moment(at + 12.6), 4.8
    restore.message = "canary removed, sample-app:42 deregistered"
    record.seconds, record.evidence = at + 17.4, evidence
    record.canary[0].state = "STOPPED"
    record.log_tail = [f"line {number} of the log" for number in range(1, 40)] + list(evidence[3:])
    return finish(record, "failed", 1, message, cure)


def failed_check() -> StageRecord:
    """A bake that a check ended: one passed, one informative failed, one inconclusive, one was never run."""
    record = passed_canary()
    samples = ("07:17:41 GET http://10.0.1.17:8080/health: 503", "07:17:51 no answer within 5s")
    record.checks = [
        CheckRecord("answers", "http", "fail", 7, 3, 412.0, 300.0, "3 of 5 samples failed", details=samples, unit="ms"),
        CheckRecord(
            "cpu", "metric", "fail", 5, 3, 91.2, 80.0, "91.2 % at 07:41:00, more than 80 %", required=False, unit="%"
        ),
        CheckRecord("5xx", "alarm", "inconclusive", 1, 0, None, "OK", "1 of at least 3 samples"),
        CheckRecord("errors", "logs", "pass", 6, 0, 0.0, 0.0, seconds=61.0, unit="lines"),
        CheckRecord("smoke", "command"),
    ]
    record.seconds -= 240
    record.step("bake").seconds -= 240
    restore = record.step("restore")
    restore.outcome, restore.started, restore.seconds = PASSED, moment(record.seconds), 301.5
    restore.message = "drained, canary removed, sample-app:42 deregistered"
    record.traffic.append(TrafficPoint(moment(record.seconds + 1), 0, 3))
    record.seconds += 301.5
    record.evidence = ("service event: steady state",)
    message, cure = "check answers failed: 3 of 5 samples", "see the samples, then start again"
    return finish(record, "failed", 1, message, cure)


def inconclusive_canary() -> StageRecord:
    """A canary whose checks could not tell."""
    record = passed_canary()
    record.checks[1].verdict, record.checks[1].samples = "inconclusive", 1
    record.checks[1].message = "1 of at least 3 samples"
    message = "errors in the log: 1 of at least 3 samples"
    return finish(record, "inconclusive", 5, message, "promote or rollback")


def grown_canary() -> StageRecord:
    """A canary that grew in three steps to half of the traffic."""
    record = passed_canary()
    at = record.step("bake").started
    assert at is not None
    shares = [(0, 1, 3), (100, 2, 3), (200, 3, 3)]
    record.traffic = [TrafficPoint(at + timedelta(seconds=after), new, old) for after, new, old in shares]
    record.share = 50.0
    return record


def promoted() -> StageRecord:
    """A promotion that somebody approved."""
    record = stage("promote", PROMOTE_STEPS)
    record.approved_by, record.comment = "Aki Sato", "checkout errors are the provider's, see OPS-7"
    passed(
        record,
        ("preflight", 1.1, "canary passed 14 minutes ago"),
        ("service-update", 1.6, "sample-app:41 to sample-app:42"),
        ("stable", 95.3, "3 of 3 tasks"),
        ("drain", 300.0, "1 of 1 targets drained"),
        ("cleanup", 2.4, "canary stopped"),
    )
    record.traffic = [TrafficPoint(moment(0), 1, 3), TrafficPoint(moment(98), 0, 3)]
    return finish(record, "passed", 0)


def rolled_back() -> StageRecord:
    """A rollback of a live canary: no service update was needed."""
    record = stage("rollback", ROLLBACK_STEPS)
    passed(
        record,
        ("preflight", 1.2, "canary of 20261123-071500-ab12cd3 lives"),
        ("drain", 60.3, "1 of 1 targets drained"),
        ("cleanup", 3.1, "canary stopped"),
        ("deregister", 0.4, "sample-app:42"),
    )
    for name in ("service-update", "stable"):
        record.step(name).message = "the service was not promoted"
    record.traffic = [TrafficPoint(moment(0.5), 1, 3), TrafficPoint(moment(1.9), 0, 3)]
    return finish(record, "passed", 0)


def killed_canary() -> StageRecord:
    """A canary during its bake, as a kill leaves the record."""
    record = passed_canary()
    bake = record.step("bake")
    bake.outcome, bake.seconds, bake.message = RUNNING, 0.0, ""
    record.seconds -= 200
    record.checks[0].verdict = record.checks[1].verdict = ""
    return finish(record, "interrupted", 143)


def interrupted_canary() -> StageRecord:
    """A canary that SIGTERM ended in order."""
    record = killed_canary()
    bake = record.step("bake")
    bake.outcome, bake.seconds = ERROR, 100.4
    bake.message = "interrupted by SIGTERM; the same command resumes"
    return finish(record, "interrupted", 143, "interrupted by SIGTERM", "the same command resumes")


def refused_canary() -> StageRecord:
    """A canary that another release kept out."""
    record = stage("canary", CANARY_STEPS)
    record.release.task_definition = record.release.digest = record.release.image = ""
    preflight = record.step("preflight")
    preflight.outcome, preflight.started, preflight.seconds = FAILED, START, 1.4
    preflight.message = "release 20261122-180000-9f00aa1 holds the service"
    record.seconds = 1.4
    return finish(record, "refused", 3, preflight.message, "wait for it, or canary --replace")


def troubled_promote() -> StageRecord:
    """A promotion that AWS stopped."""
    record = stage("promote", PROMOTE_STEPS)
    passed(record, ("preflight", 1.1, ""))
    update = record.step("service-update")
    update.outcome, update.started, update.seconds = ERROR, moment(1.1), 31.0
    update.message = "UpdateService: AccessDeniedException: not authorized; allow ecs:UpdateService"
    record.seconds = 32.1
    message, cure = update.message.split("; ")
    return finish(record, "error", 4, message, cure)


def filled_with(text: str) -> StageRecord:
    """A failed stage with that text wherever AWS, a container or a user may put one."""
    record = failed_check()
    record.cluster = record.service = record.approved_by = record.comment = text
    record.release = ReleaseRecord(text, text, text, text, text, text, {"text": text})
    record.canary = [CanaryTaskRecord(text, text, (text,), text)]
    record.changes, record.notes, record.log_tail = [text], [text], [text]
    for check in record.checks:
        check.name = check.message = check.value = check.limit = check.unit = text
        check.details = (text,)
    for step in record.steps:
        step.message, step.evidence = text, (text,)
    record.step("traffic").outcome = FAILED
    record.evidence = (text,)
    return finish(record, "failed", 1, text, text)


ALL = {
    "canary passed": passed_canary,
    "canary failed": failed_canary,
    "canary failed by a check": failed_check,
    "canary inconclusive": inconclusive_canary,
    "canary grown": grown_canary,
    "canary killed": killed_canary,
    "canary interrupted": interrupted_canary,
    "canary refused": refused_canary,
    "promote passed": promoted,
    "promote in trouble": troubled_promote,
    "rollback passed": rolled_back,
}
"""Every variant, by what it shows."""
