"""IAM: what the caller's policies allow, asked without doing it (SimulatePrincipalPolicy)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ecs_pipeline.aws.caller import principal_of
from ecs_pipeline.aws.failures import DENIED
from ecs_pipeline.aws.session import AwsError, AwsSession

UNKNOWN = DENIED | {"NoSuchEntity", "NoSuchEntityException", "InvalidInput", "ValidationError"}
"""Not allowed to ask, a role whose path the session does not tell, or what IAM cannot simulate."""
ALLOWED = "allowed"


class Permissions:
    """Asks IAM of the principal that calls; policies of resources and of the organization do not count there."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def principal(self) -> str:
        """The ARN of the user or role whose policies are asked; '' when it has none."""
        return principal_of(self._session)

    def allowed(
        self, principal: str, actions: Sequence[str], resources: Sequence[str], keys: Mapping[str, Sequence[str]]
    ) -> set[tuple[str, str]] | None:
        """The pairs of action and resource that are allowed with these condition keys; None when that is not told."""
        request: dict[str, Any] = {
            "PolicySourceArn": principal,
            "ActionNames": list(actions),
            "ResourceArns": list(resources),
            "ContextEntries": [
                {"ContextKeyName": key, "ContextKeyValues": list(values), "ContextKeyType": _kind(values)}
                for key, values in keys.items()
            ],
        }
        try:
            results = [result for page in self._pages(request) for result in page["EvaluationResults"]]
        except AwsError as error:
            if error.code in UNKNOWN:
                return None
            raise
        return {
            (str(result["EvalActionName"]), str(result["EvalResourceName"]))
            for result in results
            if result["EvalDecision"] == ALLOWED
        }

    def _pages(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        marker: dict[str, Any] = {}
        while True:
            page = self._session.client("iam").call("SimulatePrincipalPolicy", **request, **marker)
            yield page
            if not page.get("IsTruncated"):
                return
            marker = {"Marker": str(page["Marker"])}


def _kind(values: Sequence[str]) -> str:
    return "string" if len(values) == 1 else "stringList"
