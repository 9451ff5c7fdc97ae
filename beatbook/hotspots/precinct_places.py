"""What of a week's layers lies in one precinct: zones, clusters, repeat blocks."""

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from beatbook.areas import load_outlines
from beatbook.compstat.precinct_areas import area_owners
from beatbook.department import Department
from beatbook.errors import InvalidInput
from beatbook.hotspots.weekly import SEX_OFFENSES, mappable

if TYPE_CHECKING:
    import geopandas as gpd

PLACE_KINDS = ("neighborhood", "beat")
"""Areas that a place is named by, the one that people know first."""

CLUSTER_LEVEL = 0.05


def zones_on(zones: "gpd.GeoDataFrame", ground: "gpd.GeoDataFrame") -> "gpd.GeoDataFrame":
    """Keep the near-repeat zones that share ground with a precinct.

    Parameters
    ----------
    zones
        Of :func:`beatbook.hotspots.zones.zone_frame`.
    ground
        The precinct's, in any CRS.
    """
    import shapely

    area = shapely.union_all(ground.to_crs(zones.crs).geometry.to_numpy())
    return zones[shapely.intersects(zones.geometry.to_numpy(), area)].reset_index(drop=True)


def zones_by_place(zones: "gpd.GeoDataFrame", department: Department) -> pd.DataFrame:
    """Sum open near-repeat zones by offense and the area that holds their center.

    Parameters
    ----------
    zones
        Of :func:`zones_on`: ``offense, x, y, closes, ratio``.
    department
        Its neighborhoods, else its beats, name the places.

    Returns
    -------
    DataFrame
        ``offense, place, zones, closes`` (the last day of the last of them), ``ratio`` (of the
        strongest), the strongest first. ``place`` is empty where a department has no such
        outlines, or a center lies in none.
    """
    named = zones[["offense", "closes", "ratio"]].assign(
        place=place_names(zones[["x", "y"]], department)
    )
    found = named.groupby(["offense", "place"], sort=False, as_index=False).agg(
        zones=("ratio", "size"), closes=("closes", "max"), ratio=("ratio", "max")
    )
    order = ["ratio", "zones", "offense", "place"]
    found = found.sort_values(order, ascending=[False, False, True, True], kind="stable")
    return found.reset_index(drop=True)


def clusters_on(
    clusters: pd.DataFrame,
    ground: "gpd.GeoDataFrame",
    department: Department,
    level: float = CLUSTER_LEVEL,
) -> pd.DataFrame:
    """Keep the space-time clusters beyond chance whose circle shares ground with a precinct.

    Parameters
    ----------
    clusters
        The ``space_time_clusters`` table of one week.
    ground
        The precinct's, in any CRS.
    department
        Its CRS, in which the table's circles are, and its areas, that name their centers.
    level
        Largest p that is kept. Each offense's p is against the largest cluster anywhere in the
        city, so one city-wide false alarm in twenty scans is expected at 0.05.

    Returns
    -------
    DataFrame
        The table's columns and ``place``, by p.
    """
    import shapely

    area = shapely.union_all(ground.to_crs(department.crs).geometry.to_numpy())
    x, y, radius = (clusters[name].to_numpy(float) for name in ("x", "y", "radius_m"))
    circles = shapely.buffer(shapely.points(x, y), radius)
    near = shapely.intersects(circles, area)
    kept = clusters[near & (clusters["p"] <= level).to_numpy()]
    kept = kept.sort_values(["p", "ratio"], ascending=[True, False], kind="stable")
    kept = kept.reset_index(drop=True)
    return kept.assign(place=place_names(kept[["x", "y"]], department))


def blocks_of(
    repeat_places: pd.DataFrame,
    incidents: pd.DataFrame,
    department: Department,
    precinct: str,
    day: dt.date,
) -> pd.DataFrame:
    """Keep the repeat blocks of one precinct.

    A block is the precinct's that recorded most of its incidents, and counts whole: cut at the
    border, its parts could fall under the small-cell limit and be worked out from the city's
    figure.

    Parameters
    ----------
    repeat_places
        The table of one week: blocks at or above the department's small-cell limit.
    incidents
        ``block_address, precinct, known_on, offense, location_quality, x, occurred_from``; those
        of the table's days decide whose a block is.
    department, precinct, day
        Whose division, which precinct, on which day.

    Returns
    -------
    DataFrame
        The table's rows, ``rank`` counted anew within the offense; ties keep the table's order.

    Raises
    ------
    InvalidInput
        If the table holds a sex offense, which is never placed.
    """
    placed = set(repeat_places["offense"]) & set(SEX_OFFENSES)
    if placed:
        raise InvalidInput(f"Repeat places hold {placed.pop()}, which is never placed.")
    if repeat_places.empty:
        return repeat_places
    start = repeat_places["start"].iloc[0]
    recent = incidents[mappable(incidents) & ~incidents["offense"].isin(SEX_OFFENSES)]
    recent = recent[recent["occurred_from"] >= start]
    recent = recent[recent["block_address"].isin(repeat_places["block_address"])]
    owner = area_owners(recent, department, "block_address", day)
    mine = repeat_places[repeat_places["block_address"].map(owner) == precinct]
    mine = mine.sort_values(["offense", "rank"], kind="stable").reset_index(drop=True)
    return mine.assign(rank=mine.groupby("offense").cumcount() + 1)


def place_names(points: pd.DataFrame, department: Department) -> pd.Series:
    """Name the neighborhood, or the beat, that holds each point.

    Parameters
    ----------
    points
        ``x, y``: meters in the department's CRS.
    department
        The first of ``PLACE_KINDS`` with outlines is used.

    Returns
    -------
    Series
        With the index of ``points``; empty text where no area holds the point.
    """
    import shapely

    names = pd.Series("", index=points.index, dtype="str")
    kind = next((kind for kind in PLACE_KINDS if department.areas.kind(kind).file), None)
    if kind is None or points.empty:
        return names
    outlines = load_outlines(department, kind)
    tree = shapely.STRtree(outlines.geometry.to_numpy())
    point, area = tree.query(
        shapely.points(points["x"].to_numpy(float), points["y"].to_numpy(float)),
        predicate="intersects",
    )
    first = pd.Series(area).groupby(point).min()
    names.iloc[first.index] = outlines["name"].astype(str).to_numpy()[first.to_numpy()]
    return names
