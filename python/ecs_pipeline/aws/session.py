"""Credentials, region, endpoint and the one way in which AWS is called: counted, retried, errors translated."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
import botocore.credentials
import botocore.exceptions
import botocore.parsers
import botocore.session
from botocore import xform_name

from ecs_pipeline import __version__, retry
from ecs_pipeline.errors import AnswerLost, InvalidInput, Trouble

if TYPE_CHECKING:
    from ecs_pipeline.clock import Clock

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 20
"""Seconds. No call of ours takes AWS longer; botocore's 60 would leave an on-call engineer staring."""

THROTTLES = frozenset(
    (
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    )
)
"""Refused for the rate alone, so nothing was done: AWS SDKs and Tools Reference Guide, "Retry behavior"."""

CROWDED = "Too many concurrent attempts"
"""… to create a new revision of the specified family: the one ClientException of RegisterTaskDefinition that passes."""

PASSING = frozenset(
    (
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    )
)
"""AWS' own trouble, that passes: Amazon ECS API Reference, "Common Error Types"."""

DENIED = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"])
EXPIRED = frozenset(["ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId"])
UNSIGNED = frozenset(
    (
        "IncompleteSignature",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
    )
)
"""The request is not signed as AWS wants it: a wrong secret key, or a clock that is wrong."""
ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z]+)")
"""In what AWS says of a refusal: the permission that is missing need not be the operation's own (iam:PassRole)."""
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
IAM_PREFIX = {"elbv2": "elasticloadbalancing"}
"""Where the IAM prefix of a service is not boto3's name for it."""

NO_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.TokenRetrievalError,
    botocore.exceptions.UnauthorizedSSOTokenError,
    botocore.exceptions.SSOTokenLoadError,
)
"""Errors of botocore that mean: no credentials, or none that can be read."""

BEFORE_SENDING: tuple[tuple[Any, str], ...] = (
    (botocore.exceptions.ParamValidationError, "correct the value named"),
    ((*NO_CREDENTIALS, OSError), "give the job AWS credentials"),  # OSError: the file of a web identity's token
    (botocore.exceptions.BotoCoreError, "correct AWS_* or the profile"),
)
"""What goes wrong before a request is sent, by the first kind that fits, and the cure."""


class AwsError(Trouble):
    """What AWS answered instead of doing it; `code` is AWS' own name for it."""

    def __init__(self, operation: str, code: str, text: str, *, cure: str = "", raw: Mapping[str, Any] = {}) -> None:
        super().__init__(f"{operation}: {code}: {text}" if code else f"{operation}: {text}", cure=cure)
        self.operation = operation
        self.code = code
        self.text = text
        self.raw = raw


class AwsClient:
    """One AWS service's API: `call("DescribeServices", cluster=…)`."""

    def __init__(self, name: str, client: Any, clock: Clock, attempts: int) -> None:
        self._name = name
        self._client = client
        self._clock = clock
        self._attempts = attempts

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

        def attempt() -> dict[str, Any]:
            self._clock.check()
            try:
                answer: dict[str, Any] = getattr(self._client, xform_name(operation))(**parameters)
            except Exception as error:
                raise self._judge(operation, error, once=once) from error
            return answer

        return retry.call(attempt, self._clock, min(attempts or self._attempts, self._attempts))

    def pages(self, operation: str, key: str, /, **parameters: Any) -> list[Any]:
        """All entries of a list operation, page by page."""
        found: list[Any] = []
        token: dict[str, Any] = {}
        while True:
            page = self.call(operation, **parameters, **token)
            found += page.get(key, [])
            if not page.get("nextToken"):
                return found
            token = {"nextToken": page["nextToken"]}

    def _judge(self, operation: str, error: Exception, *, once: bool) -> Exception:
        action = f"{IAM_PREFIX.get(self._name, self._name)}:{operation}"
        if isinstance(error, botocore.exceptions.ClientError):
            return self._judge_answer(action, error, once=once)
        not_sent = isinstance(
            error, botocore.exceptions.EndpointConnectionError | botocore.exceptions.ConnectTimeoutError
        )
        if not_sent or isinstance(error, botocore.exceptions.HTTPClientError | botocore.parsers.ResponseParserError):
            network = f"check the network and the region {self._client.meta.region_name}, then run it again"
            failure = AwsError(action, "", _one_line(error), cure=network)
            return AnswerLost(failure.message) if once and not not_sent else retry.Transient(failure)
        cure = next((cure for kinds, cure in BEFORE_SENDING if isinstance(error, kinds)), None)
        return error if cure is None else AwsError(action, "", _one_line(error), cure=cure)

    def _judge_answer(self, action: str, error: Any, *, once: bool) -> Exception:
        answer = error.response
        code, text = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if error.operation_name == "AssumeRole":
            action = "sts:AssumeRole"
        if code in EXPIRED:
            return AwsError(action, code, text, cure="renew the job's AWS credentials and run it again", raw=answer)
        if code in UNSIGNED:
            return AwsError(action, code, text, cure="check the job's AWS credentials and its clock", raw=answer)
        missing = ACTION.search(text)
        if code in DENIED or missing:
            cure = f"allow {missing[1] if missing else action} to the role that the job runs with"
            return AwsError(action, code, text or "not allowed", cure=cure, raw=answer)
        failure = AwsError(action, code, text, raw=answer)
        if code in THROTTLES or status == 429 or CROWDED in text:
            return retry.Transient(failure)
        if code in PASSING or status >= 500:
            return AnswerLost(failure.message) if once else retry.Transient(failure)
        return failure


class AwsSession:
    """Hands out one client a service; settings come from arguments, then the usual places of AWS' SDKs."""

    def __init__(self, clock: Clock, region: str = "", role_arn: str = "") -> None:
        self._clock = clock
        self._role_arn = role_arn
        self._botocore = botocore.session.Session()
        self._clients: dict[tuple[str, str], AwsClient] = {}
        self.calls = 0
        _refuse_broken_credentials()
        try:
            self.region = region or _region_of(self._botocore)
            attempts = int(self._botocore.get_config_variable("max_attempts") or 0)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise InvalidInput(f"AWS configuration: {_one_line(error)}", cure="correct AWS_* or the profile") from error
        if not self.region:
            raise InvalidInput("no AWS region", cure="give --region, `region:` in the config, or AWS_REGION")
        self._attempts = attempts or retry.ATTEMPTS

    def client(self, name: str, region: str = "") -> AwsClient:
        """The client of a service, made once."""
        key = (name, region or self.region)
        if key not in self._clients:
            try:
                client = self._session.client(name, region_name=key[1], config=_settings())
            except (*NO_CREDENTIALS, OSError) as error:
                raise Trouble(f"AWS credentials: {_one_line(error)}", cure="give the job AWS credentials") from error
            except (botocore.exceptions.BotoCoreError, ValueError) as error:
                raise InvalidInput(
                    f"AWS configuration: {_one_line(error)}", cure="correct AWS_*, --region or the profile"
                ) from error
            client.meta.events.register("before-send", self._count)
            self._clients[key] = AwsClient(name, client, self._clock, self._attempts)
        return self._clients[key]

    @cached_property
    def _session(self) -> Any:
        if self._role_arn:
            self._botocore._credentials = self._assumed()
        return boto3.Session(botocore_session=self._botocore, region_name=self.region)

    def _assumed(self) -> Any:
        """The role's credentials, renewed by botocore before they end (STS AssumeRole)."""
        source = self._botocore.get_credentials()
        if source is None:
            raise Trouble("no AWS credentials to assume the role with", cure="give the job AWS credentials")
        fetcher = botocore.credentials.AssumeRoleCredentialFetcher(
            client_creator=partial(self._botocore.create_client, config=_settings()),
            source_credentials=source,
            role_arn=self._role_arn,
            extra_args={"RoleSessionName": "ecs-pipeline"},
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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
