"""Where the load balancer's requests go."""

from __future__ import annotations

import http.client
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from tests.emulator.embedded_aws.environment import fetch, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.embedded_aws.environment import Environment
    from tests.emulator.embedded_aws.web_server import WebServer

    NewServer = Callable[..., WebServer]


def test_each_healthy_target_gets_its_turn(environment: Environment, new_server: NewServer) -> None:
    """User Guide, "Routing algorithms": round robin; a target that is not healthy gets nothing."""
    servers = [new_server(str(number)) for number in range(5)]
    servers[4].health = 500
    environment.add_targets(*(server.target for server in servers))
    wait_for(lambda: Counter(environment.states()) == {"healthy": 4, "unhealthy": 1})
    answers = Counter(fetch(environment.url)[1] for _ in range(40))
    assert answers == {"0": 10, "1": 10, "2": 10, "3": 10}


def test_a_request_under_way_is_finished_while_its_target_drains(
    environment: Environment, new_server: NewServer
) -> None:
    """User Guide, "Deregistration delay": no new requests, and those under way are completed."""
    group = environment.new_target_group("d", drain=3)
    leaving, staying = new_server("leaving"), new_server("staying")
    environment.add_targets(leaving.target, group=group)
    wait_for(lambda: environment.states(group) == ["healthy"])
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(fetch, f"{environment.url}/slow")
        environment.add_targets(staying.target, group=group)
        wait_for(lambda: environment.states(group) == ["healthy", "healthy"])
        environment.take_targets(leaving.target, group=group)
        assert {fetch(environment.url)[1] for _ in range(6)} == {"staying"}
        assert slow.result() == (200, "leaving")


def test_a_group_with_unhealthy_targets_only_fails_open(environment: Environment, new_server: NewServer) -> None:
    """User Guide, "Target group health": with no healthy target, requests go to all of them."""
    server = new_server("sick")
    server.health = 500
    environment.add_targets(server.target)
    assert fetch(environment.url)[0] == 503
    wait_for(lambda: environment.states() == ["unhealthy"])
    assert fetch(environment.url) == (200, "sick")


def test_a_group_without_targets_answers_503(environment: Environment) -> None:
    """User Guide, "Troubleshoot your Application Load Balancers", HTTP 503."""
    assert environment.target_group
    assert fetch(environment.url)[0] == 503


def test_connections_are_kept(environment: Environment, new_server: NewServer) -> None:
    """User Guide: the load balancer keeps client connections alive between requests."""
    environment.add_targets(new_server().target)
    wait_for(lambda: environment.states() == ["healthy"])
    host, path = environment.server.endpoint.removeprefix("http://"), f"/_alb/{environment.name}/"
    connection = http.client.HTTPConnection(host, timeout=10)
    for _ in range(3):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"up")
        assert answer.getheader("Connection") != "close"
    connection.close()


def is_healthy(environment: Environment, group: str) -> bool:
    return environment.states(group) == ["healthy"]


def test_weighted_groups_share_the_requests(environment: Environment, new_server: NewServer) -> None:
    """User Guide, "Weighted target groups"; data type ForwardActionConfig."""
    groups = [environment.new_target_group(suffix, attached=False) for suffix in ("x", "y")]
    weights = [{"TargetGroupArn": groups[0], "Weight": 3}, {"TargetGroupArn": groups[1], "Weight": 1}]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}
    listener = environment.elb.create_listener(
        LoadBalancerArn=environment.load_balancer, Protocol="HTTP", Port=80, DefaultActions=[action]
    )["Listeners"][0]
    assert listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"] == weights
    for name, group in zip("xy", groups, strict=True):
        environment.add_targets(new_server(name).target, group=group)
        wait_for(partial(is_healthy, environment, group))
    assert Counter(fetch(environment.url)[1] for _ in range(20)) == {"x": 15, "y": 5}
