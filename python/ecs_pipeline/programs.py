"""Programs that are started: found by PATH's absolute folders, and given no more of the environment than they need.

A relative folder in PATH (`.`, `node_modules/.bin`, an empty entry) leads into the workspace, whose content a commit
decides. So do PYTHONPATH and the like.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

WITHHELD = ("PYTHON", "ECS_PIPELINE_")
"""Variables that begin so are nobody's but ours, or Python's."""
AWS = "AWS_"


def search_path(environment: Mapping[str, str] | None = None) -> str:
    """PATH without its relative folders."""
    folders = (os.environ if environment is None else environment).get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())


def find(name: str) -> str:
    """The absolute path of a program, '' when there is none."""
    return shutil.which(name, path=search_path()) or ""


def environment(*, aws: bool) -> dict[str, str]:
    """The environment for another program; `aws`: with AWS credentials and settings, for who needs them."""
    withheld = WITHHELD if aws else (*WITHHELD, AWS)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(withheld)}
    return {**kept, "PATH": search_path()}
