"""The command line: ``beatbook report``, ``export``, ``new-department``, ``ui`` and others."""

import argparse
import datetime as dt
import glob
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from beatbook.errors import BeatbookError
from beatbook.home import HOME_VARIABLE, Home, find_home


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an error for a person is one sentence on stderr and exit code 1."""
    chosen = _parser().parse_args(arguments)
    try:
        home = find_home()
        os.environ[HOME_VARIABLE] = str(home.root)
        return int(chosen.run(chosen, home))
    except BeatbookError as error:
        print(f"beatbook: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="beatbook", description="Open crime analysis for police departments."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    report = commands.add_parser("report", help="read the feed and make a week's CompStat book")
    report.add_argument("--department", required=True, help="a folder under departments/")
    report.add_argument(
        "--week-ending",
        type=_date,
        help="last day of the week (ISO date); the last one that the feed covers if not given",
    )
    report.add_argument(
        "--as-of",
        type=_date,
        help="use only what was known by this day; all that the feed holds if not given",
    )
    report.set_defaults(run=_report)

    export = commands.add_parser("export", help="write a week's layers for ArcGIS, QGIS and others")
    layers = export.add_subparsers(required=True, metavar="layers")
    hotspots = layers.add_parser(
        "hotspots", help="hot spots, near-repeat zones and repeat places of a week"
    )
    hotspots.add_argument("--department", required=True, help="a folder under departments/")
    hotspots.add_argument(
        "--week-ending",
        type=_date,
        required=True,
        help="last day of a week whose book has been made (ISO date)",
    )
    hotspots.add_argument(
        "--format",
        required=True,
        # As in beatbook.hotspots.export.FORMATS, which would load numpy for a help text.
        choices=("gpkg", "geoparquet", "geojson", "kml", "csv"),
        help="gpkg holds everything in one file for ArcGIS and QGIS",
    )
    hotspots.add_argument(
        "--out",
        type=Path,
        help="folder to write into; reports/<department>/<week-ending>/layers/ if not given",
    )
    hotspots.set_defaults(run=_export_hotspots)

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

    ui = commands.add_parser("ui", help="start Dagster's UI, with the schedules")
    ui.add_argument("--port", default="3000")
    ui.set_defaults(run=_ui)

    lab = commands.add_parser("lab", help="start JupyterLab in the notebooks folder")
    lab.set_defaults(run=_lab)
    return parser


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a date; write it as 2019-12-29"
        ) from None


def _report(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.launch import report

    for path in report(home, chosen.department, chosen.week_ending, chosen.as_of):
        print(path.relative_to(home.root).as_posix())
    return 0


def _export_hotspots(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.hotspots.export import WITHOUT_TABLES, export_hotspots

    made = export_hotspots(
        chosen.department, chosen.week_ending, chosen.format, chosen.out, home=home
    )
    for path in made:
        inside = path.is_relative_to(home.root)
        print((path.relative_to(home.root) if inside else path).as_posix())
    if chosen.format in WITHOUT_TABLES:
        print(
            f"{chosen.format} holds places on a map only: repeat places, which are a ranking, "
            "are in gpkg, geoparquet and csv.",
            file=sys.stderr,
        )
    return 0


_MAPS = {
    "--city-outline": "city",
    "--precincts": "precinct",
    "--beats": "beat",
    "--neighborhoods": "neighborhood",
}


def _new_department(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.onboarding.proposing import new_department

    maps = {kind: path for kind in _MAPS.values() if (path := getattr(chosen, kind))}
    # Not every shell expands a pattern.
    files = [
        Path(name)
        for given in chosen.files
        for name in (sorted(glob.glob(given)) if glob.has_magic(given) else [given])
    ]
    print(new_department(home, chosen.slug, files, maps, _progress).text())
    return 0


def _check_department(chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.onboarding.checking import check_department

    check = check_department(home, chosen.slug, _progress)
    print(check.text())
    return 0 if check.ready else 1


def _progress(message: str) -> None:
    print(message, file=sys.stderr)


def _departments(_chosen: argparse.Namespace, home: Home) -> int:
    from beatbook.department import list_departments, load_department

    for slug in list_departments(home):
        print(f"{slug}  {load_department(slug, home).name}")
    return 0


def _ui(chosen: argparse.Namespace, home: Home) -> int:
    from pipelines.launch import prepare_dagster_home

    prepare_dagster_home(home)
    command = [sys.executable, "-m", "dagster", "dev", "--workspace", "workspace.yaml"]
    return subprocess.call([*command, "--host", "127.0.0.1", "--port", chosen.port], cwd=home.root)


def _lab(_chosen: argparse.Namespace, home: Home) -> int:
    command = [sys.executable, "-m", "jupyter", "lab", "--ip", "127.0.0.1"]
    return subprocess.call(command, cwd=home.notebooks)
