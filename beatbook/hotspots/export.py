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
from beatbook.hotspots.zones import ZONE_STEP_M, zone_frame
from beatbook.store import Store, load_table

if TYPE_CHECKING:
    import geopandas as gpd

    from beatbook.hotspots.export_formats import Layer
    from beatbook.hotspots.grid import Grid

FORMATS = ("gpkg", "geoparquet", "geojson", "kml", "csv")

EXPORTED = {
    "hotspots": "Hot spots",
    "near_repeat_zones": "Near-repeat zones",
    "space_time_clusters": "Space-time clusters",
    "repeat_places": "Repeat places",
}
"""The tables that become layers, with their titles."""

WITHOUT_TABLES = ("geojson", "kml")
"""Formats that hold places on a map only, so not the ranking of repeat places."""

RENAMED = {"start": "period_start", "end": "period_end"}
"""END is a keyword in the filters of GIS software, and a time span of its own in KML."""


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
        - ``near_repeat_zones``: diamonds (the distance is Manhattan), hollow up to ``inner_m``; a
          zone at one address is the square of 100 m that the address lies in. Each follows one
          offense: for patrol, not for publication.
        - ``space_time_clusters``: circles; counts below the small-cell limit are missing.
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
        name: load_table(name, settings.slug, week_ending=week, home=home) for name in EXPORTED
    }
    grid = department_grid(settings)
    about = _about(settings, week, tables["hotspots"], grid)
    frames = {
        "hotspots": _cells(settings, tables["hotspots"], grid),
        "near_repeat_zones": zone_frame(tables["near_repeat_zones"], settings.crs),
        "space_time_clusters": _clusters(settings, tables["space_time_clusters"]),
        "repeat_places": tables["repeat_places"],
    }
    return [
        Layer(
            name,
            f"{title}: {settings.city}, week ending {week}",
            frames[name].rename(columns=RENAMED),
            {
                **about,
                **_about_layer(name, settings.small_cell_limit),
                "columns": _meanings(name, frames[name].columns, settings.small_cell_limit),
            },
        )
        for name, title in EXPORTED.items()
    ]


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
    return gpd.GeoDataFrame(shown, geometry=placed, crs=settings.crs)


def _ground(shape: Any) -> Any:
    """A clipped cell without the lines and points along which it only touches the outline."""
    import shapely

    if shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    return shapely.union_all([part for part in shapely.get_parts(shape) if part.area > 0])


def _clusters(settings: Department, clusters: pd.DataFrame) -> "gpd.GeoDataFrame":
    """The table and each cluster's circle, without counts below the limit and what tells them."""
    import geopandas as gpd

    centers = gpd.GeoSeries(gpd.points_from_xy(clusters["x"], clusters["y"]), crs=settings.crs)
    few = clusters["observed"] < settings.small_cell_limit
    shown = clusters.assign(
        observed=clusters["observed"].astype("Int64").mask(few), ratio=clusters["ratio"].mask(few)
    )
    # One cell alone is a circle without extent around its center.
    reach = clusters["radius_m"].clip(lower=settings.grid.size_m / 2)
    return gpd.GeoDataFrame(shown, geometry=centers.buffer(reach))


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


def _about_layer(name: str, limit: int) -> dict[str, Any]:
    """What one layer says beyond what all say."""
    if name == "near_repeat_zones":
        return {
            "for_whom": "Each zone follows a single offense of the last weeks, its center given to "
            f"{ZONE_STEP_M:g} m: for patrol, not for publication.",
            "method": "Knox test of the 52 weeks; zones of its bands with q at most 0.05 and a "
            "ratio of at least 1.2",
        }
    if name == "space_time_clusters":
        return {"method": "prospective space-time scan (Kulldorff), Poisson, of the 52 weeks"}
    if name == "hotspots" and limit > 1:
        return {
            "small_cells": f"Counts from 1 to {limit - 1} are not shown. Figures of a neighborhood "
            f"take each of them as {limit / 2:g}, so that they tell no more than the counts; "
            "class, pattern, p and q are those of the true counts."
        }
    return {}


def _meanings(name: str, columns: pd.Index, limit: int) -> dict[str, str]:
    """What each column of a layer means, with its unit."""
    from beatbook.tables import TABLES

    meanings = {
        column.name: f"{column.meaning} ({column.unit})" if column.unit else column.meaning
        for column in TABLES[name].columns
    }
    meanings |= {
        "incidents_shown": "net offenses in the cell as they may be shown",
        "p_at_most": "two-sided p, rounded up to 0.001, 0.01, 0.05, 0.1 or 1",
        "q_at_most": "Benjamini-Hochberg over the cells of the layer, rounded up alike",
    }
    if limit > 1 and name == "hotspots":
        meanings["incidents"] += f"; missing from 1 to {limit - 1}"
        for column in ("around", "expected_around", "z", "density_per_km2"):
            meanings[column] += "; worked out from the counts as shown"
        meanings["around"] += f", missing between 0 and {limit}"
        meanings["density_per_km2"] += ", each at its cell's center"
    if limit > 1 and name == "space_time_clusters":
        for column in ("observed", "ratio"):
            meanings[column] += f"; missing below {limit} offenses"
    return {RENAMED.get(c, c): meanings[c] for c in columns if c in meanings}
