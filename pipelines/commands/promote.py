"""``beatbook promote``: an exploration becomes a report that is made every week."""

import argparse
import sys
from pathlib import Path
from typing import Any

from beatbook.home import Home


def add(commands: Any) -> None:
    """Add the command that promotes an exploration."""
    promote = commands.add_parser(
        "promote", help="make a notebook a report that comes with every week's book"
    )
    promote.add_argument("notebook", type=Path, help="the exploration, a .ipynb file")
    promote.add_argument(
        "--name", required=True, help="of the report: small letters, digits and underscores"
    )
    promote.add_argument(
        "--department",
        action="append",
        default=[],
        help="only for this department; may be repeated; all of them if not given",
    )
    promote.add_argument(
        "--replace", action="store_true", help="replace a promoted report of that name"
    )
    promote.add_argument(
        "--no-trial", action="store_true", help="do not run it once before it is taken"
    )
    promote.set_defaults(run=_promote)


def _promote(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.promoting import promote

    if not chosen.no_trial:
        print("Trying it for the latest published week", file=sys.stderr)
    made = promote(
        chosen.notebook,
        chosen.name,
        home,
        chosen.department,
        replace=chosen.replace,
        trial=not chosen.no_trial,
    )
    print(made.relative_to(home.root).as_posix())
    print(
        f"From now on each week's run makes reports/<department>/<week-ending>/{chosen.name}.html "
        "and .pdf. To end that, delete the notebook.",
        file=sys.stderr,
    )
    return 0
