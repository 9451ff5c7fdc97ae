"""The week's hotspot layers as a file for ArcGIS and QGIS, which the shelf offers."""

import os
from pathlib import Path

import dagster as dg

from assets.books import GROUP
from assets.house import House, progress, told_plainly
from assets.partitions import by_department_and_week, department_and_week
from beatbook.hotspots.export import EXPORTED, export_hotspots

FORMAT = "gpkg"
"""One file holds every layer and table, and both programs open it; the others are exported when
somebody asks for them."""


@dg.asset(
    partitions_def=by_department_and_week,
    group_name=GROUP,
    kinds={"geopackage"},
    deps=list(EXPORTED),
)
@told_plainly
def layer_files(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """The week's layers to download: a GeoPackage, small counts hidden."""
    slug, week = department_and_week(context)
    home = house.home()
    progress(context)("writing the layers to download")
    made = export_hotspots(slug, week, FORMAT, home=home)
    files = [Path(os.path.relpath(path, home.root)).as_posix() for path in made]
    return dg.MaterializeResult(metadata={"files": dg.MetadataValue.json(files)})
