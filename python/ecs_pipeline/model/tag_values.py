"""Tags as anybody may have written them: what cannot be read counts as absent, is told in a line, and raises nothing.

Whoever may call TagResource may write any value, so nothing that a tag says can be trusted to have the form that we
gave it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime, timezone

RELEASE_ID = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}"

RELEASE = re.compile(RELEASE_ID)
EPOCH = re.compile(rf"[0-9A-Za-z]{{1,64}}/(?:{RELEASE_ID})?")
REVISION = re.compile(r"arn:[a-z0-9-]+:ecs:[a-z0-9-]+:[0-9]{12}:task-definition/[A-Za-z0-9_-]{1,255}:[1-9][0-9]{0,9}")
"""The full ARN of a task-definition revision (Service Authorization Reference, Amazon ECS, resource types)."""
VERDICT = re.compile("pass|inconclusive")
"""What a bake that did not fail ends with; a failed one has no task left to tag."""
PROMOTED = re.compile("yes")
SCALING = re.compile("in=(yes|no) out=(yes|no) scheduled=(yes|no)")
"""Which scaling activities were suspended before a promotion."""
INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")
RUN_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
"""The name of a one-off command."""

LAST_SECOND = 253_402_300_799
"""The end of the year 9999 in seconds since the epoch: the last that a datetime can hold."""
HIGHEST_PORT = 65_535
MOST_SHOWN = 60
"""Characters of a value that cannot be read, as a message shows it."""


class TagReader:
    """Reads the tags of one resource; `unreadable` has a line for each that says nothing."""

    def __init__(self, tags: Mapping[str, str], resource: str) -> None:
        self._tags = tags
        self._resource = resource
        self.unreadable: list[str] = []

    def text(self, key: str) -> str:
        """The value as it is; '' without one."""
        return self._tags.get(key, "")

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        """The value when it has that form; '' without one."""
        value = self.text(key)
        if pattern.fullmatch(value):
            return value
        self._unreadable(key, value)
        return ""

    def number(self, key: str, most: int) -> int:
        """A number from 0 to `most`; 0 without one."""
        value = self.text(key)
        found = whole_number(value, most)
        if found is None:
            self._unreadable(key, value)
        return found or 0

    def time(self, key: str) -> datetime | None:
        """A time that is written in seconds since the epoch; None without one."""
        value = self.text(key)
        found = moment(value)
        if found is None:
            self._unreadable(key, value)
        return found

    def addresses(self, key: str) -> tuple[datetime | None, list[tuple[str, int]]]:
        """TIME ADDRESS:PORT …: when the addresses were written down, and those that a target can have."""
        stamp, *written = self.text(key).split(" ")
        recorded = moment(stamp)
        if recorded is None:
            self._unreadable(key, self.text(key))
            return None, []
        found = [address(text) for text in written]
        if None in found:
            self._unreadable(key, self.text(key))
        return recorded, [each for each in found if each]

    def _unreadable(self, key: str, value: str) -> None:
        if value:
            where = f"tag {shown(key)} of {self._resource}"
            self.unreadable.append(f"{where} is not believed, it cannot be read: {shown(value)}")


def whole_number(text: str, most: int) -> int | None:
    """A number from 0 to `most`; None for anything else. `isdigit` would take the digits of every script."""
    if not re.fullmatch(r"[0-9]{1,20}", text):
        return None
    return int(text) if int(text) <= most else None


def moment(text: str) -> datetime | None:
    """A time that is written in seconds since the epoch; None for anything else."""
    seconds = whole_number(text, LAST_SECOND)
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


def address(text: str) -> tuple[str, int] | None:
    """ADDRESS:PORT, the address an IP address or an instance's id; None for what DescribeTargetHealth would refuse."""
    identity, _, digits = text.rpartition(":")
    port = whole_number(digits, HIGHEST_PORT)
    if not port:
        return None
    if INSTANCE.fullmatch(identity):
        return identity, port
    try:
        ipaddress.ip_address(identity)
    except ValueError:
        return None
    return identity, port


def shown(value: str) -> str:
    """A value in a message: one line, plain characters, not too long."""
    plain = value.encode("ascii", "backslashreplace").decode()
    plain = "".join(letter if letter.isprintable() else "?" for letter in plain)
    return plain if len(plain) <= MOST_SHOWN else f"{plain[: MOST_SHOWN - 1]}…"
