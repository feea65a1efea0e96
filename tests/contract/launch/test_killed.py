"""Launch, killed while it installs: the next build goes on at once, and nothing of the dead one stays."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.contract.launch.agent import BOUND, Agent, ended


@contextmanager
def installing(agent: Agent) -> Iterator[subprocess.Popen[str]]:
    """A launch whose pip waits for an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(BOUND)
        settings = {"PIP_INDEX_URL": f"http://127.0.0.1:{index.getsockname()[1]}/", "PIP_NO_INDEX": "0"}
        process = agent.start("canary", **settings)
        with index.accept()[0]:
            yield process
    process.kill()
    process.communicate()


def test_killed_outright_it_blocks_nobody(each: Agent) -> None:
    with installing(each) as process:
        process.kill()
        assert process.wait(BOUND) == -signal.SIGKILL
        assert len(each.left_over()) == 1
        began = time.monotonic()
        following = each.run("canary")
        assert following.code == 0
        assert "waiting for another build" not in following.err
        assert time.monotonic() - began < BOUND
    assert (len(each.environments()), each.left_over()) == (1, [])


def test_one_that_waited_goes_on_when_the_other_dies(agent: Agent) -> None:
    with installing(agent) as process:
        second = agent.start("canary")
        assert second.stderr
        assert "waiting for another build" in second.stderr.readline()
        process.kill()
        done = ended(second)
    assert done.code == 0
    assert (len(agent.environments()), agent.left_over()) == (1, [])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_at_once_and_cleanly(each: Agent, number: signal.Signals, code: int) -> None:
    with installing(each) as process:
        process.send_signal(number)
        assert ended(process).code == code
        assert (each.environments(), each.left_over()) == ([], [])
