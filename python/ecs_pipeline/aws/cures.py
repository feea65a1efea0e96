"""What to do about what AWS refused: the place that the refusal names, where it names one. Pure.

IAM User Guide, "Troubleshoot access denied error messages": which kind of policy refused is in the text.
"""

from __future__ import annotations

import re

POLICIES: tuple[tuple[str, str], ...] = (
    ("service control policy", "a service control policy of the organization: its administrators have to allow it"),
    ("resource control policy", "a resource control policy of the organization: its administrators have to allow it"),
    ("permissions boundary", "the permissions boundary of the role: allow it there too"),
    ("session policy", "the session policy that the role was assumed with: allow it there too"),
    ("VPC endpoint policy", "the policy of the VPC endpoint: allow it there, or go another way"),
    ("resource-based policy", "the resource's own policy (of ECR the repository's): allow the role there"),
)
"""Kinds of policies by the words of AWS, and whose they are; an Allow in the role's own policy does not help."""
DENIED = re.compile(r"with an explicit deny")

SERVICE_QUOTAS = "raise the quota in Service Quotas"
QUOTAS: tuple[tuple[str, str], ...] = (
    (
        r"limit on the number of vCPUs|limit on the number of tasks",
        f"{SERVICE_QUOTAS} (AWS Fargate), or stop other tasks",
    ),
    (r"maximum number of tasks in the PROVISIONING", "wait until other tasks have left PROVISIONING"),
)
"""In the text of a ClientException of RunTask (Amazon ECS Developer Guide, "Service quotas")."""
CODES = {
    "AuthFailure": "check the job's AWS credentials",
    "OptInRequired": "enable the region or the service for the account, or correct the region",
    "SubscriptionRequiredException": "enable the region or the service for the account, or correct the region",
    "TooManyTargets": f"{SERVICE_QUOTAS} (targets for each target group), or run fewer canary tasks",
    "TooManyRegistrationsForTargetId": f"{SERVICE_QUOTAS} (how often an instance is a target), or add instances",
    "LimitExceededException": f"{SERVICE_QUOTAS} (Amazon ECS)",
}
"""By AWS' name of the error (Common Error Types; Elastic Load Balancing and Amazon ECS API references)."""


def of_denial(action: str, text: str) -> str:
    """Where the permission for an action has to be given."""
    for words, place in POLICIES:
        if words in text:
            verb = "denies" if DENIED.search(text) else "does not allow"
            return f"it is not the role's own policy that {verb} {action}, but {place}"
    if DENIED.search(text):
        return f"a policy of the role denies {action} explicitly: take that out, for no Allow goes over it"
    return f"allow {action} to the role that the job runs with"


def of(code: str, text: str) -> str:
    """What to do about another refusal; '' when that is not known."""
    if code in CODES:
        return CODES[code]
    return next((cure for pattern, cure in QUOTAS if re.search(pattern, text)), "")
