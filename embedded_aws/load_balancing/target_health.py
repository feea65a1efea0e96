"""RegisterTargets, DeregisterTargets and DescribeTargetHealth."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ministack.services import alb

from embedded_aws import behaviour
from embedded_aws.load_balancing import probing, target_groups
from embedded_aws.load_balancing.answers import empty, error, xml
from embedded_aws.load_balancing.targets import NOT_REGISTERED, Health, Target

if TYPE_CHECKING:
    from embedded_aws.api import Members, Response
    from embedded_aws.load_balancing.target_groups import Group, TargetKey


_QUIC = {"QUIC", "TCP_QUIC"}


def install() -> None:
    """Replace ministack's operations and start the health checks."""
    alb._ACTION_MAP.update(
        RegisterTargets=_register_targets,
        DeregisterTargets=_deregister_targets,
        DescribeTargetHealth=_describe_target_health,
    )
    probing.start()


def _register_targets(parameters: Members) -> Response:
    arn, group = _group(parameters)
    if group is None:
        return _not_found(arn)
    keys = _keys(parameters, group)
    problem = _first_problem(keys, group)
    if problem:
        return error("InvalidTarget", problem)
    for number in range(1, len(keys) + 1):
        if group["Protocol"] in _QUIC and not alb._p(parameters, f"Targets.member.{number}.QuicServerId"):
            text = f"A QuicServerId must be specified for targets of protocol {group['Protocol']}"
            return error("ValidationError", text)
    target_groups.register(arn, keys)
    return empty("RegisterTargets")


def _deregister_targets(parameters: Members) -> Response:
    arn, group = _group(parameters)
    if group is None:
        return _not_found(arn)
    target_groups.deregister(arn, _keys(parameters, group))
    return empty("DeregisterTargets")


def _describe_target_health(parameters: Members) -> Response:
    arn, group = _group(parameters)
    if group is None:
        return _not_found(arn)
    wanted = _keys(parameters, group)
    problem = _first_problem(wanted, group)
    if problem:
        return error("InvalidTarget", problem)
    if wanted:
        found = [(target_groups.find(arn, key), key) for key in wanted]
    else:
        found = [(target, (target.id, target.port)) for target in target_groups.registered(arn)]
    anomalies = "AnomalyDetection" in alb._parse_member_list(parameters, "Include")
    members = "".join(_description(arn, group, target, key, anomalies=anomalies) for target, key in found)
    inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
    return xml("DescribeTargetHealth", inner)


def _group(parameters: Members) -> tuple[str, Group | None]:
    arn = alb._p(parameters, "TargetGroupArn")
    return arn, alb._tgs.get(arn)


def _not_found(arn: str) -> Response:
    return error("TargetGroupNotFound", f"Target groups '{arn}' not found")


def _keys(parameters: Members, group: Group) -> list[TargetKey]:
    return [(each["Id"], each.get("Port", group["Port"])) for each in alb._parse_targets_param(parameters)]


def _first_problem(keys: list[TargetKey], group: Group) -> str:
    return next((problem for target_id, _ in keys if (problem := _problem(target_id, group))), "")


def _problem(target_id: str, group: Group) -> str:
    """Say why AWS would not take a target. User Guide, "Target type": no publicly routable IP addresses."""
    if group["TargetType"] == "ip":
        version = {"ipv4": 4, "ipv6": 6}[group.get("IpAddressType", "ipv4")]
        try:
            address = ipaddress.ip_address(target_id)
        except ValueError:
            address = None
        if address is None or address.version != version:
            return f"The IP address '{target_id}' is not a valid IPv{version} address"
        if version == 4 and address.is_global:
            return f"The IP address '{target_id}' is not within the VPC"
    elif group["TargetType"] == "instance" and not target_id.startswith("i-"):
        return f"The following targets are not instance ids: '{target_id}'"
    return ""


def _description(arn: str, group: Group, target: Target | None, key: TargetKey, *, anomalies: bool) -> str:
    health = target_groups.health(arn, target) if target else NOT_REGISTERED
    checked = f"<HealthCheckPort>{probing.port_of(group, target or Target(*key))}</HealthCheckPort>"
    anomaly = _anomaly(arn, key) if anomalies and target else ""
    return (
        f"<member><Target><Id>{key[0]}</Id><Port>{key[1]}</Port></Target>{checked}"
        f"<TargetHealth>{_health(health)}</TargetHealth>{anomaly}</member>"
    )


def _health(health: Health) -> str:
    reason = f"<Reason>{health.reason}</Reason>" if health.reason else ""
    description = f"<Description>{escape(health.description)}</Description>" if health.description else ""
    return f"<State>{health.state}</State>{reason}{description}"


def _anomaly(arn: str, key: TargetKey) -> str:
    """Say what anomaly detection found; AWS looks only where the algorithm is weighted random."""
    attributes: dict[str, Any] = target_groups.attributes(arn)
    if attributes["load_balancing.algorithm.type"] != "weighted_random":
        return ""
    names = {key[0], f"{key[0]}:{key[1]}"}
    anomalous = bool(names & set(behaviour.current.anomalous_targets))
    mitigated = anomalous and attributes["load_balancing.algorithm.anomaly_mitigation"] == "on"
    return (
        f"<AnomalyDetection><Result>{'anomalous' if anomalous else 'normal'}</Result>"
        f"<MitigationInEffect>{'yes' if mitigated else 'no'}</MitigationInEffect></AnomalyDetection>"
    )
