"""RunTask's clientToken: the same call is answered with the same tasks, another one with it is refused.

Operation RunTask, parameter clientToken and error ConflictException; API reference, "Ensuring idempotency".
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedded_aws import behaviour
from embedded_aws.api import ApiError

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_FORM = re.compile(r"[!-~]{1,64}")
_DAY, _HOUR = 24 * 3600.0, 3600.0


@dataclass
class _Use:
    parameters: str
    tasks: list[Record]
    since: float

    def is_over(self) -> bool:
        """Whether the token may be used anew: after min(24 h, the tasks' life + 1 h), or as the behaviour says."""
        now, lifetime = time.time(), behaviour.current.token_lifetime
        if lifetime is not None:
            return now >= self.since + lifetime
        ends = [float(task.get("stoppedAt", now)) for task in self.tasks]
        return now >= min(self.since + _DAY, max(ends) + _HOUR)


_uses: dict[tuple[str, str], _Use] = {}


def earlier_tasks(cluster: Record, request: Members) -> list[Record] | None:
    """Give the tasks that this token started before; None when it is new. Raises ConflictException."""
    token = request.get("clientToken")
    if token is None:
        return None
    if not _FORM.fullmatch(token):
        raise ApiError("InvalidParameterException", "clientToken takes 1 to 64 characters in the range of 33-126.")
    use = _uses.get((cluster["clusterArn"], token))
    if use is None or use.is_over():
        return None
    if use.parameters != _parameters(request):
        raise ApiError(
            "ConflictException",
            "The provided clientToken is already in use with a different RunTask request.",
            resourceIds=[] if behaviour.take("unnamed_conflicts") else [task["taskArn"] for task in use.tasks],
        )
    return use.tasks


def remember(cluster: Record, request: Members, tasks: list[Record]) -> None:
    """Note what a token started; one that started nothing is free."""
    if tasks and request.get("clientToken"):
        use = _Use(_parameters(request), tasks, time.time())
        _uses[cluster["clusterArn"], request["clientToken"]] = use


def _parameters(request: Members) -> str:
    return json.dumps({name: value for name, value in request.items() if name != "clientToken"}, sort_keys=True)
