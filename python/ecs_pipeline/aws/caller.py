"""Who calls AWS: STS GetCallerIdentity, which needs no permission."""

from __future__ import annotations

import re

from ecs_pipeline.aws.session import AwsSession

SESSION = re.compile(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.*")
"""Of a role's session the role's path is not told."""


def principal_of(session: AwsSession) -> str:
    """The ARN of the user or role that calls; '' for the account itself and others that have no policies."""
    arn = str(session.client("sts").call("GetCallerIdentity")["Arn"])
    found = SESSION.fullmatch(arn)
    if found:
        return f"arn:{found[1]}:iam::{found[2]}:role/{found[3]}"
    return arn if ":user/" in arn else ""
