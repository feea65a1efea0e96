import pytest

from ecs_pipeline.engine.record import (
    ERROR,
    FAILED,
    PASSED,
    RUNNING,
    SKIPPED,
    CanaryTaskRecord,
    CheckRecord,
    StageRecord,
    StepRecord,
    measured,
)
from ecs_pipeline.reports.cases import Case, canary_tasks, cases, culprit, cure, reason, step_cases
from tests.unit.reports import stage_records


def case_of(record: StageRecord, name: str) -> Case:
    return next(case for case in cases(record) if case.name == name)


def test_checks_come_right_after_the_bake_in_order() -> None:
    names = [case.name for case in cases(stage_records.failed_check())]
    checks = ["check: answers", "check: cpu", "check: 5xx", "check: errors", "check: smoke"]
    assert names == [*stage_records.CANARY_STEPS[:7], *checks, "restore"]


def test_checks_come_last_in_a_stage_without_a_bake() -> None:
    record = stage_records.stage("judge", ("preflight",))
    record.checks = [CheckRecord("answers", "http")]
    assert [case.name for case in cases(record)] == ["preflight", "check: answers"]


def test_a_step_keeps_its_outcome_time_message_and_evidence() -> None:
    case = case_of(stage_records.failed_canary(), "healthy")
    assert (case.outcome, case.seconds) == (FAILED, 12.6)
    assert case.message.startswith("task 0123456789abcdef0123456789abcdef stopped")
    assert case.evidence[1] == "container app: exit code 1"


def test_a_step_that_was_not_reached_is_skipped_and_says_so() -> None:
    case = case_of(stage_records.failed_canary(), "bake")
    assert (case.outcome, case.message) == (SKIPPED, "not reached")


def test_a_skipped_step_may_give_its_own_reason() -> None:
    assert case_of(stage_records.rolled_back(), "stable").message == "the service was not promoted"


def test_a_step_under_way_is_an_error_interrupted_with_the_time_it_took_so_far() -> None:
    case = case_of(stage_records.killed_canary(), "bake")
    assert (case.outcome, case.message) == (ERROR, "interrupted")
    assert case.seconds == pytest.approx(100.4)


def test_a_failure_without_a_word_still_has_a_message() -> None:
    record = stage_records.stage("canary", ("preflight",))
    record.steps[0].outcome = ERROR
    assert case_of(record, "preflight").message == "error"


def test_a_bake_that_a_check_ended_is_passed() -> None:
    record = stage_records.failed_check()
    record.step("bake").outcome, record.step("bake").evidence = FAILED, ("of the check",)
    case = case_of(record, "bake")
    assert (case.outcome, case.message, case.evidence) == (PASSED, "ended early: check answers failed", ())


def test_a_bake_whose_checks_were_inconclusive_is_passed() -> None:
    record = stage_records.inconclusive_canary()
    record.step("bake").outcome = ERROR
    assert case_of(record, "bake").outcome == PASSED


def test_a_bake_that_failed_by_itself_is_failed() -> None:
    record = stage_records.failed_check()
    record.checks[0].verdict = "pass"
    record.step("bake").outcome = FAILED
    assert case_of(record, "bake").outcome == FAILED


def test_a_check_that_failed_is_a_failure_with_its_numbers_details_and_the_stages_evidence() -> None:
    case = case_of(stage_records.failed_check(), "check: answers")
    assert (case.outcome, case.message) == (FAILED, "3 of 5 samples failed")
    assert case.evidence == (
        "7 samples, 3 failed, value 412 ms, limit 300 ms",
        "07:17:41 GET http://10.0.1.17:8080/health: 503",
        "07:17:51 no answer within 5s",
        "service event: steady state",
    )


def test_a_failed_check_without_a_message_tells_its_numbers() -> None:
    record = stage_records.failed_check()
    record.checks[0].message = ""
    assert case_of(record, "check: answers").message == "3 of 7 samples failed"


def test_the_evidence_of_a_step_is_not_told_again_with_a_check() -> None:
    record = stage_records.failed_check()
    record.step("traffic").outcome = FAILED
    assert "service event: steady state" not in case_of(record, "check: answers").evidence


def test_an_informative_check_that_failed_is_passed_and_says_so() -> None:
    case = case_of(stage_records.failed_check(), "check: cpu")
    assert (case.outcome, case.message) == (PASSED, "failed, but informative: 91.2 % at 07:41:00, more than 80 %")
    assert case.output == ("5 samples, 3 failed, value 91.2 %, limit 80 %",)


@pytest.mark.parametrize("message", ["1 of at least 3 samples", "inconclusive: 1 of at least 3 samples"])
def test_an_inconclusive_check_is_skipped_with_a_message_that_begins_so(message: str) -> None:
    record = stage_records.failed_check()
    record.checks[2].message = message
    case = case_of(record, "check: 5xx")
    assert (case.outcome, case.message) == (SKIPPED, "inconclusive: 1 of at least 3 samples")


def test_an_inconclusive_check_without_a_message_says_just_that() -> None:
    record = stage_records.failed_check()
    record.checks[2].message = ""
    assert case_of(record, "check: 5xx").message == "inconclusive"


def test_a_check_that_passed_shows_its_numbers() -> None:
    case = case_of(stage_records.passed_canary(), "check: answers")
    assert (case.outcome, case.seconds, case.message) == (PASSED, 300.4, "30 samples, p95 182 ms, limit 300 ms")
    assert case.output == ("30 samples, 0 failed, value 182.5 ms, limit 300 ms",)


def test_a_check_without_a_verdict_is_skipped() -> None:
    case = case_of(stage_records.failed_check(), "check: smoke")
    assert (case.outcome, case.message) == (SKIPPED, "not run")
    assert case_of(stage_records.killed_canary(), "check: answers").message == "no verdict"


def test_what_ends_a_stage_before_its_first_step_stands_in_that_step() -> None:
    record = stage_records.stage("canary", stage_records.CANARY_STEPS)
    record.evidence = ("ecs-pipeline.yml:3",)
    stage_records.finish(record, "refused", 2, "no such service")
    first = step_cases(record)[0]
    assert (first.outcome, first.message) == (FAILED, "no such service")
    assert first.evidence == ("ecs-pipeline.yml:3",)


def test_a_stage_killed_between_two_steps_is_not_shown_as_passed() -> None:
    record = stage_records.stage("canary", stage_records.CANARY_STEPS)
    stage_records.passed(record, ("preflight", 1.0, ""), ("image", 2.0, ""))
    outcomes = [(case.name, case.outcome, case.message) for case in step_cases(record)[1:4]]
    assert outcomes == [
        ("image", PASSED, ""),
        ("task-definition", ERROR, "interrupted"),
        ("tasks", SKIPPED, "not reached"),
    ]


def test_trouble_after_the_last_step_stands_in_that_step() -> None:
    record = stage_records.promoted()
    record.steps = record.steps[:-1]
    stage_records.finish(record, "error", 4, "tags were not written")
    last = step_cases(record)[-1]
    assert (last.outcome, last.message) == (ERROR, "tags were not written")


@pytest.mark.parametrize("record", [stage_records.passed_canary(), stage_records.inconclusive_canary()])
def test_a_stage_that_passed_or_was_inconclusive_has_no_failure(record: StageRecord) -> None:
    assert not [case for case in cases(record) if case.outcome in (FAILED, ERROR)]


def test_a_stage_without_steps_has_no_cases() -> None:
    assert cases(stage_records.stage("canary", ())) == []


def test_the_reason_of_a_stage_that_is_under_way_names_the_step() -> None:
    record = stage_records.killed_canary()
    assert (reason(record), cure(record)) == ("interrupted during bake", "the same command resumes")
    record.step("bake").outcome = PASSED
    assert reason(record) == "interrupted"


def test_the_reason_of_a_stage_that_is_over_is_its_message() -> None:
    assert reason(stage_records.interrupted_canary()) == "interrupted by SIGTERM"
    assert reason(stage_records.passed_canary()) == cure(stage_records.passed_canary()) == ""


def test_the_culprit_is_the_step_with_the_stages_message() -> None:
    record = stage_records.stage("canary", ("healthy", "restore"))
    record.steps = [
        StepRecord("healthy", FAILED, "unhealthy"),
        StepRecord("restore", ERROR, "AccessDenied; allow ecs:StopTask"),
    ]
    assert culprit(stage_records.finish(record, "error", 4, "AccessDenied")) is record.steps[1]
    assert culprit(stage_records.finish(record, "failed", 1, "other words")) is record.steps[0]
    assert culprit(stage_records.passed_canary()) is None


def test_a_step_under_way_is_no_culprit_yet() -> None:
    record = stage_records.killed_canary()
    assert record.step("bake").outcome == RUNNING
    assert culprit(record) is None


def test_the_baseline_is_none_of_the_canarys_tasks() -> None:
    record = stage_records.passed_canary()
    record.canary.append(CanaryTaskRecord("arn:baseline", role="baseline"))
    assert [task.ip for task in canary_tasks(record)] == ["10.0.1.17"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "ms", ""),
        ("OK", "", "OK"),
        (0.0, "%", "0 %"),
        (182.5, "ms", "182.5 ms"),
        (3, "count", "3"),
        (float("nan"), "", "nan"),
    ],
)
def test_numbers_read_well(value: str | float | None, unit: str, text: str) -> None:
    assert measured(value, unit) == text
