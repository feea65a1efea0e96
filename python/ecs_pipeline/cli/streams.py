"""What the process is started with: its standard streams, whatever a shell made of them, and PATH."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import click

from ecs_pipeline import programs


def settle() -> None:
    """Make up for what a shell left out or let in: closed streams lead nowhere, PATH has no folder of the workspace.

    A stream that is closed would be the next file or connection that is opened.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    os.environ["PATH"] = programs.search_path()


def show(lines: Iterable[str]) -> None:
    """Lines on stdout, in whatever encoding it has; a reader that has gone is no failure of the command."""
    try:
        for line in lines:
            encoding = sys.stdout.encoding or "utf-8"
            click.echo(line.encode(encoding, "backslashreplace").decode(encoding))
    except BrokenPipeError:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())  # else Python's flush at exit fails, and the exit code is 120
        os.close(nothing)
