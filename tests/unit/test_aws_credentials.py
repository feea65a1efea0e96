"""Credentials and settings for calls of AWS: missing, expired, wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecs_pipeline.aws.session import AwsClient, AwsError
from ecs_pipeline.errors import InvalidInput, Trouble
from tests.unit.aws_stub import AwsStub, refused, session
from tests.unit.clocks import RecordingClock


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"])
def test_expired_credentials_are_told_at_once(aws: AwsStub, ecs: AwsClient, code: str) -> None:
    aws.on("StopTask", refused(code, "The security token included in the request is expired"))
    with pytest.raises(AwsError, match="renew the job's AWS credentials"):
        ecs.call("StopTask", task="t")
    assert len(aws.asked("StopTask")) == 1


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired"])
def test_a_wrong_signature_is_told_with_what_makes_one(aws: AwsStub, ecs: AwsClient, code: str) -> None:
    aws.on("StopTask", refused(code, "Signature expired"))
    with pytest.raises(AwsError, match=r"; check the job's AWS credentials and its clock$"):
        ecs.call("StopTask", task="t")
    assert len(aws.asked("StopTask")) == 1


def test_missing_credentials_are_told_with_the_cure(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Trouble, match="give the job AWS credentials"):
        session(clock).client("ecs").call("StopTask", task="t")
    assert aws.http.requests == []


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
def test_a_line_break_in_a_credential_is_told_without_its_value(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "hunter2\n")
    with pytest.raises(InvalidInput, match=f"^{name} has a space or a line break in it") as caught:
        session(clock).client("ecs").call("StopTask", task="t")
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("process", ["/bin/false", "/there/is/none"])
def test_credentials_that_cannot_be_had_are_trouble_with_the_cure(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, process: str
) -> None:
    _profile(monkeypatch, tmp_path, f"credential_process = {process}")
    with pytest.raises(Trouble, match="give the job AWS credentials"):
        session(clock).client("ecs").call("StopTask", task="t")


def test_a_missing_token_of_a_web_identity_is_trouble_with_the_cure(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    role = "role_arn = arn:aws:iam::123456789012:role/ci"
    _profile(monkeypatch, tmp_path, f"{role}\nweb_identity_token_file = {tmp_path}/none")
    with pytest.raises(Trouble, match=r"No such file.*; give the job AWS credentials"):
        session(clock).client("ecs").call("StopTask", task="t")


def test_a_password_in_the_endpoint_is_not_shown(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://ann:hunter2@127.0.0.1:1/?token=hunter2")
    with pytest.raises(AwsError) as caught:
        session(clock).client("ecs").call("StopTask", task="t")
    assert "hunter2" not in str(caught.value)


def test_a_profile_that_wants_a_code_is_told_where_nobody_can_type_it(
    aws: AwsStub, clock: RecordingClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _profile(
        monkeypatch,
        tmp_path,
        "role_arn = arn:aws:iam::123456789012:role/ci\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::123456789012:mfa/ann\n[profile base]\n"
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x",
    )
    with open(os.devnull, encoding="utf-8") as nobody:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(Trouble) as caught:
            session(clock).client("ecs").call("StopTask", task="t")
    assert caught.value.exit_code == 4
    assert str(caught.value).startswith("AWS credentials: profile ci wants a code of a device (mfa_serial); use ")
    assert aws.http.requests == []


def _profile(monkeypatch: pytest.MonkeyPatch, folder: Path, lines: str) -> None:
    """Credentials of a profile alone."""
    (folder / "config").write_text(f"[profile ci]\n{lines}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_PROFILE", "ci")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
