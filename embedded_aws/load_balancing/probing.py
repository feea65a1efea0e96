"""Health checks in the background, as each target group asks for them."""

from __future__ import annotations

import http.client
import logging
import math
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from embedded_aws import behaviour
from embedded_aws.load_balancing import target_groups
from embedded_aws.load_balancing.targets import Health, Target

if TYPE_CHECKING:
    from embedded_aws.load_balancing.target_groups import Group

IDLE_SECONDS = 5.0
TIMED_OUT = Health("unhealthy", "Target.Timeout", "Request timed out")
NO_CONNECTION = Health("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
_log = logging.getLogger(__name__)


def start() -> None:
    """Start checking all registered targets for as long as the process lives."""
    threading.Thread(target=_run, daemon=True, name="target-health").start()


def port_of(group: Group, target: Target) -> int:
    """Give the port that is checked."""
    port = group.get("HealthCheckPort", "traffic-port")
    return target.port if port == "traffic-port" else int(port)


def probe(group: Group, target: Target) -> Health | None:
    """Check a target once; give what is wrong with it, or nothing."""
    address, timeout = target_groups.address(target), float(group["HealthCheckTimeoutSeconds"])
    try:
        if group["HealthCheckProtocol"] not in {"HTTP", "HTTPS"}:
            socket.create_connection((address, port_of(group, target)), timeout).close()
            return None
        return _request(group, address, port_of(group, target), timeout)
    except TimeoutError:
        return TIMED_OUT
    except (OSError, http.client.HTTPException):
        return NO_CONNECTION


def _request(group: Group, address: str, port: int, timeout: float) -> Health | None:
    kind = http.client.HTTPSConnection if group["HealthCheckProtocol"] == "HTTPS" else http.client.HTTPConnection
    connection = kind(address, port, timeout=timeout)
    try:
        connection.request("GET", group["HealthCheckPath"], headers={"User-Agent": "ELB-HealthChecker/2.0"})
        status = connection.getresponse().status
    finally:
        connection.close()
    if _matches(group["Matcher"]["HttpCode"], status):
        return None
    description = f"Health checks failed with these codes: [{status}]"
    return Health("unhealthy", "Target.ResponseCodeMismatch", description)


def _matches(matcher: str, status: int) -> bool:
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False


def _run() -> None:
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="target-health") as pool:
        while True:
            target_groups.changed.clear()
            now = time.monotonic()
            next_look = now + IDLE_SECONDS
            for arn, group, target in _checked_targets():
                if target.next_check <= now:
                    target.next_check = math.inf  # until this one is over: dead targets would fill the pool
                    pool.submit(_check, arn, group, target, now).add_done_callback(_log_defect)
                next_look = min(next_look, target.next_check)
            target_groups.changed.wait(max(0.0, next_look - time.monotonic()))


def _interval(group: Group) -> float:
    quicker = behaviour.current.health_check_interval
    return float(group["HealthCheckIntervalSeconds"]) if quicker is None else quicker


def _checked_targets() -> list[tuple[str, Group, Target]]:
    return [
        (arn, group, target)
        for arn, group in target_groups.groups_with_targets()
        if group.get("HealthCheckEnabled", True) and target_groups.load_balancers(arn)
        for target in target_groups.registered(arn)
        if not target.draining
    ]


def _log_defect(check: Future[None]) -> None:
    if check.exception() is not None:
        _log.error("a health check broke", exc_info=check.exception())


def _check(arn: str, group: Group, target: Target, begun: float) -> None:
    try:
        failure = probe(group, target)
    finally:
        target.next_check = begun + _interval(group)
        target_groups.changed.set()
    with target_groups.lock:
        before = target.health
        if target.draining:
            return
        if failure is None:
            target.pass_check(group)
        else:
            target.fail_check(group, failure)
        is_changed = target.health != before
    if is_changed:
        _log.info("target %s:%s of %s: %s", target.id, target.port, arn.split("/")[1], target.health)
        target_groups.tell_change()
