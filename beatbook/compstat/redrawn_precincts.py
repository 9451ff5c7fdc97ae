"""A precinct across a redistricting: what of it can be compared, by way of smaller areas.

Where lines are redrawn, the number of a precinct goes on and the ground does not. Neighborhoods
(or beats) keep theirs. From the records since the lines were drawn one sees which part of each
neighborhood a precinct polices; earlier records are shared out by it. That rebuilds the precinct
*as drawn now* for the years before, as well as neighborhoods fit into it, and the years since, in
which the true figures are known, tell how well that is.
"""

import datetime as dt
from typing import NamedTuple

import pandas as pd

from beatbook.areas import code_order
from beatbook.compstat.counts import UNKNOWN, comparable_precinct, counted_day
from beatbook.department import Department
from beatbook.errors import InvalidInput

WHOLE = 0.95
"""An area lies in one precinct where this share of its records does; the rest are points that
were geocoded or typed across the line."""


class Fit(NamedTuple):
    """How well areas stand for a precinct: the share of its records in areas that lie whole
    within it, and the largest and mean error of the rebuilt figures where the true are known."""

    whole: float
    mean_error: float
    largest_error: float


def shared_ground(
    incidents: pd.DataFrame, department: Department, day: dt.date, kind: str = "neighborhood"
) -> pd.DataFrame:
    """Tell which share of each area every precinct polices, under the division of a day.

    Parameters
    ----------
    incidents
        Columns ``precinct, known_on`` and ``kind``. Only records coded under the division that
        holds on ``day`` count.
    department
        Its redistrictings.
    day
        The day whose division is asked for.
    kind
        ``neighborhood`` or ``beat``: areas that kept their ground.

    Returns
    -------
    DataFrame
        One row an area and precinct that share records: ``area, precinct, records,
        share_of_area`` (0 to 1, over the precincts) and ``share_of_precinct`` (0 to 1).

    Raises
    ------
    InvalidInput
        If no record has both.
    """
    owner = comparable_precinct(incidents, department, day)
    known = (owner != UNKNOWN) & incidents[kind].notna()
    if not known.any():
        raise InvalidInput(
            f"No record under the division of {day} has both a "
            f"{department.areas.precinct.label.lower()} and a {kind}."
        )
    table = (
        pd.DataFrame({"area": incidents.loc[known, kind], "precinct": owner[known].astype("str")})
        .value_counts(["area", "precinct"], sort=False)
        .rename("records")
        .reset_index()
    )
    by_area = table.groupby("area")["records"].transform("sum")
    by_precinct = table.groupby("precinct")["records"].transform("sum")
    table["share_of_area"] = table["records"] / by_area
    table["share_of_precinct"] = table["records"] / by_precinct
    order = sorted(
        table.index, key=lambda i: (code_order(table["precinct"][i]), -table["records"][i])
    )
    return table.loc[order].reset_index(drop=True)


def rebuilt_years(
    incidents: pd.DataFrame, ground: pd.DataFrame, department: Department, kind: str
) -> pd.DataFrame:
    """Count offenses by year in the precincts as drawn on one day, also for years before it.

    Parameters
    ----------
    incidents
        Of the offenses asked for, in whole years that the feed covers: ``occurred_from,
        reported_at, known_on, precinct, count`` and ``kind``.
    ground
        As :func:`shared_ground` gives it.
    department
        By which date it counts.
    kind
        The areas of ``ground``.

    Returns
    -------
    DataFrame
        One row a precinct and year: ``recorded`` (net count of the records that carry the
        precinct's code in that year, whatever ground it meant), ``rebuilt`` (each area's net
        count times the share of it that the precinct polices).
    """
    year = counted_day(incidents, department).dt.year
    areas = incidents.groupby([incidents[kind], year])["count"].sum()
    counts = areas.rename_axis(["area", "year"]).rename("count").reset_index()
    joined = ground.merge(counts, on="area", validate="m:m")
    joined["rebuilt"] = joined["share_of_area"] * joined["count"]
    rebuilt = joined.groupby(["precinct", "year"])["rebuilt"].sum()
    recorded = incidents.groupby([incidents["precinct"], year])["count"].sum()
    recorded = recorded.rename_axis(["precinct", "year"]).rename("recorded")
    table = pd.concat([recorded, rebuilt], axis=1).reset_index()
    table = table[table["precinct"].isin(ground["precinct"])]
    table["order"] = table["precinct"].map(code_order)
    table = table.sort_values(["order", "year"], kind="stable")
    return table.drop(columns="order").reset_index(drop=True)


def fit_of(precinct: str, years: pd.DataFrame, ground: pd.DataFrame, known_from: int) -> Fit:
    """Tell how far the rebuilt figures of a precinct can be trusted.

    Parameters
    ----------
    precinct
        Its code, under the division of ``ground``.
    years
        As :func:`rebuilt_years` gives it.
    ground
        As :func:`shared_ground` gives it. For a fair test make it from records that are not
        counted in the years from ``known_from`` on.
    known_from
        The first whole year under the division, or of the test.

    Returns
    -------
    Fit
        Errors as shares of the recorded count, 0 to 1; NaN without a year to test on.
    """
    mine = ground[ground["precinct"] == precinct]
    whole = float(mine.loc[mine["share_of_area"] >= WHOLE, "share_of_precinct"].sum())
    known = years[
        (years["precinct"] == precinct) & (years["year"] >= known_from) & (years["recorded"] > 0)
    ]
    errors = (known["rebuilt"] / known["recorded"] - 1).abs()
    if errors.empty:
        return Fit(whole, float("nan"), float("nan"))
    return Fit(whole, float(errors.mean()), float(errors.max()))
