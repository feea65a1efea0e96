"""Look-ups in values: `${env:NAME}`, `${ssm:/path}`, `${cfn:STACK.Output}`, `${secret:NAME}`; docs/configuration.md.

Who looks up is handed in: nothing here asks AWS. `$${env:NAME}` stands for `${env:NAME}` itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ecs_pipeline.documents.yaml import Place
from ecs_pipeline.errors import InvalidInput

PATTERN = re.compile(r"(?P<plain>\$?)\$\{(?P<kind>env|ssm|cfn|secret):(?P<rest>[^{}]*)\}")
ENV, SSM, CFN, SECRET = "env", "ssm", "cfn", "secret"
BY_TEXT = "text of a secret"
"""What a look-up of a secret becomes where its value is read, and not its ARN alone."""
NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
DEFAULT_MARK = ":-"
NAMES = {
    ENV: (re.compile(r"[A-Za-z_][A-Za-z0-9_]*"), "${env:NAME} or ${env:NAME:-default}"),
    SSM: (re.compile(r"[A-Za-z0-9_./-]{1,1011}|arn:[!-~]{1,1011}"), "${ssm:/path/of/a/parameter}"),
    CFN: (re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}\.[A-Za-z0-9]{1,255}"), "${cfn:STACK.Output}"),
    SECRET: (re.compile(r"[A-Za-z0-9/_+=.@:-]{1,2048}(?:#[^#\s]{1,256})?"), "${secret:NAME} or ${secret:NAME#KEY}"),
}
"""What may stand in a look-up of each kind, and how it is written."""

BY_ARN = frozenset(("secrets", "repository_credentials", "valueFrom", "credentialsParameter"))
"""Keys whose values, or whose map's values, are ARNs of secrets: the secret itself goes nowhere from here."""
BY_VALUE = "headers"
"""The key below which the value of a secret may stand: it is sent with a request, and never shown."""
ARN_PARAMETER = "SecretArn"


@dataclass(frozen=True)
class Lookup:
    """One look-up; `default` is None where none is given."""

    kind: str
    name: str
    default: str | None = None

    @property
    def key(self) -> str:
        """The member of a secret that is JSON; '' for the whole."""
        return self.name.partition("#")[2]

    @property
    def secret(self) -> str:
        """The name or ARN of a secret without the member."""
        return self.name.partition("#")[0]


class Source(Protocol):
    """Who knows the values. Each raises LookupError with the reason, without a value, when there is none."""

    def env(self, name: str) -> str | None:
        """A variable of the environment; None when it is not set."""

    def parameter(self, name: str) -> str:
        """A parameter of Parameter Store that is no SecureString."""

    def output(self, stack: str, name: str) -> str:
        """An output of a CloudFormation stack."""

    def secret_arn(self, name: str) -> str:
        """The ARN of a secret."""

    def secret(self, name: str, key: str) -> str:
        """The value of a secret, or of a member of it."""


@dataclass(frozen=True)
class EnvironmentSource:
    """The environment alone."""

    environment: Mapping[str, str]

    def env(self, name: str) -> str | None:
        """A variable; None when it is not set."""
        return self.environment.get(name)

    def parameter(self, name: str) -> str:
        """Raises LookupError: AWS is not asked."""
        raise LookupError(f"AWS is not asked for parameter {name} here")

    def output(self, stack: str, name: str) -> str:
        """Raises LookupError: AWS is not asked."""
        raise LookupError(f"AWS is not asked for output {name} of {stack} here")

    def secret_arn(self, name: str) -> str:
        """Raises LookupError: AWS is not asked."""
        raise LookupError(f"AWS is not asked for secret {name} here")

    def secret(self, name: str, key: str) -> str:
        """Raises LookupError: AWS is not asked."""
        raise LookupError(f"AWS is not asked for {key or 'the text'} of secret {name} here")


Blame = Callable[[Place, str], str]
"""The words of a mistake that stands at a place."""


@dataclass
class Lookups:
    """Fills documents in; `used` are the look-ups that were made."""

    source: Source
    used: set[Lookup] = field(default_factory=set)

    def filled(self, document: Any, blame: Blame) -> tuple[Any, dict[Place, str]]:
        """The document with every look-up's value, and the texts that had one, by place. Raises InvalidInput.

        Keys are left as they are. A document without look-ups is returned itself.
        """
        written: dict[Place, str] = {}
        found = self._filled(document, (), blame, written)
        return found, written

    def _filled(self, value: Any, place: Place, blame: Blame, written: dict[Place, str]) -> Any:
        if isinstance(value, str):
            if not PATTERN.search(value):
                return value
            written[place] = str(value)
            return PATTERN.sub(lambda match: self._value(match, place, blame), value)
        if isinstance(value, Mapping):
            return _same_or(value, {key: self._filled(value[key], (*place, str(key)), blame, written) for key in value})
        if isinstance(value, list):
            return _same_or(
                value, [self._filled(each, (*place, index), blame, written) for index, each in enumerate(value)]
            )
        return value

    def _value(self, match: re.Match[str], place: Place, blame: Blame) -> str:
        if match["plain"]:
            return match[0][1:]
        try:
            lookup = parsed(match["kind"], match["rest"])
            if lookup.kind == SECRET and BY_VALUE in place:
                lookup = replace(lookup, kind=BY_TEXT)
            found = self._asked(lookup, place)
        except LookupError as error:
            raise InvalidInput(blame(place, f"{match[0]}: {error.args[0]}")) from None
        self.used.add(lookup)
        return found

    def _asked(self, lookup: Lookup, place: Place) -> str:
        if lookup.kind == ENV:
            found = self.source.env(lookup.name)
            if found is None and lookup.default is None:
                raise LookupError(f"{lookup.name} is not set; set it, or give a default: ${{env:{lookup.name}:-…}}")
            return found if found is not None else lookup.default or ""
        if lookup.kind == SSM:
            return self.source.parameter(lookup.name)
        if lookup.kind == CFN:
            stack, _, name = lookup.name.rpartition(".")
            return self.source.output(stack, name)
        if lookup.kind == BY_TEXT:
            return self.source.secret(lookup.secret, lookup.key)
        if not takes_arn(place):
            raise LookupError("a secret may stand in `secrets`, `repository_credentials`, `headers` and `valueFrom`")
        if lookup.key:
            raise LookupError("the ARN stands here; a member of it is written after it: ${secret:NAME}:MEMBER::")
        return self.source.secret_arn(lookup.secret)


def parsed(kind: str, rest: str) -> Lookup:
    """A look-up of what stands between its braces. Raises LookupError."""
    name, mark, default = rest.partition(DEFAULT_MARK) if kind == ENV else (rest, "", "")
    pattern, form = NAMES[kind]
    if not pattern.fullmatch(name):
        raise LookupError(f"this is not a look-up; write {form}")
    return Lookup(kind, name, default if mark else None)


def takes_arn(place: Place) -> bool:
    """Whether the ARN of a secret belongs at a place."""
    return bool(BY_ARN & set(place[-2:])) or (place[-2:-1] == ("parameters",) and ARN_PARAMETER in str(place[-1]))


def texts_in(document: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """The texts of a document that have a look-up, or what looks like one, with their places."""
    if isinstance(document, str):
        if PATTERN.search(document):
            yield place, document
    elif isinstance(document, Mapping):
        for key, value in document.items():
            yield from texts_in(value, (*place, str(key)))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from texts_in(value, (*place, index))


def kinds_in(text: str) -> list[str]:
    """The kinds of the look-ups in a text."""
    return [match["kind"] for match in PATTERN.finditer(text) if not match["plain"]]


def as_number(text: Any) -> int | float | bool | None:
    """The number, true or false that a text says; None when it says none."""
    if text in ("true", "false"):
        return bool(text == "true")
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def _same_or(before: Any, after: Any) -> Any:
    """The document itself where nothing in it changed: it knows the lines of its keys."""
    pairs = zip(before.values() if isinstance(before, Mapping) else before, _values(after), strict=True)
    return before if all(old is new for old, new in pairs) else after


def _values(document: Any) -> Any:
    return document.values() if isinstance(document, Mapping) else document
