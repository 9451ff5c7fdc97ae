"""Which changes of a book are told as headlines, and how: one rule for every page."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from beatbook.compstat.change import e_tests
from beatbook.compstat.windows import days
from beatbook.offenses import TOTALS

SMALL_BASE = 10
"""A change is told as a headline only where the larger of the two counts is at least this: below
it a single incident moves the percentage by ten points or more."""

FALSE_DISCOVERY = 0.05

_WINDOWS = {"week": "this week", "28_days": "in the last 28 days", "year_to_date": "this year"}
_AGAINST = {
    ("week", "prior_period"): "the week before",
    ("week", "prior_year"): "the same week a year ago",
    ("28_days", "prior_period"): "the 28 days before",
    ("28_days", "prior_year"): "the same 28 days a year ago",
    ("year_to_date", "prior_year"): "the same part of last year",
}


def beyond_noise(table: pd.DataFrame, false_discovery: float = FALSE_DISCOVERY) -> pd.DataFrame:
    """Pick the changes of a book that are beyond ordinary noise and not of a small base.

    Parameters
    ----------
    table
        The ``compstat`` table of one book.
    false_discovery
        The share of the picked changes that may be false alarms (Benjamini-Hochberg over all
        tests of the book).

    Returns
    -------
    DataFrame
        Rows of the table, the surest first. A change whose larger count is under ``SMALL_BASE``
        is left out, however small its q-value.
    """
    larger = table[["current", "prior"]].max(axis=1)
    sure = table[(table["q_value"] < false_discovery) & (larger >= SMALL_BASE)]
    return sure.sort_values(["q_value", "p_value"], kind="stable")


def headlines(
    table: pd.DataFrame, precinct_label: str, false_discovery: float = FALSE_DISCOVERY
) -> list[str]:
    """Say in sentences which changes of a book lie beyond ordinary noise.

    Parameters
    ----------
    table
        The ``compstat`` table of one book.
    precinct_label
        What the department calls its precincts.
    false_discovery
        The share of the sentences that may be false alarms.

    Returns
    -------
    list of str
        One a change of :func:`beyond_noise`, the surest first. Empty when nothing has changed
        beyond noise.
    """
    rows = beyond_noise(table, false_discovery)
    return [f"{sentence(row, precinct_label)}." for row in rows.to_dict("records")]


def sentence(row: Mapping[Any, Any], precinct_label: str) -> str:
    """Put one row of a ``compstat`` table into words, without the full stop."""
    if row["geography_type"] == "city":
        where = "Citywide"
    elif row["geography"] == "Unknown":
        where = f"No {precinct_label.lower()} known"
    else:
        where = f"{precinct_label} {row['geography']}"
    direction = "up" if row["current"] > row["prior"] else "down"
    percent = "" if pd.isna(row["percent_change"]) else f" ({row['percent_change']:+.0f} %)"
    return (
        f"{where}: {row['offense']} is {direction} {_WINDOWS[row['window']]}, "
        f"{row['current']:,} against {row['prior']:,} "
        f"{_AGAINST[(row['window'], row['comparison'])]}{percent}"
    )


def how_sure(p_value: float) -> str:
    """Say how seldom chance alone brings so large a change: ``chance alone: 1 in 400``.

    The odds are rounded down to one digit, so that they never claim more than the test; below
    1 in 10,000 they are not told apart, for the test's own assumptions are not that exact.
    """
    if p_value < 1e-4:
        return "chance alone: under 1 in 10,000"
    odds = 1 / p_value
    size = 10 ** int(np.floor(np.log10(odds)))
    return f"chance alone: 1 in {int(odds // size * size):,}"


def first_headlines(
    table: pd.DataFrame,
    nowcasts: pd.DataFrame | None = None,
    most: int = 4,
    false_discovery: float = FALSE_DISCOVERY,
) -> pd.DataFrame:
    """Choose the few changes that a first page tells, without saying one thing twice.

    Parameters
    ----------
    table
        The ``compstat`` table of one book.
    nowcasts
        The ``nowcasts`` table of the week. Given, a fall is told only if it holds with the late
        records that are still expected in it: else it could be the lag of coding.
    most
        How many at most.
    false_discovery
        As for :func:`beyond_noise`.

    Returns
    -------
    DataFrame
        Rows of :func:`beyond_noise`. Weeks and 28 days come before the year to date, which says
        the same from week to week; within these the surest first. Of one place, an offense and
        a total that it is part of are told once a direction; "Unknown" is no place to go to and
        is left to the tables.
    """
    sure = beyond_noise(table, false_discovery)
    worst = sure["p_value"].max()
    sure = sure[~((sure["geography_type"] == "precinct") & (sure["geography"] == "Unknown"))]
    sure = sure.assign(slow=sure["window"] == "year_to_date").sort_values(
        ["slow", "q_value", "p_value"], kind="stable"
    )
    told: list[Any] = []
    heard: list[tuple[str, str, bool]] = []
    for label, row in zip(sure.index, sure.to_dict("records"), strict=True):
        place, rises = f"{row['geography_type']}/{row['geography']}", row["current"] > row["prior"]
        if any(
            place == other and rises == direction and _related(row["offense"], offense)
            for other, offense, direction in heard
        ):
            continue
        if not rises and _lag_explains(row, nowcasts, worst):
            continue
        told.append(label)
        heard.append((place, row["offense"], rises))
        if len(told) == most:
            break
    return sure.loc[told].drop(columns="slow")


def _related(one: str, other: str) -> bool:
    parts, others = set(TOTALS.get(one, (one,))), set(TOTALS.get(other, (other,)))
    return parts <= others or others <= parts


def _lag_explains(row: Mapping[Any, Any], nowcasts: pd.DataFrame | None, worst: float) -> bool:
    """Whether a fall is no longer beyond noise once the records still to come are in."""
    to_come = records_to_come(row, nowcasts)
    if to_come <= 0:
        return False
    lengths = [
        days(_date(row[f"{side}_start"]), _date(row[f"{side}_end"]))
        for side in ("current", "prior")
    ]
    then = int(row["current"]) + round(to_come)
    if then >= row["prior"]:
        return True
    p_value = e_tests([then], [int(row["prior"])], [lengths[0]], [lengths[1]])[0]
    return bool(p_value > worst)


def records_to_come(row: Mapping[Any, Any], nowcasts: pd.DataFrame | None) -> float:
    """How many records of a window are still expected to come in late.

    Parameters
    ----------
    row
        ``geography_type, geography, offense, current_start, current_end``.
    nowcasts
        The ``nowcasts`` table: of its spans ``week_1`` to ``week_4`` those count whose middle day
        lies in the window. A total without rows of its own is the sum of its parts; a place
        without any takes the city's share of its offense.

    Returns
    -------
    float
        Offenses; 0 where nothing is known of late records.
    """
    if nowcasts is None or nowcasts.empty:
        return 0.0
    weekly = nowcasts[nowcasts["span"].astype(str).str.startswith("week_")]
    weekly = weekly[weekly["expected_final"].notna()]
    # A total that is not nowcast itself is the sum of its parts.
    itself = weekly["offense"] == row["offense"]
    parts = weekly["offense"].isin(TOTALS.get(row["offense"], ()))
    weekly = weekly[itself if itself.any() else parts]
    middle = weekly["first_day"] + (weekly["last_day"] - weekly["first_day"]) / 2
    weekly = weekly[(middle >= row["current_start"]) & (middle <= row["current_end"])]
    city = weekly[weekly["geography_type"] == "city"]
    own = city
    if row["geography_type"] != "city":
        own = weekly[
            (weekly["geography_type"] == row["geography_type"])
            & (weekly["geography"].astype(str) == str(row["geography"]))
        ]
    if len(own):
        late = own["expected_final"].astype(float) - own["reported"].astype(float)
        return float(late.clip(lower=0).sum())
    reported = float(city["reported"].astype(float).sum())
    if reported <= 0:
        return 0.0
    share = float(city["expected_final"].astype(float).sum()) / reported - 1
    length = days(_date(row["current_start"]), _date(row["current_end"]))
    spanned = min(7 * city["first_day"].nunique(), length)
    return max(share, 0.0) * float(row["current"]) * spanned / length


def _date(value: Any) -> dt.date:
    date: dt.date = pd.Timestamp(value).date()
    return date
