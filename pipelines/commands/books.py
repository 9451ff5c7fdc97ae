"""``beatbook report``: make a week's book."""

import argparse
from typing import Any

from beatbook.home import Home
from pipelines.commands import arguments


def add(commands: Any) -> None:
    """Add the commands that make books."""
    report = commands.add_parser("report", help="read the feed and make a week's CompStat book")
    arguments.department(report)
    report.add_argument(
        "--week-ending",
        type=arguments.date,
        help="last day of the week (ISO date); the last one that the feed covers if not given",
    )
    report.add_argument(
        "--as-of",
        type=arguments.date,
        help="use only what was known by this day; all that the feed holds if not given",
    )
    report.set_defaults(run=_report)


def _report(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.launch import report

    for path in report(home, chosen.department, chosen.week_ending, chosen.as_of):
        print(path.relative_to(home.root).as_posix())
    return 0
