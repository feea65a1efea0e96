"""What can go wrong with a call of AWS, sorted by what happened: the one place that judges botocore's errors.

botocore's classes do not tell it: an OSError is a proxy that is away, a time-out, or the missing file of a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import botocore.exceptions
import botocore.parsers

from ecs_pipeline.aws import cures
from ecs_pipeline.errors import AnswerLost, PipelineError, Trouble
from ecs_pipeline.timing import retry

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

UNNAMED = ("RunTask", "ConflictException")
"""Two RunTask of one token at the same moment: AWS may name the task of the first a moment later."""

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

GIVE_CREDENTIALS = "give the job AWS credentials"
NO_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
    botocore.exceptions.TokenRetrievalError,
    botocore.exceptions.SSOError,
    botocore.exceptions.LoginError,
)
"""Errors of botocore that mean: no credentials, or none that can be read."""

NOT_CONNECTED = (
    botocore.exceptions.EndpointConnectionError,
    botocore.exceptions.ConnectTimeoutError,
    botocore.exceptions.ProxyConnectionError,
    botocore.exceptions.SSLError,
)
"""Errors of botocore before a request was sent."""
PROXY_LOGIN = re.compile(r"\b407\b")
"""In a proxy's answer to CONNECT; 503 and 504 there say that the other side is away, which passes."""
TLS_FINAL = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL")


class AwsError(Trouble):
    """What AWS answered instead of doing it; `code` is AWS' own name for it."""

    def __init__(self, operation: str, code: str, text: str, *, cure: str = "", raw: Mapping[str, Any] = {}) -> None:
        super().__init__(f"{operation}: {code}: {text}" if code else f"{operation}: {text}", cure=cure)
        self.operation = operation
        self.code = code
        self.text = text
        self.raw = raw


def was_sent(error: BaseException) -> bool:
    """Whether AWS may have seen the call that ended so."""
    unread_file = isinstance(error, OSError) and not isinstance(error, botocore.exceptions.BotoCoreError)
    return not (unread_file or isinstance(error, (*NO_CREDENTIALS, *NOT_CONNECTED, PipelineError)))


def judged(action: str, error: Exception, *, once: bool, region: str) -> Exception:
    """The error of ours, Transient where another attempt may help.

    `once`: AWS has no idempotency token for the call, so that one that may have been carried out is AnswerLost.
    """
    if isinstance(error, PipelineError | retry.Transient):
        return error
    if isinstance(error, botocore.exceptions.ClientError):
        return _answered(action, error, once=once)
    if isinstance(error, NOT_CONNECTED):
        return _not_connected(action, error, region)
    settled = _not_sent(action, error)
    return settled or lost(action, _unreadable(error), once=once, region=region)


def _not_sent(action: str, error: Exception) -> AwsError | None:
    """What was wrong here, before anything was sent; None when it was not here."""
    if isinstance(error, botocore.exceptions.ParamValidationError):
        return AwsError(action, "", one_line(error), cure="correct the value named")
    if isinstance(error, NO_CREDENTIALS):
        return AwsError(action, "", one_line(error), cure=GIVE_CREDENTIALS)
    if isinstance(error, botocore.exceptions.HTTPClientError | botocore.exceptions.ConnectionError):
        return None
    if isinstance(error, botocore.exceptions.BotoCoreError):
        return AwsError(action, "", one_line(error), cure="correct AWS_* or the profile")
    return AwsError(action, "", unread(error), cure=GIVE_CREDENTIALS) if isinstance(error, OSError) else None


def lost(action: str, why: str, *, once: bool, region: str) -> Exception:
    """A call whose answer did not come, or was none of AWS'."""
    failure = AwsError(action, "", why, cure=_network(region))
    return AnswerLost(failure.message) if once else retry.Transient(failure)


def unread(error: OSError) -> str:
    """A file of the credentials that cannot be read: which, and why."""
    return f"{error.filename}: {error.strerror}" if error.filename else one_line(error)


def one_line(error: object) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split())


def _unreadable(error: Exception) -> str:
    if isinstance(error, botocore.exceptions.BotoCoreError | botocore.parsers.ResponseParserError):
        return one_line(error)
    return f"its answer cannot be read ({type(error).__name__})"


def _network(region: str) -> str:
    return f"check the network and the region {region}, then run it again"


def _not_connected(action: str, error: Any, region: str) -> Exception:
    why = one_line(error)
    inner = one_line(error.kwargs.get("error", ""))
    if isinstance(error, botocore.exceptions.ProxyConnectionError) and PROXY_LOGIN.search(inner):
        return AwsError(action, "", f"{why}: it wants a login", cure="check user and password in HTTPS_PROXY")
    if isinstance(error, botocore.exceptions.SSLError) and any(sign in inner + why for sign in TLS_FINAL):
        return AwsError(action, "", why, cure="check AWS_CA_BUNDLE and the endpoint")
    return retry.Transient(AwsError(action, "", why, cure=_network(region)))


def _answered(action: str, error: Any, *, once: bool) -> Exception:
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
        cure = cures.of_denial(missing[1] if missing else action, text)
        return AwsError(action, code, text or "not allowed", cure=cure, raw=answer)
    failure = AwsError(action, code, text, cure=cures.of(code, text), raw=answer)
    unnamed = (error.operation_name, code) == UNNAMED and not answer.get("resourceIds")
    if code in THROTTLES or status == 429 or CROWDED in text or unnamed:
        return retry.Transient(failure)
    if code in PASSING or status >= 500:
        return AnswerLost(failure.message) if once else retry.Transient(failure)
    return failure
