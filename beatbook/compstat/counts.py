"""Net counts: by precinct, offense and week, over the days the feed covers."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from beatbook.areas import area_codes, code_order
from beatbook.compstat.change import noise_band
from beatbook.compstat.coverage import coverage, covered_weeks
from beatbook.compstat.windows import week_ending_on_or_before
from beatbook.department import Department
from beatbook.offenses import TOTALS

UNKNOWN = "Unknown"


def counted_day(incidents: pd.DataFrame, department: Department) -> pd.Series:
    """The day each record counts on: of occurrence or of report, as the settings say.

    A record without a report time counts on the day it was known, when a department counts by
    report.
    """
    if department.count_by == "occurrence":
        return incidents["occurred_from"].dt.normalize()
    return incidents["reported_at"].fillna(incidents["known_on"]).dt.normalize()


def precincts_in_force(department: Department, day: dt.date) -> list[str]:
    """The precinct codes in force on a day, as people order them."""
    codes = area_codes(department, "precinct")
    stamp = pd.Timestamp(day)
    held = codes[(codes["valid_from"] <= stamp) & (stamp < codes["valid_to"])]
    return sorted(held["code"], key=code_order)


def comparable_precinct(incidents: pd.DataFrame, department: Department, day: dt.date) -> pd.Series:
    """The precinct of each record in the division that holds on ``day``, else Unknown.

    A record that was coded under another division carries a code that means another place,
    even where the number is the same; it counts for the city and under Unknown, so that the
    parts always add up to the whole.
    """
    starts = [pd.Timestamp(start) for start in department.redistricted_on]
    later = [start for start in starts if start > pd.Timestamp(day)]
    begun = [start for start in starts if start <= pd.Timestamp(day)]
    same = pd.Series(True, index=incidents.index)
    if begun:
        same &= incidents["known_on"] >= begun[-1]
    if later:
        same &= incidents["known_on"] < later[0]
    codes = precincts_in_force(department, day)
    listed = incidents["precinct"].isin(codes)
    return incidents["precinct"].where(same & listed, UNKNOWN).astype(object)


def daily_counts(incidents: Path) -> pd.DataFrame:
    """Sum a Parquet file of incidents by day, without reading its rows into memory.

    Parameters
    ----------
    incidents
        A file that conforms to the ``incidents`` table.

    Returns
    -------
    DataFrame
        ``occurred_from, reported_at, known_on`` (all as days), ``precinct, offense, count``: what
        :func:`weekly_counts` takes, one row a combination instead of one a record.
    """
    import duckdb

    with duckdb.connect() as connection:
        return connection.execute(
            "SELECT date_trunc('day', occurred_from)::TIMESTAMP AS occurred_from, "
            "date_trunc('day', reported_at)::TIMESTAMP AS reported_at, known_on, "
            "precinct, offense, sum(count)::BIGINT AS count FROM read_parquet(?) GROUP BY ALL",
            [str(incidents)],
        ).df()


def weekly_counts(incidents: pd.DataFrame, department: Department) -> pd.DataFrame:
    """Count net offenses by precinct, offense and week.

    Parameters
    ----------
    incidents
        Columns ``occurred_from, reported_at, known_on, precinct, offense, count``; limit them
        with :func:`beatbook.compstat.coverage.known_by` for counts as of a day.
    department
        Whose weeks, and by which date they count.

    Returns
    -------
    DataFrame
        The ``weekly_counts`` table: every week that the feed covers whole, every precinct and
        offense seen; a week without any is a row with 0, because a missing one would read as
        "no data". A net count can be negative, where a week's records were canceled without
        the records themselves falling in it. Precincts carry the code of their time.
    """
    ends = covered_weeks(coverage(incidents["known_on"], department), department)
    weeks = [pd.Timestamp(end - dt.timedelta(days=6)) for end in ends]
    day = counted_day(incidents, department)
    offset = week_ending_on_or_before(dt.date(2024, 1, 14), department.week_start).weekday()
    # Days since the week's first day, from the weekday its last day falls on.
    week = day - pd.to_timedelta((day.dt.day_of_week - offset - 1) % 7, unit="D")
    counted = (
        incidents.assign(week=week, precinct=incidents["precinct"].fillna(UNKNOWN))
        .groupby(["precinct", "offense", "week"])["count"]
        .sum()
    )
    sides: list[Any] = [
        sorted(set(counted.index.get_level_values(0)) | {UNKNOWN}, key=code_order),
        sorted(set(counted.index.get_level_values(1))),
        weeks,
    ]
    grid = pd.MultiIndex.from_product(sides, names=["precinct", "offense", "week"])
    return counted.reindex(grid, fill_value=0).rename("incidents").reset_index()


def weekly_series(
    counts: pd.DataFrame,
    offense: str,
    week_ending: dt.date,
    weeks: int = 104,
    precinct: str | None = None,
) -> pd.DataFrame:
    """One offense's weekly counts up to a week, with the band of ordinary noise.

    Parameters
    ----------
    counts
        The ``weekly_counts`` table.
    offense
        A CompStat row, or one of the totals.
    week_ending
        Last day of the last week shown.
    weeks
        How many weeks; two years by default, so that a season can be seen twice.
    precinct
        Only this one; the city by default.

    Returns
    -------
    DataFrame
        ``week, incidents, mean, low, high, outside``: the band is around the mean of the eight
        weeks before (:func:`beatbook.compstat.change.noise_band`).
    """
    offenses = TOTALS.get(offense, (offense,))
    chosen = counts[counts["offense"].isin(offenses)]
    if precinct is not None:
        chosen = chosen[chosen["precinct"] == precinct]
    start = pd.Timestamp(week_ending) - pd.Timedelta(days=6)
    every_week = pd.Index(counts["week"].unique(), name="week").sort_values()
    series = chosen.groupby("week")["incidents"].sum().reindex(every_week, fill_value=0)
    series = series[series.index <= start]
    # The band needs eight weeks before the first one shown, and whole weeks without a gap.
    run = _unbroken(series)
    band = noise_band(run.to_numpy())
    out = pd.concat([run.reset_index(), band.reset_index(drop=True)], axis=1)
    return out.tail(weeks).reset_index(drop=True)


def _unbroken(series: pd.Series) -> pd.Series:
    """The last run of weeks without a gap: a band must not reach across one."""
    gaps = series.index.to_series().diff() > pd.Timedelta(days=7)
    return series[gaps.cumsum().to_numpy() == gaps.sum()]


def area_counts(
    incidents: pd.DataFrame,
    department: Department,
    kind: str,
    start: dt.date,
    end: dt.date,
    offenses: Sequence[str],
) -> pd.Series:
    """Net offenses between two days by area; records without one under Unknown.

    Returns
    -------
    Series
        Net count by code of the area.
    """
    day = counted_day(incidents, department)
    within = (day >= pd.Timestamp(start)) & (day <= pd.Timestamp(end))
    chosen = incidents[within & incidents["offense"].isin(list(offenses))]
    return chosen.groupby(chosen[kind].fillna(UNKNOWN))["count"].sum()
