"""``beatbook backfill``: make the books of past weeks."""

import argparse
import sys
from typing import Any

from beatbook.home import Home
from pipelines.commands import arguments


def add(commands: Any) -> None:
    """Add the making of past weeks."""
    backfill = commands.add_parser(
        "backfill", help="make the books of past weeks, each as of its own time"
    )
    arguments.department(backfill)
    backfill.add_argument(
        "--from",
        dest="first",
        type=arguments.date,
        required=True,
        help="weeks that end on this day or later (ISO date)",
    )
    backfill.add_argument(
        "--to",
        dest="last",
        type=arguments.date,
        required=True,
        help="weeks that end on this day or earlier (ISO date)",
    )
    known = backfill.add_mutually_exclusive_group()
    known.add_argument(
        "--as-of-then",
        dest="as_of_then",
        action="store_true",
        default=True,
        help="each week with what was known at its own time (the default)",
    )
    known.add_argument(
        "--as-of-now",
        dest="as_of_then",
        action="store_false",
        help="each week with all that the feed holds today",
    )
    backfill.set_defaults(run=_backfill)


def _backfill(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.launch import backfill

    result = backfill(
        home,
        chosen.department,
        chosen.first,
        chosen.last,
        arguments.progress,
        as_of_then=chosen.as_of_then,
    )
    for paths in result.made.values():
        for path in paths:
            print(path.relative_to(home.root).as_posix())
    if not result.failed:
        return 0
    print(f"beatbook: {len(result.failed)} weeks were not made:", file=sys.stderr)
    for week, reason in result.failed.items():
        print(f"  {week}: {reason}", file=sys.stderr)
    return 1
