"""Target groups and forward actions as the API shows them: defaults, weights, who uses a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws.load_balancing import target_groups
from embedded_aws.load_balancing.answers import error, xml

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members, Response

_TCP_PROTOCOLS = {"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}
_KEPT = ("IpAddressType", "TargetControlPort")
"""Members of a target group that ministack does not keep."""


def install() -> None:
    """Replace ministack's operations and its readers and writers of actions."""
    actions: dict[str, Callable[[Members], Response]] = alb._ACTION_MAP
    actions["CreateTargetGroup"] = _creating(actions["CreateTargetGroup"])
    actions["DescribeTargetGroups"] = _describing(actions["DescribeTargetGroups"])
    actions["DeleteTargetGroup"] = _deleting(actions["DeleteTargetGroup"])
    actions["DescribeTargetGroupAttributes"] = _describe_attributes
    alb._tg_xml = _group_xml(alb._tg_xml)
    alb._parse_actions = _reading_weights(alb._parse_actions)
    alb._action_xml = _writing_weights(alb._action_xml)


def _creating(create: Callable[[Members], Response]) -> Callable[[Members], Response]:
    def create_target_group(parameters: Members) -> Response:
        if alb._p(parameters, "Protocol") in _TCP_PROTOCOLS:
            parameters = {"HealthCheckProtocol": ["TCP"], **parameters}
        answer = create(parameters)
        name = alb._p(parameters, "Name")
        made: Members = next((group for group in alb._tgs.values() if group["TargetGroupName"] == name), {})
        made.update({member: value for member in _KEPT if (value := alb._p(parameters, member))})
        return answer

    return create_target_group


def _describing(describe: Callable[[Members], Response]) -> Callable[[Members], Response]:
    def describe_target_groups(parameters: Members) -> Response:
        names = {group["TargetGroupName"] for group in alb._tgs.values()}
        wanted = [("Names", names), ("TargetGroupArns", set(alb._tgs.keys()))]
        for parameter, known in wanted:
            if set(alb._parse_member_list(parameters, parameter)) - known:
                return error("TargetGroupNotFound", "One or more target groups not found")
        for arn, group in alb._tgs.items():
            group["LoadBalancerArns"] = target_groups.load_balancers(arn)
        return describe(parameters)

    return describe_target_groups


def _deleting(delete: Callable[[Members], Response]) -> Callable[[Members], Response]:
    def delete_target_group(parameters: Members) -> Response:
        arn = alb._p(parameters, "TargetGroupArn")
        if target_groups.load_balancers(arn):
            return error("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
        target_groups.forget(arn)
        return delete(parameters)

    return delete_target_group


def _describe_attributes(parameters: Members) -> Response:
    arn = alb._p(parameters, "TargetGroupArn")
    if arn not in alb._tgs:
        return error("TargetGroupNotFound", f"Target groups '{arn}' not found")
    pairs = [{"Key": key, "Value": value} for key, value in target_groups.attributes(arn).items()]
    return xml("DescribeTargetGroupAttributes", f"<Attributes>{alb._attrs_xml(pairs)}</Attributes>")


def _group_xml(plain: Callable[[Members], str]) -> Callable[[Members], str]:
    def group_xml(group: Members) -> str:
        used_by = target_groups.load_balancers(group["TargetGroupArn"])
        kept = {"IpAddressType": "ipv4"} if group.get("TargetType") == "ip" else {}
        kept.update({member: group[member] for member in _KEPT if member in group})
        more = "".join(f"<{member}>{value}</{member}>" for member, value in kept.items())
        return plain({**group, "LoadBalancerArns": used_by}).removesuffix("</member>") + f"{more}</member>"

    return group_xml


def _reading_weights(parse: Callable[..., list[Members]]) -> Callable[..., list[Members]]:
    def parse_actions(parameters: Members, prefix: str = "DefaultActions") -> list[Members]:
        actions = parse(parameters, prefix)
        for number, action in enumerate(actions, start=1):
            groups = _weighted_groups(parameters, f"{prefix}.member.{number}.ForwardConfig.TargetGroups")
            if groups:
                action["ForwardConfig"] = {"TargetGroups": groups}
        return actions

    return parse_actions


def _weighted_groups(parameters: Members, prefix: str) -> list[Members]:
    groups: list[Members] = []
    while arn := alb._p(parameters, f"{prefix}.member.{len(groups) + 1}.TargetGroupArn"):
        weight: Any = alb._p(parameters, f"{prefix}.member.{len(groups) + 1}.Weight", "1")
        groups.append({"TargetGroupArn": arn, "Weight": int(weight)})
    return groups


def _writing_weights(plain: Callable[[Members], str]) -> Callable[[Members], str]:
    def action_xml(action: Members) -> str:
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        members = "".join(
            f"<member><TargetGroupArn>{each['TargetGroupArn']}</TargetGroupArn><Weight>{each['Weight']}</Weight></member>"
            for each in groups
        )
        forward = f"<ForwardConfig><TargetGroups>{members}</TargetGroups></ForwardConfig>" if groups else ""
        return plain(action).removesuffix("</member>") + forward + "</member>"

    return action_xml
