"""Remove the containers of a server that was killed: python -m embedded_aws.remove_containers --folder FOLDER."""

from __future__ import annotations

import argparse
from pathlib import Path

import docker

from embedded_aws import ownership


def main() -> None:
    """Remove the containers that carry the folder's label."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    ownership.remove_containers(docker.from_env(version="auto"), parser.parse_args().folder)


if __name__ == "__main__":
    main()
