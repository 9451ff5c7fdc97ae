"""``beatbook open``: open the shelf of books in the browser."""

import argparse
import webbrowser
from typing import Any

from beatbook.department import load_department
from beatbook.errors import BeatbookError
from beatbook.home import Home


def add(commands: Any) -> None:
    """Add the opening of the shelf."""
    shelf = commands.add_parser("open", help="open the shelf of books and packets in the browser")
    shelf.add_argument("--department", help="only this department; all if not given")
    shelf.set_defaults(run=_open)


def _open(chosen: argparse.Namespace, home: Home) -> int:
    page = home.reports / "index.html"
    again = f"beatbook report --department {chosen.department or 'DEPARTMENT'}"
    if chosen.department:
        load_department(chosen.department, home)
    if not page.is_file():
        raise BeatbookError(f"There is no shelf yet (reports/index.html). Run: {again}")
    if chosen.department and not (home.reports / chosen.department).is_dir():
        raise BeatbookError(f"{chosen.department} has no book yet. Run: {again}")
    address = page.resolve().as_uri()
    if chosen.department:
        address += f"#{chosen.department}"
    print(page.relative_to(home.root).as_posix())
    if not webbrowser.open(address):
        raise BeatbookError(f"No browser could be started here. Open {page} in one.")
    return 0
