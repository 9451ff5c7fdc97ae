"""What a reader must know beside the figures, in sentences made from the data."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from beatbook.compstat.counts import counted_day
from beatbook.compstat.table import NOT_COMPARABLE, NOT_COVERED
from beatbook.department import Department
from beatbook.offenses import PART_ONE, UNMAPPED


class Share(NamedTuple):
    """A part of a whole, as counts."""

    part: int
    whole: int

    def __str__(self) -> str:
        percent = 100 * self.part / self.whole if self.whole else 0.0
        return f"{self.part:,} of {self.whole:,} ({percent:.1f} %)"


def caveats(
    incidents: pd.DataFrame,
    rejected: pd.DataFrame,
    table: pd.DataFrame,
    department: Department,
    week_ending: dt.date,
    as_of: dt.date,
    queue: pd.DataFrame | None = None,
) -> list[str]:
    """Say what the figures leave out and how they will still move.

    Parameters
    ----------
    incidents
        Those known by ``as_of``; corrected ones are told where ``corrected_fields`` is a column.
    rejected
        The ``rejected_incidents`` table; of files that no known incident came from, none counts.
    table
        The ``compstat`` table of the book.
    department, week_ending, as_of
        Of the book.
    queue
        The steward's ``quality_queue``, to tell the share of records that wait for a decision;
        nothing is said of it if not given.

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
    lines = [*late_coding(department, week_ending, as_of)]
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
    counted = incidents[_in_any_window(day, table)]
    lines += [*corrected(counted), *in_question(counted, queue)]
    lines += windows_left_empty(table, department)
    return lines


def corrected(incidents: pd.DataFrame) -> list[str]:
    """Say how many records the steward corrected, and in which fields; nothing if none."""
    if "corrected_fields" not in incidents:
        return []
    fields = incidents["corrected_fields"].dropna()
    if fields.empty:
        return []
    counts = fields.str.split(" ").explode().value_counts()
    told = ", ".join(f"{field} in {n:,}" for field, n in sorted(counts.items()))
    return [
        f"The data steward corrected {Share(len(fields), len(incidents))} records that these "
        f"figures count ({told}). The published values are kept in the table corrections."
    ]


def in_question(incidents: pd.DataFrame, queue: pd.DataFrame | None) -> list[str]:
    """Say what share of records waits for the steward's decision; nothing without a queue."""
    if queue is None:
        return []
    waiting = queue[queue["state"].isin(["new", "assigned"])]
    asked = int(incidents["record_id"].isin(set(waiting["record_key"])).sum())
    if asked == 0:
        return ["No record that these figures count waits for a decision of the data steward."]
    return [
        f"{Share(asked, len(incidents))} records that these figures count wait for a decision of "
        "the data steward: a check asks whether they are right. They are counted as published."
    ]


def _in_any_window(day: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Whether a day lies in a window that the table counts, or in one that it compares with."""
    inside = pd.Series(False, index=day.index)
    spans = pd.concat(
        [
            table[[f"{side}_start", f"{side}_end"]].set_axis(["start", "end"], axis=1)
            for side in ("current", "prior")
        ]
    ).drop_duplicates()
    for start, end in spans.itertuples(index=False, name=None):
        inside |= (day >= start) & (day <= end)
    return inside


def _usable(incidents: pd.DataFrame) -> pd.Series:
    return incidents["location_quality"].isin(["exact", "block"])


def late_coding(department: Department, week_ending: dt.date, as_of: dt.date) -> list[str]:
    """Say how much of the last weeks is still to be coded; nothing where no setting tells."""
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


def windows_left_empty(table: pd.DataFrame, department: Department) -> Sequence[str]:
    """Say which windows of a ``compstat`` table are empty, and why; the city must be in it."""
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
