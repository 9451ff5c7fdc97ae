"""Where a precinct lies: its own outline, or the areas that are mostly its own."""

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from beatbook.areas import code_order, load_outlines
from beatbook.compstat.counts import UNKNOWN, comparable_precinct, precincts_in_force
from beatbook.department import Department
from beatbook.errors import InvalidInput

if TYPE_CHECKING:
    import geopandas as gpd

KINDS = ("beat", "neighborhood")
"""Areas that may stand for a precinct, the finer first: beats are drawn within precincts."""


class PrecinctOutline(NamedTuple):
    """A precinct's ground, and how it is known.

    ``ground`` has one row: ``code, name`` and the polygon in the department's CRS (meters).
    ``kind`` is ``precinct`` for its own outline, ``beat`` or ``neighborhood`` where areas of that
    kind stand for it, and ``city`` where nothing finer can. ``parts`` are those areas (``code,
    name, geometry``; none for an outline of its own). ``statement`` says so in a sentence, and is
    empty for an outline of its own.
    """

    ground: "gpd.GeoDataFrame"
    kind: str
    parts: "gpd.GeoDataFrame"
    statement: str


def precinct_outline(
    department: Department, incidents: pd.DataFrame, precinct: str, day: dt.date
) -> PrecinctOutline:
    """Find the ground of a precinct on a day.

    Parameters
    ----------
    department
        Whose outlines and redistrictings.
    incidents
        Columns ``precinct, known_on, beat, neighborhood``; read only where the precinct
        has no outline of its own.
    precinct
        Its code, in force on ``day``.
    day
        Last day of the packet's week.

    Returns
    -------
    PrecinctOutline
        The precinct's own outline, where the department publishes one that holds on ``day``.
        Else the beats or neighborhoods (the first kind with outlines and coded records) of which
        this precinct recorded more incidents than any other since the last redistricting: each
        area stands for one precinct, so no two packets show the same ground. An outline file
        shows the present division, so it is not used for days before the last redistricting
        (then, too, areas stand in). Else the whole city.

    Raises
    ------
    InvalidInput
        If the precinct is not in force on the day.
    """
    known = precincts_in_force(department, day)
    if precinct not in known:
        raise InvalidInput(
            f"{department.slug} has no {department.areas.precinct.label.lower()} {precinct!r} on "
            f"{day}; in force are {', '.join(known)}."
        )
    label = department.areas.precinct.label
    starts = department.redistricted_on
    if not starts or day >= starts[-1]:
        own = load_outlines(department, "precinct")
        own = own[own["code"] == precinct].reset_index(drop=True)
        if len(own):
            return PrecinctOutline(own, "precinct", own.iloc[:0], "")
    for kind in KINDS:
        outlines = load_outlines(department, kind)
        if outlines.empty:
            continue
        owners = area_owners(incidents, department, kind, day)
        codes = owners.index[owners == precinct]
        parts = outlines[outlines["code"].isin(codes)].reset_index(drop=True)
        if len(parts):
            words = _stand_in(incidents, department, kind, precinct, parts, day)
            return PrecinctOutline(_union(parts, label, precinct), kind, parts, words)
    city = load_outlines(department, "city")
    words = (
        f"The department publishes no outline of {label} {precinct}, nor of areas that could stand "
        f"for it: the maps show all of {department.city}."
    )
    return PrecinctOutline(city, "city", city.iloc[:0], words)


def area_owners(
    incidents: pd.DataFrame, department: Department, kind: str, day: dt.date
) -> pd.Series:
    """Tell of each area which precinct recorded most of its incidents.

    Parameters
    ----------
    incidents
        Columns ``precinct, known_on`` and the one named ``kind``; any that names a place
        will do (``beat``, ``neighborhood``, ``block_address``).
    department
        Its redistrictings: records of another division do not count.
    kind
        The column of the areas.
    day
        On which the division holds.

    Returns
    -------
    Series
        Precinct by area; records without an area or a precinct in force decide nothing. A tie
        goes to the precinct that comes first.
    """
    owner = comparable_precinct(incidents, department, day)
    known = (owner != UNKNOWN) & incidents[kind].notna()
    names = ["area", "owner"]
    # Records, not net counts: a canceled one was recorded there all the same.
    counts = (
        pd.DataFrame({"area": incidents.loc[known, kind], "owner": owner[known]})
        .value_counts(names, sort=False)
        .reset_index(name="records")
    )
    counts["order"] = counts["owner"].map(code_order)
    counts = counts.sort_values(["area", "records", "order"], ascending=[True, False, True])
    return counts.drop_duplicates("area").set_index("area")["owner"]


def _stand_in(
    incidents: pd.DataFrame,
    department: Department,
    kind: str,
    precinct: str,
    parts: "gpd.GeoDataFrame",
    day: dt.date,
) -> str:
    label = department.areas.precinct.label
    noun = department.areas.kind(kind).label.lower()
    nouns = noun if len(parts) == 1 else f"{noun}s"
    mine = incidents[comparable_precinct(incidents, department, day) == precinct]
    placed = mine[kind].dropna()
    share = 100 * float(placed.isin(parts["code"]).mean()) if len(placed) else 0.0
    begun = [start for start in department.redistricted_on if start <= day]
    since = f" since {begun[-1]}" if begun else ""
    return (
        f"The department publishes no outline of {label} {precinct} as of {day}. Its map is made "
        f"of the {len(parts)} {nouns} in which{since} more records were {label} {precinct}'s than "
        f"any other {label.lower()}'s; {share:.1f} % of its records with a {noun} lie there."
    )


def _union(parts: "gpd.GeoDataFrame", label: str, precinct: str) -> "gpd.GeoDataFrame":
    import geopandas as gpd

    return gpd.GeoDataFrame(
        {"code": [precinct], "name": [f"{label} {precinct}"]},
        geometry=[parts.union_all()],
        crs=parts.crs,
    )
