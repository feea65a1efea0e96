"""What AWS Fargate takes: sizes of a task, and zones.

Developer guide, "Fargate task definition parameters", Task CPU and memory, and "Supported Regions for Amazon ECS on
AWS Fargate". AWS documents that the other zones are not supported, not how a task there is refused: here at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import ec2

from embedded_aws.api import ApiError

if TYPE_CHECKING:
    from embedded_aws.api import Members

_GB = 1024
_MEMORY: dict[int, list[int]] = {
    256: [512, 1 * _GB, 2 * _GB],
    512: list(range(1 * _GB, 4 * _GB + 1, _GB)),
    1024: list(range(2 * _GB, 8 * _GB + 1, _GB)),
    2048: list(range(4 * _GB, 16 * _GB + 1, _GB)),
    4096: list(range(8 * _GB, 30 * _GB + 1, _GB)),
    8192: list(range(16 * _GB, 60 * _GB + 1, 4 * _GB)),
    16384: list(range(32 * _GB, 120 * _GB + 1, 8 * _GB)),
}
"""MiB of memory for each number of CPU units."""

_ONLY: dict[str, tuple[str, ...]] = {
    "usw1": ("usw1-az1", "usw1-az3"),
    "apne1": ("apne1-az1", "apne1-az2", "apne1-az4"),
    "cnn1": ("cnn1-az1", "cnn1-az2"),
}
"""The zones of those regions of which not all zones are supported."""


def check_size(definition: Members) -> None:
    """Raise ClientException for CPU and memory that do not go together."""
    cpu, memory = _units(str(definition["cpu"]), "vcpu"), _units(str(definition["memory"]), "gb")
    if memory not in _MEMORY.get(cpu, []):
        text = f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        raise ApiError("ClientException", f"{text} See the Amazon ECS documentation for the valid values.")


def check_zones(network: Members) -> None:
    """Raise InvalidParameterException for a subnet in a zone without Fargate; subnets nobody made are not known."""
    for subnet in (network.get("awsvpcConfiguration") or {}).get("subnets") or []:
        zone = (ec2._subnets.get(subnet) or {}).get("AvailabilityZoneId", "")
        if zone not in _ONLY.get(zone.partition("-")[0], (zone,)):
            text = f"Fargate is not supported in the Availability Zone {zone} of subnet {subnet}."
            raise ApiError("InvalidParameterException", text)


def _units(text: str, unit: str) -> int:
    """A size as units: `1024`, or `1 vCPU` and `2 GB`."""
    number, _, named = text.strip().lower().partition(" ")
    try:
        return round(float(number) * 1024) if named == unit else int(number)
    except ValueError:
        return 0
