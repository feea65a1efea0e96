"""Our tags, to and fro: what `ecs-pipeline:…` on service, task and revision says.

Values may hold letters, digits, spaces and `+ - = . _ : / @`, 256 characters at most; a resource has at most 50 tags
(Amazon ECS developer guide, "Tag restrictions").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ecs_pipeline.model import tag_values as written
from ecs_pipeline.model.load_balancing import RecordedTarget, Target
from ecs_pipeline.model.release import CANARY, Epoch, Marks, Task
from ecs_pipeline.model.tag_values import TagReader
from ecs_pipeline.protocol.decide import digest

PREFIX = "ecs-pipeline:"
RELEASE, SERVICE, EPOCH, ROLE, INDEX = (PREFIX + name for name in ("release", "service", "turn", "role", "index"))
COMMIT, BUILD, RESTORES, PROMOTED = (PREFIX + name for name in ("commit", "build", "restores", "promoted"))
VERDICT, JUDGED_STEPS, JUDGED_TASKS, BAKE_BEGAN = (
    PREFIX + name for name in ("verdict", "judged-steps", "judged-tasks", "bake-began")
)
UNDER_WAY, SOURCE, WANTED, PREVIOUS = (PREFIX + name for name in ("under-way", "source", "wanted", "previous"))
APPROVAL = PREFIX + "approved-by"
SCALING = PREFIX + "scaling"
TARGETS = PREFIX + "targets:"
RAN = PREFIX + "ran:"
RESERVED = (WANTED, RELEASE, PREVIOUS)
"""Keys of a service that a canary creates empty, for a promotion or a rollback to overwrite."""
SPARE = (SOURCE, APPROVAL)
"""Keys that a canary writes and that say nothing once it is cancelled: they make room for `turn`."""
STARTED_BY = "canary/"
"""How RunTask's startedBy of our tasks begins, of whatever service."""
ONE_OFF = "run/"
"""The same of one-off commands."""

FORBIDDEN = re.compile(r"[^\w .:/=+\-@]")
"""What a tag's value may not hold."""
LONGEST_VALUE = 256
MOST_TAGS = 50
HIGHEST_CODE = 255
"""The highest exit code of a container."""
MOST_NUMBERED = 9_999
"""The highest index, and the most steps and tasks, that a tag can tell."""
TARGETS_KEPT_FOR = timedelta(days=1)


def started_by(service: str) -> str:
    """RunTask's startedBy of all our tasks of a service: 128 of letters, digits, `-`, `/`, `_` at most."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", service)
    if plain == service and len(service) <= 121:
        return STARTED_BY + service
    return f"{STARTED_BY}{plain[:80]}_{digest(service)[:32]}"


def tag_value(text: str) -> str:
    """Text as a tag may hold it: other characters become `_`. What is too long ends with `=` and a digest of all of it:
    cut, the build 123 of a job would be taken for its build 12.
    """
    plain = FORBIDDEN.sub("_", text)
    if len(plain) <= LONGEST_VALUE:
        return plain
    told = f"={digest(text)[:32]}"
    return plain[: LONGEST_VALUE - len(told)] + told


def approver_value(text: str) -> str:
    """Who approved, as a tag may hold it: `Jane Doe <jane@x.org>` becomes `Jane Doe jane@x.org`."""
    return tag_value(" ".join(FORBIDDEN.sub(" ", text).split()))


def build_value(text: str) -> str:
    """A build's address as its tag says it; no other address has the same value.

    What a tag may not hold becomes `=` and its code in hexadecimal. A longer value ends with `==` and its hash: FNV-1a,
    32 bits, as the Jenkins library cannot compute a better one in its sandbox.
    """
    value = re.sub(r"[^A-Za-z0-9_ .:/+@-]", lambda match: f"={ord(match[0]):02x}", text)
    if len(value) < LONGEST_VALUE:
        return value
    hashed = 2166136261
    for letter in value:
        hashed = (hashed ^ ord(letter)) * 16777619 % 2**32
    return f"{value[: LONGEST_VALUE - 10]}=={hashed:08x}"


def epoch_value(epoch: Epoch) -> str:
    """An epoch as a tag says it: DIGEST/RELEASE."""
    return f"{epoch.digest}/{epoch.cancelled}"


def parse_epoch(value: str) -> Epoch:
    """The epoch that a tag says; an absent one, and one that nobody can have written, is epoch 0."""
    return _epoch(value) if written.EPOCH.fullmatch(value) else Epoch()


def parse_service(tags: Mapping[str, str], name: str = "") -> Marks:
    """The marks of a service, from its tags."""
    reader = TagReader(tags, f"service {name}")
    return Marks(
        epoch=_epoch(reader.matching(EPOCH, written.EPOCH)),
        under_way=reader.matching(UNDER_WAY, written.RELEASE),
        source=reader.text(SOURCE),
        wanted=reader.matching(WANTED, written.REVISION) or None,
        release=reader.matching(RELEASE, written.RELEASE),
        previous=reader.matching(PREVIOUS, written.REVISION) or None,
        approval=reader.text(APPROVAL),
        targets=tuple(_recorded(reader, tags)),
        scaling=reader.matching(SCALING, written.SCALING),
        unreadable=tuple(reader.unreadable),
    )


def missing_keys(tags: Mapping[str, str], more: Sequence[str] = ()) -> dict[str, str]:
    """Empty tags, which say the same as absent ones, for reserved keys, and more, that a service does not have yet.

    AWS refuses a new key once a resource has 50 tags, and lets one that is there be overwritten. `turn` is not among
    them: a canary that writes it late would take back the epoch that a rollback began (docs/protocol.md, rule 2).
    """
    return {key: "" for key in (*RESERVED, *more) if key not in tags}


def promoted() -> dict[str, str]:
    """The tag of a revision that says a promotion of it began; it is registered with an empty one."""
    return {PROMOTED: "yes"}


def unjudged() -> dict[str, str]:
    """Tags that a canary task is run with, for the same reason: its verdict overwrites them."""
    return {VERDICT: "", JUDGED_STEPS: "0", JUDGED_TASKS: "0", BAKE_BEGAN: ""}


def parse_task(tags: Mapping[str, str], name: str) -> dict[str, Any]:
    """What the tags of a task say, as members of model.Task."""
    reader = TagReader(tags, f"task {name}")
    return {
        "of": reader.text(SERVICE),
        "release": reader.matching(RELEASE, written.RELEASE),
        "epoch": _epoch(reader.matching(EPOCH, written.EPOCH)),
        "role": reader.text(ROLE) or CANARY,
        "index": reader.number(INDEX, MOST_NUMBERED),
        "verdict": reader.matching(VERDICT, written.VERDICT),
        "judged_steps": reader.number(JUDGED_STEPS, MOST_NUMBERED),
        "judged_tasks": reader.number(JUDGED_TASKS, MOST_NUMBERED),
        "bake_began": reader.time(BAKE_BEGAN),
        "unreadable": tuple(reader.unreadable),
    }


def parse_revision(tags: Mapping[str, str], name: str) -> dict[str, Any]:
    """What the tags of a revision say, as members of model.Revision."""
    reader = TagReader(tags, f"task definition {name}")
    epoch = reader.matching(EPOCH, written.EPOCH)
    return {
        "release": reader.matching(RELEASE, written.RELEASE),
        "epoch": _epoch(epoch) if epoch else None,
        "restores": reader.matching(RESTORES, written.REVISION),
        "promoted": bool(reader.matching(PROMOTED, written.PROMOTED)),
        "unreadable": tuple(reader.unreadable),
    }


def record_of(targets: Sequence[Target], now: datetime) -> dict[str, str]:
    """The tags that write the addresses down: TIME ADDRESS:PORT … packed into as few tags as hold them.

    The same addresses give the same keys, so that writing them again changes no more than the time.
    """
    stamp = str(int(now.timestamp()))
    records: dict[str, str] = {}
    addresses = {f"{target.identity}:{target.port}" for target in targets}
    for chunk in _packed(sorted(addresses), LONGEST_VALUE - len(stamp)):
        records[TARGETS + digest(*chunk)[:12]] = " ".join([stamp, *chunk])
    return records


def outdated_records(tags: Mapping[str, str], now: datetime) -> list[str]:
    """Keys of the records that are older than a day."""
    keys = []
    for key, value in tags.items():
        if key.startswith(TARGETS) and all(now - target.recorded > TARGETS_KEPT_FOR for target in _targets(value)):
            keys.append(key)
    return sorted(keys)


def unregistered_records(tags: Mapping[str, str], registered: Collection[tuple[str, int]]) -> list[str]:
    """Keys of the records none of whose addresses is registered, oldest first."""
    keys = []
    for key, value in tags.items():
        targets = _targets(value) if key.startswith(TARGETS) else []
        if targets and not any((target.identity, target.port) in registered for target in targets):
            keys.append((targets[0].recorded, key))
    return [key for _, key in sorted(keys)]


def ran_tag(name: str, release: str, code: int, task: str) -> dict[str, str]:
    """The tag of the service that says how a named one-off command ended: RELEASE CODE TASK."""
    return {f"{RAN}{name}": f"{release} {code} {task}"}


def ran(tags: Mapping[str, str], name: str, release: str) -> int | None:
    """The exit code that a named command ended with for a release; None when it did not run for it."""
    return last_run(tags, name, release)[0]


def last_run(tags: Mapping[str, str], name: str, release: str) -> tuple[int | None, str]:
    """The same with the id of its task; None and '' when it did not run for the release."""
    found, _, rest = tags.get(f"{RAN}{name}", "").partition(" ") if name else ("", "", "")
    code, _, task = rest.partition(" ")
    exit_code = written.whole_number(code, HIGHEST_CODE) if found == release else None
    return exit_code, task if exit_code is not None else ""


def is_one_off(task: Task) -> bool:
    """Whether a task is that of a one-off command: a service starts no task under such a name."""
    return task.started_by.startswith(ONE_OFF)


def theirs(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that are neither ours nor AWS': what a copy of the resource may carry."""
    return {key: value for key, value in tags.items() if not key.startswith(("aws:", PREFIX))}


def _epoch(value: str) -> Epoch:
    found, _, cancelled = value.partition("/")
    return Epoch(found, cancelled) if found else Epoch()


def _recorded(reader: TagReader, tags: Mapping[str, str]) -> Iterable[RecordedTarget]:
    for key in sorted(key for key in tags if key.startswith(TARGETS)):
        recorded, addresses = reader.addresses(key)
        if recorded is not None:
            yield from (RecordedTarget(identity, port, recorded) for identity, port in addresses)


def _targets(value: str) -> list[RecordedTarget]:
    return list(_recorded(TagReader({TARGETS: value}, ""), {TARGETS: value}))


def _packed(addresses: Sequence[str], room: int) -> Iterable[list[str]]:
    chunk: list[str] = []
    for address in addresses:
        if chunk and sum(len(each) + 1 for each in [*chunk, address]) > room:
            yield chunk
            chunk = []
        chunk.append(address)
    if chunk:
        yield chunk
