"""``beatbook export``: a week's layers as files for other programs."""

import argparse
import sys
from pathlib import Path
from typing import Any

from beatbook.home import Home
from pipelines.commands import arguments


def add(commands: Any) -> None:
    """Add the export of layers."""
    export = commands.add_parser("export", help="write a week's layers for ArcGIS, QGIS and others")
    layers = export.add_subparsers(required=True, metavar="layers")
    hotspots = layers.add_parser(
        "hotspots", help="hot spots, near-repeat zones and repeat places of a week"
    )
    arguments.department(hotspots)
    hotspots.add_argument(
        "--week-ending",
        type=arguments.date,
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
