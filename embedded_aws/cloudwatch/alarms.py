"""Metric alarms are evaluated over time, each on its own metric, and a state that was set lasts until then.

API reference of CloudWatch, PutMetricAlarm and SetAlarmState; User Guide, "Alarm evaluation".
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from ministack.services import cloudwatch

from embedded_aws import behaviour
from embedded_aws.cloudwatch import alarm_evaluation

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members, Response

    Operation = Callable[..., Response]

_LOOK_SECONDS = 0.2
_SHORT_PERIODS = {10, 20, 30}
_log = logging.getLogger(__name__)


def install() -> None:
    """Take the evaluation from ministack's requests and do it in the background."""
    cloudwatch._put_metric_alarm = _refusing(cloudwatch._put_metric_alarm)
    cloudwatch._evaluate_alarm = _not_yet
    cloudwatch._evaluate_all_alarms = _not_yet
    threading.Thread(target=_run, daemon=True, name="alarms").start()


def _not_yet(_alarm: Members | None = None) -> None:
    """Leave it to the next evaluation: requests evaluate nothing."""


def _refusing(put: Operation) -> Operation:
    def put_metric_alarm(parameters: Members, request: Members, is_cbor: bool, is_json: bool = False) -> Response:  # noqa: FBT001, FBT002
        problem = _problem({**parameters, **request})
        if problem:
            refused: Response = cloudwatch._error("ValidationError", problem, 400, use_json=is_json, use_cbor=is_cbor)
            return refused
        return put(parameters, request, is_cbor, is_json)

    return put_metric_alarm


def _problem(request: Members) -> str:
    if request.get("Metrics"):
        return "Alarms on metric math are not emulated."
    period = int(cloudwatch._p(request, "Period", "0"))
    if period not in _SHORT_PERIODS and (period < 60 or period % 60):
        return "Period must be 10, 20, 30 or a multiple of 60."
    return ""


def _run() -> None:
    next_times: dict[str, float] = {}
    while True:
        time.sleep(_LOOK_SECONDS)
        now = time.monotonic()
        for name, alarm in list(cloudwatch._alarms.items()):
            if next_times.get(name, 0.0) <= now:
                next_times[name] = now + _interval(alarm)
                _evaluate(alarm)


def _interval(alarm: Members) -> float:
    quicker = behaviour.current.alarm_evaluation_interval
    return quicker if quicker is not None else 10.0 if alarm["Period"] < 60 else 60.0


def _evaluate(alarm: Members) -> None:
    try:
        state, reason = alarm_evaluation.evaluate(alarm, time.time())
        if state != alarm["StateValue"]:
            _change(alarm, state, reason)
    except Exception:  # noqa: BLE001 - one alarm's defect must not end the evaluation of the others
        _log.exception("alarm %s cannot be evaluated", alarm["AlarmName"])


def _change(alarm: Members, state: str, reason: str) -> None:
    before, now = alarm["StateValue"], time.time()
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now, StateTransitionedTimestamp=now)
    _log.info("alarm %s: %s: %s", alarm["AlarmName"], state, reason)
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
