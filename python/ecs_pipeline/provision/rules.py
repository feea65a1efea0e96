"""What values of the package's template do not go together: told before AWS is asked, by their place in the config."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_pipeline.errors import InvalidInput

Values = Mapping[str, str]
GB = 1024
FARGATE_MEMORY: Mapping[int, tuple[int, int, int]] = {
    512: (1 * GB, 4 * GB, GB),
    1024: (2 * GB, 8 * GB, GB),
    2048: (4 * GB, 16 * GB, GB),
    4096: (8 * GB, 30 * GB, GB),
    8192: (16 * GB, 60 * GB, 4 * GB),
    16384: (32 * GB, 120 * GB, 8 * GB),
}
"""Least, most and step of a task's memory in MiB, by its CPU units; with 256 it is 512 MiB, 1 or 2 GB.

Amazon ECS Developer Guide, "Fargate task definition parameters", Task CPU and memory.
"""


def refuse(values: Values, before: Values) -> None:
    """`values` are those that the stack would have, `before` those that it has ({}: new). Raises InvalidInput."""
    for rule in (_memory, _timeout, _counts, _datadog, _trust):
        place, why, cure = rule(values) or ("", "", "")
        if why:
            raise InvalidInput(f"provision.parameters.{place}: {why}", cure=cure)
    if before.get("CertificateArn") and not values["CertificateArn"]:
        raise InvalidInput(
            "provision.parameters.CertificateArn: the listener of port 80 redirects to HTTPS, which would be gone",
            cure="give another certificate, or delete the environment and make it anew",
        )


Mistake = tuple[str, str, str]


def _memory(values: Values) -> Mistake | None:
    cpu, memory = int(values["Cpu"]), int(values["Memory"])
    low, high, step = FARGATE_MEMORY.get(cpu, (512, 2 * GB, 512))
    fits = low <= memory <= high and not (memory - low) % step and (cpu, memory) != (256, 3 * 512)
    if fits:
        return None
    allowed = f"{low} to {high} in steps of {step}" if cpu != 256 else "512, 1024 or 2048"
    return "Memory", f"with Cpu {cpu} Fargate takes {allowed} MiB", "change one of the two"


def _timeout(values: Values) -> Mistake | None:
    interval, timeout = float(values["HealthCheckInterval"]), float(values["HealthCheckTimeout"])
    if timeout < interval:
        return None
    return "HealthCheckTimeout", f"less than HealthCheckInterval, {interval:g} seconds, is expected", "lower it"


def _counts(values: Values) -> Mistake | None:
    if float(values["MinimumCount"]) <= float(values["MaximumCount"]):
        return None
    return "MaximumCount", "no less than MinimumCount is expected", "change one of the two"


def _datadog(values: Values) -> Mistake | None:
    if not values["DatadogImage"] or values["DatadogApiKeySecretArn"]:
        return None
    why = "the agent ends without its key"
    return "DatadogApiKeySecretArn", why, "give the ARN of a secret of Secrets Manager whose text is the key"


def _trust(values: Values) -> Mistake | None:
    """A role that anybody, or nobody, could assume."""
    needed = {"web-identity": ("DeployIssuer", "DeploySubject", "DeployAudience"), "role": ("DeployTrustedRoleArn",)}
    trust = values["DeployTrust"]
    missing = [name for name in needed.get(trust, ()) if not values[name]]
    return (missing[0], f"DeployTrust {trust} needs it", "say who may deploy") if missing else None
