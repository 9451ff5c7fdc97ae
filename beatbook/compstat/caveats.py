"""What a reader must know beside the figures, in sentences made from the data."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from beatbook.compstat.counts import counted_day
from beatbook.compstat.table import NOT_COMPARABLE, NOT_COVERED
from beatbook.department import Department
from beatbook.offenses import PART_ONE, UNMAPPED

SMALL_BASE = 10
"""A change is told as a headline only where the larger of the two counts is at least this: below
it a single incident moves the percentage by ten points or more."""


class Share(NamedTuple):
    """A part of a whole, as counts."""

    part: int
    whole: int

    def __str__(self) -> str:
        percent = 100 * self.part / self.whole if self.whole else 0.0
        return f"{self.part:,} of {self.whole:,} ({percent:.1f} %)"


def headlines(table: pd.DataFrame, precinct_label: str, false_discovery: float = 0.05) -> list[str]:
    """Say in sentences which changes of a book lie beyond ordinary noise.

    Parameters
    ----------
    table
        The ``compstat`` table of one book.
    precinct_label
        What the department calls its precincts.
    false_discovery
        The share of the sentences that may be false alarms (Benjamini-Hochberg over all tests).

    Returns
    -------
    list of str
        One a change, the surest first; a change whose larger count is under ``SMALL_BASE`` is
        left out. Empty when nothing has changed beyond noise.
    """
    larger = table[["current", "prior"]].max(axis=1)
    sure = table[(table["q_value"] < false_discovery) & (larger >= SMALL_BASE)]
    windows = {"week": "this week", "28_days": "in the last 28 days", "year_to_date": "this year"}
    against = {
        ("week", "prior_period"): "the week before",
        ("week", "prior_year"): "the same week a year ago",
        ("28_days", "prior_period"): "the 28 days before",
        ("28_days", "prior_year"): "the same 28 days a year ago",
        ("year_to_date", "prior_year"): "the same part of last year",
    }
    sentences = []
    ordered = sure.sort_values(["q_value", "p_value"], kind="stable")
    for row in ordered.to_dict("records"):
        if row["geography_type"] == "city":
            where = "Citywide"
        elif row["geography"] == "Unknown":
            where = f"No {precinct_label.lower()} known"
        else:
            where = f"{precinct_label} {row['geography']}"
        direction = "up" if row["current"] > row["prior"] else "down"
        percent = "" if pd.isna(row["percent_change"]) else f" ({row['percent_change']:+.0f} %)"
        sentences.append(
            f"{where}: {row['offense']} is {direction} {windows[row['window']]}, "
            f"{row['current']:,} against {row['prior']:,} "
            f"{against[(row['window'], row['comparison'])]}{percent}."
        )
    return sentences


def caveats(
    incidents: pd.DataFrame,
    rejected: pd.DataFrame,
    table: pd.DataFrame,
    department: Department,
    week_ending: dt.date,
    as_of: dt.date,
) -> list[str]:
    """Say what the figures leave out and how they will still move.

    Parameters
    ----------
    incidents
        Those known by ``as_of``.
    rejected
        The ``rejected_incidents`` table; of files that no known incident came from, none counts.
    table
        The ``compstat`` table of the book.
    department, week_ending, as_of
        Of the book.

    Returns
    -------
    list of str
        Whole sentences, each with its figure.
    """
    precinct = department.areas.precinct.label.lower()
    day = counted_day(incidents, department)
    start = pd.Timestamp(week_ending) - pd.Timedelta(days=6)
    week = incidents[(day >= start) & (day <= pd.Timestamp(week_ending))]
    part_one = week[week["offense"].isin(PART_ONE)]
    # A file of which nothing was known yet had no rows to refuse either.
    rejected = rejected[rejected["source_file"].isin(incidents["source_file"].unique())]
    total = len(incidents) + len(rejected)
    lines = [*_late_coding(department, week_ending, as_of)]
    if len(rejected):
        lines.append(
            f"{Share(len(rejected), total)} rows of the feed could not be read and are in no "
            "count; each is in the table rejected_incidents with its reason."
        )
    else:
        lines.append(
            f"All {total:,} rows of the feed known by {as_of} are counted; none was refused."
        )
    unmapped = int((week["offense"] == UNMAPPED).sum())
    if unmapped:
        lines.append(
            f"{unmapped:,} records of the week carry an offense code that offenses.csv does not "
            "list; they stand under Unmapped."
        )
    lines.append(
        f"Location: {Share(int((~_usable(part_one)).sum()), len(part_one))} Part I records of the "
        "week have no point that a map may use (missing, withheld, outside the city, or a default "
        "location). They are in every count. Sex offenses never carry a point."
    )
    unknown = int(part_one["precinct"].isna().sum())
    lines.append(
        f"{department.areas.precinct.label}: {Share(unknown, len(part_one))} Part I records of the "
        f"week carry no {precinct}; they count for the city and under Unknown, so that the parts "
        "add up."
    )
    disagree = int(part_one["precinct_disagrees"].sum())
    if disagree:
        lines.append(
            f"{Share(disagree, len(part_one))} Part I records of the week name one {precinct} and "
            "lie in another on the map; they count where the record says."
        )
    lines += _windows_left_empty(table, department)
    return lines


def _usable(incidents: pd.DataFrame) -> pd.Series:
    return incidents["location_quality"].isin(["exact", "block"])


def _late_coding(department: Department, week_ending: dt.date, as_of: dt.date) -> list[str]:
    late = department.book.late_coding
    if late is None:
        return []
    weeks_since = max(0, (as_of - week_ending).days // 7)
    shares = late.weeks[weeks_since:]
    if not shares:
        return [
            f"The week ended {(as_of - week_ending).days} days before the as-of day; few records "
            "of it are still to be coded."
        ]
    told = ", ".join(
        f"{100 * share:.0f} % ({_weeks_before(place)})" for place, share in enumerate(shares)
    )
    return [
        "Still likely to rise: records are coded late. As of a month's end the weeks hold on "
        f"average this share of their eventual Part I count: {told}. A fall against settled "
        f"earlier weeks is partly this lag ({late.source})."
    ]


def _weeks_before(place: int) -> str:
    named = ("this book's week", "the week before")
    return named[place] if place < len(named) else f"{place} weeks before"


def _windows_left_empty(table: pd.DataFrame, department: Department) -> Sequence[str]:
    lines = []
    # Every geography has the same windows; the city's prior figure is never withheld.
    uncovered = table[(table["note"] == NOT_COVERED) & (table["geography_type"] == "city")]
    spans = {
        (start, end)
        for side in ("current", "prior")
        for start, end in uncovered.loc[
            uncovered[side].isna(), [f"{side}_start", f"{side}_end"]
        ].itertuples(index=False, name=None)
    }
    if spans:
        told = "; ".join(f"{start:%Y-%m-%d} to {end:%Y-%m-%d}" for start, end in sorted(spans))
        lines.append(f"Not covered by the feed, and so left empty rather than zero: {told}.")
    if (table["note"] == NOT_COMPARABLE).any():
        precinct = department.areas.precinct.label
        starts = ", ".join(str(start) for start in department.redistricted_on)
        lines.append(
            f"{precinct}s were redrawn on {starts}: a comparison that reaches back over that day "
            f"is not made for a {precinct.lower()}, since the same number means another place."
        )
    return lines
