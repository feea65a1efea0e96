"""Remove what a server left that was killed: python -m embedded_aws.clean_up --folder FOLDER."""

from __future__ import annotations

import argparse
from pathlib import Path

import docker

from embedded_aws import ownership


def main() -> None:
    """Remove the containers and images of the folder's owner."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    ownership.clean_up(docker.from_env(version="auto"), parser.parse_args().folder)


if __name__ == "__main__":
    main()
