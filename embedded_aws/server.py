"""The server's process: python -m embedded_aws.server --folder FOLDER.

Prints its address once it answers, and ends on SIGTERM, SIGINT or when its standard input closes (its parent died).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from embedded_aws.defaults import ACCOUNT, REGION


def main() -> None:
    """Take a port, prepare the environment that ministack reads while it is imported, and serve."""
    options = _options()
    listener = socket.create_server(("127.0.0.1", options.port), backlog=512)
    port = listener.getsockname()[1]
    _set_environment(options, port)
    from embedded_aws import gateway, ownership

    lock = ownership.hold(options.folder, f"127.0.0.1:{port}")
    gateway.install(options.folder)
    asyncio.run(_serve(listener, port))
    lock.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="private to this server; holds its lock")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--account", default=ACCOUNT)
    return parser.parse_args()


def _set_environment(options: argparse.Namespace, port: int) -> None:
    os.environ.update(
        {
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": options.region,
            "MINISTACK_ACCOUNT_ID": options.account,
            "AWS_DEFAULT_REGION": options.region,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
        }
    )


async def _serve(listener: socket.socket, port: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from embedded_aws import gateway

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.2
    config.loglevel = "WARNING"
    ended = asyncio.Event()
    _end_on_signals(ended)
    application = gateway.application(on_start=lambda: _tell(f"http://127.0.0.1:{port}"))
    await serve(application, config, shutdown_trigger=ended.wait)


def _tell(address: str) -> None:
    """Tell the parent where to find us; what is printed later goes to the log, for nobody reads it any more."""
    print(address, flush=True)  # noqa: T201
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _end_on_signals(ended: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def watch_parent() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a buffer's lock would be held at the exit
            pass
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch_parent, daemon=True, name="watch-parent").start()


if __name__ == "__main__":
    main()
