"""The operating characteristics of the judge, as docs/judging.md has them: `make judge-characteristics`.

Every kind of noise, canary and length of a bake, 1,000 draws each, judged in three ways. Takes about half an hour
on two processors. Prints the tables in Markdown.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.characteristics.measuring import measure, settings
from tests.characteristics.tables import tables


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="make judge-characteristics", description=__doc__)
    parser.add_argument("--draws", type=int, default=1000, help="of each setting")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    wanted = list(settings())
    found = {}
    with ProcessPoolExecutor(options.processes) as pool:
        measured = pool.map(partial(measure, draws=options.draws, seed=options.seed), wanted)
        for number, (setting, tallies) in enumerate(zip(wanted, measured, strict=True), start=1):
            found[setting] = tallies
            sys.stderr.write(f"{number}/{len(wanted)} {setting}\n")
    sys.stdout.write(tables(found, options.draws))


if __name__ == "__main__":
    main()
