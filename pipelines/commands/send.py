"""``beatbook send``: mail a week's packets and book."""

import argparse
import sys
from typing import Any

from beatbook.home import Home
from pipelines.commands import arguments


def add(commands: Any) -> None:
    """Add the mailing of packets and book."""
    send = commands.add_parser("send", help="mail a week's packets and book to the lists set")
    arguments.department(send)
    send.add_argument(
        "--week-ending",
        type=arguments.date,
        required=True,
        help="last day of a week whose book has been made (ISO date)",
    )
    send.add_argument("--precinct", help="only this precinct's packet")
    send.add_argument(
        "--dry-run", action="store_true", help="say who would be sent what, and send nothing"
    )
    send.add_argument(
        "--again", action="store_true", help="send also what an address has already received"
    )
    send.add_argument(
        "--even-if-held",
        action="store_true",
        help="send although a critical check holds the department's data",
    )
    send.set_defaults(run=_send)


def _send(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.distribution import distribute

    done = distribute(
        home,
        chosen.department,
        chosen.week_ending,
        print,
        precinct=chosen.precinct,
        again=chosen.again,
        even_if_held=chosen.even_if_held,
        dry_run=chosen.dry_run,
    )
    for problem in done.problems:
        print(f"beatbook: {problem}", file=sys.stderr)
    return 1 if done.problems else 0
