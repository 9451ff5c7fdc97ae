"""``beatbook new-department``, ``check-department``, ``departments``."""

import argparse
import glob
from pathlib import Path
from typing import Any

from beatbook.home import Home
from pipelines.commands import arguments

_MAPS = {
    "--city-outline": "city",
    "--precincts": "precinct",
    "--beats": "beat",
    "--neighborhoods": "neighborhood",
}


def add(commands: Any) -> None:
    """Add the commands that bring, check and list departments."""
    new = commands.add_parser("new-department", help="propose a department from sample files")
    new.add_argument("slug", help="name of its folder: small letters, digits and underscores")
    new.add_argument(
        "--from",
        dest="files",
        nargs="+",
        required=True,
        metavar="FILE",
        help="the publisher's files: CSV with any delimiter, or GeoJSON; plain, .gz or .xz",
    )
    for option, kind in _MAPS.items():
        new.add_argument(
            option, dest=kind, type=Path, metavar="FILE", help="outlines: GeoJSON, GeoPackage, shp"
        )
    new.set_defaults(run=_new_department)

    check = commands.add_parser(
        "check-department", help="say what of a department is mapped, and what is not"
    )
    check.add_argument("slug", help="a folder under departments/")
    check.set_defaults(run=_check_department)

    departments = commands.add_parser("departments", help="list the departments of this checkout")
    departments.set_defaults(run=_departments)


def _new_department(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.onboarding.proposing import new_department

    maps = {kind: path for kind in _MAPS.values() if (path := getattr(chosen, kind))}
    # Not every shell expands a pattern.
    files = [
        Path(name)
        for given in chosen.files
        for name in (sorted(glob.glob(given)) if glob.has_magic(given) else [given])
    ]
    print(new_department(home, chosen.slug, files, maps, arguments.progress).text())
    return 0


def _check_department(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.onboarding.checking import check_department

    check = check_department(home, chosen.slug, arguments.progress)
    print(check.text())
    return 0 if check.ready else 1


def _departments(_chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.department import list_departments, load_department

    for slug in list_departments(home):
        print(f"{slug}  {load_department(slug, home).name}")
    return 0
