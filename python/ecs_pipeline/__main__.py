"""`python -m ecs_pipeline`, the same as `ecs-pipeline`."""

from __future__ import annotations

import sys

from ecs_pipeline.cli.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
