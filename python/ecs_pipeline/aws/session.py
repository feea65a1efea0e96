"""Credentials, region, endpoint and the one way in which AWS is called: counted, retried, errors translated."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.session
from botocore import xform_name

from ecs_pipeline import __version__
from ecs_pipeline.aws import answers, failures
from ecs_pipeline.aws.credentials import Lasting, lasting
from ecs_pipeline.aws.failures import DENIED, GIVE_CREDENTIALS, NO_CREDENTIALS, AwsError, one_line, unread
from ecs_pipeline.errors import InvalidInput, Trouble
from ecs_pipeline.timing import retry

if TYPE_CHECKING:
    from ecs_pipeline.timing.clock import Clock

__all__ = ["DENIED", "NO_CREDENTIALS", "AwsClient", "AwsError", "AwsSession", "on_event", "session_name"]

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 20
"""Seconds. No call of ours takes AWS longer; botocore's 60 would leave an on-call engineer staring."""

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
IAM_PREFIX = {"elbv2": "elasticloadbalancing"}
"""Where the IAM prefix of a service is not boto3's name for it."""

TOKENS = ("nextToken", "NextToken")
"""How services name what asks for the next page."""

SESSION_NAME = "ecs-pipeline"
LONGEST_SESSION_NAME = 64
NOT_IN_SESSION_NAME = re.compile(r"[^A-Za-z0-9_=,.@-]")


class AwsClient:
    """One AWS service's API: `call("DescribeServices", cluster=…)`."""

    def __init__(
        self,
        name: str,
        client: Any,
        clock: Clock,
        attempts: int,
        told_time: Callable[[timedelta], None] = lambda _: None,
    ) -> None:
        self._name = name
        self._client = client
        self._clock = clock
        self._attempts = attempts
        self._told_time = told_time

    @property
    def boto(self) -> Any:
        """The boto3 client, for paginators, models and events."""
        return self._client

    def call(
        self, operation: str, /, *, once: bool = False, attempts: int | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Call an operation, again where that helps.

        `once`: AWS has no idempotency token for it; when no answer came, AnswerLost is raised instead of trying again.
        `attempts`: fewer than usual, for what is asked again soon anyway.
        Raises AwsError with AWS' code for what AWS refused.
        """

        action = f"{IAM_PREFIX.get(self._name, self._name)}:{operation}"
        region, protocol = self._client.meta.region_name, self._client.meta.service_model.metadata["protocol"]

        def attempt() -> dict[str, Any]:
            self._clock.check()
            try:
                answer = getattr(self._client, xform_name(operation))(**parameters)
            except Exception as error:
                raise failures.judged(action, error, once=once, region=region) from error
            if not answers.is_of_aws(answer, protocol):
                why = f"what answers at {self._client.meta.endpoint_url} is not AWS"
                raise failures.lost(action, why, once=once, region=region)
            self._told_time(answers.behind(answer, self._clock.wall()))
            found: dict[str, Any] = answers.wrapped(answer, action)
            return found

        return retry.call(attempt, self._clock, min(attempts or self._attempts, self._attempts))

    def pages(self, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """All entries of a list operation, page by page."""
        found: list[Any] = []
        token: dict[str, Any] = {}
        while True:
            page = self.call(operation, **parameters, **token)
            found += page.get(key, [])
            token = {name: page[name] for name in TOKENS if page.get(name)}
            if not token:
                return found


class AwsSession:
    """Hands out one client a service; settings come from arguments, then the usual places of AWS' SDKs."""

    def __init__(
        self,
        clock: Clock,
        region: str = "",
        role_arn: str = "",
        build: str = "",
        *,
        external_id: str = "",
        role_duration: float | None = None,
    ) -> None:
        self._clock = clock
        self._role_arn = role_arn
        self._assumes: dict[str, Any] = {"RoleSessionName": session_name(build)}
        self._assumes |= {"ExternalId": external_id} if external_id else {}
        self._assumes |= {"DurationSeconds": round(role_duration)} if role_duration else {}
        self._behind = timedelta(0)
        self._botocore = botocore.session.Session()
        self._clients: dict[tuple[str, str], AwsClient] = {}
        self.calls = 0
        _refuse_broken_credentials()
        try:
            self.region = region or _region_of(self._botocore)
            attempts = int(self._botocore.get_config_variable("max_attempts") or 0)
            _ask_nobody(self._botocore)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise InvalidInput(f"AWS configuration: {one_line(error)}", cure="correct AWS_* or the profile") from error
        if not self.region:
            raise InvalidInput("no AWS region", cure="give --region, `region:` in the config, or AWS_REGION")
        self._attempts = attempts or retry.ATTEMPTS

    def client(self, name: str, region: str = "") -> AwsClient:
        """The client of a service, made once."""
        key = (name, region or self.region)
        if key not in self._clients:
            try:
                client = self._session.client(name, region_name=key[1], config=_settings())
            except NO_CREDENTIALS as error:
                raise Trouble(f"AWS credentials: {one_line(error)}", cure=GIVE_CREDENTIALS) from error
            except (botocore.exceptions.BotoCoreError, ValueError) as error:
                raise InvalidInput(
                    f"AWS configuration: {one_line(error)}", cure="correct AWS_*, --region or the profile"
                ) from error
            except OSError as error:
                raise Trouble(f"AWS credentials: {unread(error)}", cure=GIVE_CREDENTIALS) from error
            client.meta.events.register("before-send", self._count)
            self._clients[key] = AwsClient(name, client, self._clock, self._attempts, self._note_time)
        return self._clients[key]

    def now(self) -> datetime:
        """The time in UTC as AWS has it: the agent's clock may be minutes off, and AWS still takes its signatures."""
        return self._clock.wall() + self._behind

    def lasting(self) -> Lasting:
        """How long the job's credentials last; with a role those that it is assumed with, for they renew it."""
        return lasting(self._source)

    def _note_time(self, behind: timedelta) -> None:
        self._behind = behind

    @cached_property
    def _source(self) -> Any:
        return self._botocore.get_credentials()

    @cached_property
    def _session(self) -> Any:
        if self._role_arn:
            self._botocore._credentials = self._assumed()
        return boto3.Session(botocore_session=self._botocore, region_name=self.region)

    def _assumed(self) -> Any:
        """The role's credentials, renewed by botocore before they end (STS AssumeRole)."""
        source = self._source
        if source is None:
            raise Trouble("no AWS credentials to assume the role with", cure=GIVE_CREDENTIALS)
        fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
            client_creator=partial(self._botocore.create_client, config=_settings()),
            source_credentials=source,
            role_arn=self._role_arn,
            extra_args=self._assumes,
        )
        return botocore.credentials.DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )

    def _count(self, **_: Any) -> None:
        self.calls += 1


def _refuse_broken_credentials() -> None:
    """A line break that came along with a pasted secret: Python's HTTP client would show the value in its error."""
    for name in CREDENTIALS:
        if re.search(r"\s", os.environ.get(name, "")):
            raise InvalidInput(f"{name} has a space or a line break in it", cure="set it without")


def _region_of(session: botocore.session.Session) -> str:
    """AWS_REGION, as the AWS CLI and most SDKs read it; then what botocore knows: AWS_DEFAULT_REGION, the profile."""
    return os.environ.get("AWS_REGION") or session.get_config_variable("region") or ""


def _settings() -> Any:
    """Of every client, the one that assumes the role included: retry.py alone tries again."""
    return botocore.config.Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        user_agent_extra=f"ecs-pipeline/{__version__}",
    )


def on_event(client: AwsClient, event: str, handler: Callable[..., Any]) -> None:
    """Hang a handler on one of botocore's events of this client."""
    client.boto.meta.events.register(event, handler)


def session_name(build: str) -> str:
    """The name of the role's session, by which CloudTrail tells job and build: 64 of AWS' characters at most.

    A longer one is cut, and keeps a hash of the whole and the build's number.
    """
    name = "-".join(filter(None, (SESSION_NAME, NOT_IN_SESSION_NAME.sub("-", build))))
    if len(name) <= LONGEST_SESSION_NAME:
        return name
    number = re.search(r"-\d{1,9}\Z", name)
    mark = f"-{hashlib.sha256(build.encode()).hexdigest()[:8]}{number[0] if number else ''}"
    return f"{name[: LONGEST_SESSION_NAME - len(mark)]}{mark}"


def _ask_nobody(session: Any) -> None:
    """Where nobody sits, a profile that wants a code of a device is told, instead of asking for it."""
    if sys.stdin is not None and sys.stdin.isatty():
        return

    def refuse(_prompt: str) -> str:
        profile = session.get_config_variable("profile") or "default"
        raise Trouble(
            f"AWS credentials: profile {profile} wants a code of a device (mfa_serial)",
            cure="use credentials that need none: a role of the agent, or `aws sts get-session-token` before",
        )

    provider = session.get_component("credential_provider").get_provider("assume-role")
    provider._prompter = refuse  # botocore has no other way to set it
