"""`make eval`: prints what was measured, beside the targets; exit code 1 when all languages together miss one.

Examples:

    make eval                                     30 writers with habits and 30 without, a language
    make eval ARGS="--seeds 500:560 --misses"     other seeds, and every wrong or missing claim
    make eval ARGS="--languages de,ja --json"
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.evaluation.measures import misses
from tests.evaluation.table import ALL, ROWS, Column, as_json, measure_language, render, with_all
from tests.evaluation.texts import LANGUAGES
from tests.tables import write_between


def main() -> int:
    """Measure, print, and say whether the targets are reached."""
    options = _options()
    columns = with_all(_measured(options.languages, options.seeds))
    table = render(columns)
    print(json.dumps(as_json(columns, options.seeds), ensure_ascii=False, indent=2) if options.json else table)
    if options.misses:
        found = misses(columns[ALL].writers, options.misses.split(",") if options.misses != "all" else ())
        print(*found, *columns[ALL].edits.missed, sep="\n", file=sys.stderr)
    if options.readme:
        write_between("make eval", table)
    return int(not all(row.reached(row.value(columns[ALL])) for row in ROWS))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make eval", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=_range, default=range(1, 31), metavar="FROM:TO", help="default 1:31")
    parser.add_argument("--languages", type=_languages, default=LANGUAGES, help="default " + ",".join(LANGUAGES))
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--misses", nargs="?", const="all", help="what was wrong, on stderr; or lines with these words")
    parser.add_argument("--readme", action="store_true", help="put the table into tests/README.md")
    return parser.parse_args()


def _range(text: str) -> range:
    start, _, stop = text.partition(":")
    if not start.isdigit() or not stop.isdigit() or int(start) >= int(stop):
        raise argparse.ArgumentTypeError(f"{text!r} is not FROM:TO")
    return range(int(start), int(stop))


def _languages(text: str) -> tuple[str, ...]:
    found = tuple(text.split(","))
    if unknown := set(found) - set(LANGUAGES):
        raise argparse.ArgumentTypeError(f"no texts in {', '.join(sorted(unknown))}")
    return found


def _measured(languages: tuple[str, ...], seeds: range) -> dict[str, Column]:
    with ProcessPoolExecutor(min(len(languages), os.cpu_count() or 1)) as pool:
        return dict(zip(languages, pool.map(partial(measure_language, seeds=seeds), languages), strict=True))


if __name__ == "__main__":
    sys.exit(main())
