"""The hotspot layers of a week as files for other software: ArcGIS, QGIS, Google Earth, Excel."""

import datetime as dt
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from beatbook import version
from beatbook.department import Department, load_department
from beatbook.errors import BeatbookError, InvalidInput, MissingTable
from beatbook.home import Home, find_home
from beatbook.store import Store, load_table

if TYPE_CHECKING:
    import geopandas as gpd

    from beatbook.hotspots.export_formats import Layer
    from beatbook.hotspots.grid import Grid

FORMATS = ("gpkg", "geoparquet", "geojson", "kml", "csv")

WITHOUT_TABLES = ("geojson", "kml")
"""Formats that hold places on a map only, so not the ranking of repeat places."""

RENAMED = {"start": "first_day", "end": "last_day"}
"""END is a keyword in the filters of GIS software, and a time span of its own in KML."""

LEAST_ZONE_M = 100.0
"""A zone's center is given to 100 m, so a smaller zone might not hold the place it is about."""

_SOLID_M = 1.0  # an inner distance below it is one address, and would be a pinhole


def export_hotspots(
    department: str,
    week_ending: dt.date | str,
    format: str,
    out: Path | None = None,
    home: Home | None = None,
) -> list[Path]:
    """Write a week's published hotspot layers in one format.

    Parameters
    ----------
    department
        Its short name.
    week_ending
        Last day of a week whose layers are published.
    format
        ``gpkg`` (one file with everything; opens in ArcGIS and QGIS), ``geoparquet``, ``geojson``
        (RFC 7946, WGS 84), ``kml`` (Google Earth) or ``csv``.
    out
        Folder; by default ``reports/<department>/<week-ending>/layers/``. Files of the same name
        in it are replaced, each in one step.
    home
        The checkout; found by :func:`beatbook.home.find_home` if not given.

    Returns
    -------
    list of Path
        The files written. Layers, in the department's CRS (meters) except in GeoJSON and KML:

        - ``hotspots``: the cells as polygons clipped to the city, one row a cell, offense and
          period, Total Part I first. Columns of the table, with small counts hidden as
          :func:`beatbook.hotspots.small_cells.hide_small_cells` says.
        - ``near_repeat_zones``: diamonds (or discs, by the distance of the Knox test), rings where
          only a ring is raised; none narrower than 100 m to its corners, for its center is known
          no better. Each follows one offense: for patrol, not for publication.
        - ``repeat_places``: the ranking, a table without geometry; not in GeoJSON and KML.

        Inside each file stand the parameters, as-of day, feed hash, code version, grid,
        false-discovery rate, shares left out, meanings of the columns and the source. The same
        tables give the same bytes.

    Raises
    ------
    UnknownDepartment
        The message lists those that exist.
    MissingTable
        If the week has no layers; the message says what to run and which weeks have some.
    InvalidInput
        If the format or the date is none, or ``out`` is a file.
    BeatbookError
        If a file cannot be replaced, or the grid's settings have changed since.

    Notes
    -----
    NAD 83 and WGS 84 differ by one to two meters; GeoJSON and KML are no surveys.
    """
    from beatbook.hotspots.export_formats import WRITERS

    home = home or find_home()
    settings = load_department(department, home)
    if format not in FORMATS:
        raise InvalidInput(f"No format {format!r}. Formats: {', '.join(FORMATS)}.")
    week = _week(week_ending)
    layers = _layers(settings, week, home)
    folder = out or home.reports / department / week / "layers"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as name:
            made = WRITERS[format](layers, Path(name))
            for path in made:
                os.replace(path, folder / path.name)
    except (FileExistsError, NotADirectoryError):
        raise InvalidInput(f"{folder} is a file; give a folder to write into.") from None
    except PermissionError as error:
        raise BeatbookError(
            f"{error.filename2 or error.filename or folder} cannot be written. If it is open in "
            "other software, close it there; else check that you may write into the folder."
        ) from None
    return [folder / path.name for path in made]


def _week(week_ending: dt.date | str) -> str:
    try:
        return dt.date.fromisoformat(str(week_ending)[:10]).isoformat()
    except ValueError:
        raise InvalidInput(f"{week_ending!r} is no date; write it as 2019-12-29.") from None


def _layers(settings: Department, week: str, home: Home) -> "list[Layer]":
    from beatbook.hotspots.export_formats import Layer
    from beatbook.hotspots.weekly import department_grid

    published = Store(settings.slug, home).partitions("hotspots")
    if week not in published:
        others = f" Weeks that have some: {', '.join(published[-5:])}." if published else ""
        raise MissingTable(
            f"{settings.slug} has no hotspot layers for the week ending {week}.{others} "
            f"Run: beatbook report --department {settings.slug} --week-ending {week}"
        )
    tables = {
        name: load_table(name, settings.slug, week_ending=week, home=home)
        for name in ("hotspots", "near_repeats", "near_repeat_zones", "repeat_places")
    }
    grid = department_grid(settings)
    cells = _cells(settings, tables["hotspots"], grid)
    zones = _zones(settings, tables["near_repeat_zones"], tables["near_repeats"])
    about = _about(settings, week, tables["hotspots"], grid)
    where = f"{settings.city}, week ending {week}"
    places = tables["repeat_places"].rename(columns=RENAMED)
    return [
        Layer("hotspots", f"Hot spots: {where}", cells, {**about, **_about_cells(settings, cells)}),
        Layer("near_repeat_zones", f"Near-repeat zones: {where}", zones,
              {**about, **_about_zones(tables["near_repeats"], zones)}),
        Layer("repeat_places", f"Repeat places: {where}", places,
              {**about, "columns": _meanings("repeat_places", places)}),
    ]  # fmt: skip


def _cells(settings: Department, hotspots: pd.DataFrame, grid: "Grid") -> "gpd.GeoDataFrame":
    """The table with small counts hidden, and each cell's polygon."""
    import geopandas as gpd

    from beatbook.hotspots.small_cells import hide_small_cells
    from beatbook.hotspots.weekly import BANDWIDTH_M, TOTAL

    try:
        shown = hide_small_cells(hotspots, grid, settings.small_cell_limit, BANDWIDTH_M)
    except InvalidInput as error:
        raise BeatbookError(
            f"{error} The grid or the outline of {settings.slug} has changed since these layers "
            "were made; make them anew with beatbook report."
        ) from None
    periods = list(shown["period"].unique())
    place = shown["period"].map(periods.index).astype(int) * 2
    place += (shown["offense"] != TOTAL).astype(int)
    shown = shown.loc[place.sort_values(kind="stable").index].reset_index(drop=True)
    outlines = grid.polygons().map(_ground)
    outlines.index = pd.Index(grid.cell_id.astype(object))
    placed = outlines.reindex(shown["cell"].astype(object)).reset_index(drop=True)
    return gpd.GeoDataFrame(shown.rename(columns=RENAMED), geometry=placed, crs=settings.crs)


def _ground(shape: Any) -> Any:
    """A clipped cell without the lines and points along which it only touches the outline."""
    import shapely

    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    return shapely.union_all([part for part in shapely.get_parts(shape) if part.area > 0])


def _zones(
    settings: Department, zones: pd.DataFrame, near_repeats: pd.DataFrame
) -> "gpd.GeoDataFrame":
    """The table and each zone's polygon: what lies within the outer and not the inner distance."""
    import geopandas as gpd
    import shapely

    manhattan = _metric(near_repeats) == "manhattan"

    def within(x: float, y: float, reach: float) -> Any:
        center = shapely.Point(x, y)
        # A circle of one segment a quarter is the diamond of equal Manhattan distance.
        return center.buffer(reach, quad_segs=1 if manhattan else 16)

    shapes = []
    for x, y, inner, outer in zones[["x", "y", "inner_m", "outer_m"]].itertuples(index=False):
        shape = within(x, y, max(outer, LEAST_ZONE_M))
        hollow = _SOLID_M <= inner < outer and outer > LEAST_ZONE_M
        shapes.append(shape.difference(within(x, y, inner)) if hollow else shape)
    return gpd.GeoDataFrame(zones, geometry=gpd.GeoSeries(shapes, crs=settings.crs))


def _metric(near_repeats: pd.DataFrame) -> str:
    return str(near_repeats["metric"].iloc[0]) if len(near_repeats) else "manhattan"


def _about(settings: Department, week: str, hotspots: pd.DataFrame, grid: "Grid") -> dict[str, Any]:
    """What every file says of itself."""
    from beatbook.hotspots.weekly import (
        BANDWIDTH_M,
        FALSE_DISCOVERY_RATE,
        PERMUTATIONS,
        SEX_OFFENSES,
    )

    made_from = hotspots.attrs["provenance"]
    first = hotspots.drop_duplicates(["period", "offense"])
    return {
        "department": settings.slug,
        "department_name": settings.name,
        "week_ending": week,
        "as_of": made_from.get("as_of", week),
        "feed_sha256": made_from["feed_sha256"],
        "code_version": made_from["code_version"],
        "exported_with": version.code_version(),
        "crs": settings.crs,
        "grid": {"shape": grid.shape, "cell_size_m": grid.cell_size, "origin_m": grid.origin,
                 "crs": settings.crs, "cells": len(grid)},
        "periods": {
            row.period: {"start": f"{row.start:%Y-%m-%d}", "end": f"{row.end:%Y-%m-%d}"}
            for row in first.drop_duplicates("period").itertuples()
        },
        "method": {
            "hot_and_cold": "Getis-Ord Gi*, cells that touch, binary weights; p of z, or of "
            f"{PERMUTATIONS} permutations where p_from says so",
            "density": f"quartic kernel, bandwidth {BANDWIDTH_M:g} m",
        },
        "false_discovery_rate": FALSE_DISCOVERY_RATE,
        "cells_tested": _by_layer(first, "cells_tested"),
        "share_left_out": _by_layer(first.round({"share_left_out": 6}), "share_left_out"),
        "small_cell_limit": settings.small_cell_limit,
        "not_in_it": f"Offenses never shown below the neighborhood: {', '.join(SEX_OFFENSES)}. "
        "Incidents without a usable point, whose share is share_left_out.",
        "source": settings.attribution,
    }  # fmt: skip


def _by_layer(first: pd.DataFrame, column: str) -> dict[str, dict[str, Any]]:
    return {
        str(period): {str(o): v.item() for o, v in zip(rows["offense"], rows[column].to_numpy(),
                                                       strict=True)}
        for period, rows in first.groupby("period", sort=False)
    }  # fmt: skip


def _about_cells(settings: Department, cells: "gpd.GeoDataFrame") -> dict[str, Any]:
    limit = settings.small_cell_limit
    meanings = _meanings("hotspots", cells)
    meanings |= {
        "incidents_shown": "net offenses in the cell as they may be shown",
        "p_at_most": "two-sided p, rounded up to 0.001, 0.01, 0.05, 0.1 or 1",
        "q_at_most": "Benjamini-Hochberg over the cells of the layer, rounded up alike",
    }
    if limit == 1:
        return {"columns": meanings}
    meanings["incidents"] += f"; missing from 1 to {limit - 1}"
    anew = "worked out from the counts as shown"
    meanings["around"] += f"; {anew}; missing between 0 and {limit}"
    meanings["expected_around"] += f"; {anew}"
    meanings["z"] += f"; {anew}"
    meanings["density_per_km2"] += f"; {anew}, each at its cell's center"
    return {
        "small_cells": f"Counts from 1 to {limit - 1} are not shown. Figures of a neighborhood "
        f"take each of them as {limit / 2:g}, so that they tell no more than the counts; class, "
        "pattern, p and q are those of the true counts.",
        "columns": meanings,
    }


def _about_zones(near_repeats: pd.DataFrame, zones: "gpd.GeoDataFrame") -> dict[str, Any]:
    permutations = sorted({int(n) for n in near_repeats["permutations"]})
    return {
        "for_whom": "Each zone follows a single offense of the last weeks, its center given to "
        "100 m: for patrol, not for publication.",
        "method": {
            "near_repeats": f"Knox test, {_metric(near_repeats)} distance, "
            f"{', '.join(map(str, permutations)) or 'no'} permutations, one-sided",
            "zones": "bands of distance and time with q at most 0.05 and a ratio of at least 1.2; "
            f"none drawn narrower than {LEAST_ZONE_M:g} m",
        },
        "columns": _meanings("near_repeat_zones", zones),
    }


def _meanings(table: str, frame: pd.DataFrame) -> dict[str, str]:
    """What each column of the file means, with its unit."""
    from beatbook.tables import TABLES

    declared = {
        RENAMED.get(column.name, column.name): column.meaning + (f" ({column.unit})" if column.unit else "")
        for column in TABLES[table].columns
    }
    return {name: declared[name] for name in frame.columns if name in declared}
