"""A department's weekly series as its books held them, on any past day."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.compstat.counts import (
    UNKNOWN,
    comparable_precinct,
    counted_day,
    precincts_in_force,
)
from beatbook.compstat.coverage import coverage, covered_weeks, known_by
from beatbook.department import Department
from beatbook.errors import InvalidInput
from beatbook.forecasts.book_days import DAY, BookDays, book_days
from beatbook.forecasts.nowcast import nowcast
from beatbook.forecasts.panel import WEEK
from beatbook.offenses import ROWS, TOTALS, load_offenses

FloatArray = npt.NDArray[np.float64]

CITY = "City"
LONGEST_WEEKS = 520
"""Ten years: older weeks are another city, and every model has forgotten them anyway."""

_GAP_WEEKS = 26
_NOWCAST_DAYS = 56


@dataclass(frozen=True)
class WeekHistory:
    """Net counts by series, week and the day they became known; made by `week_history`.

    ``names`` has a row a series (``unique_id, geography, offense``), in order; ``weeks`` are
    first days, ``covered`` says which of them the feed speaks for. ``records`` holds one row a
    day, known day and series: ``occurred_from`` (the day counted on), ``known_on, series,
    count``.
    """

    names: pd.DataFrame
    weeks: pd.DatetimeIndex
    covered: npt.NDArray[np.bool_]
    records: pd.DataFrame
    totals: dict[str, list[str]]
    days: BookDays
    nowcasting: bool
    kept: dict[pd.Timestamp, pd.DataFrame]

    @property
    def cutoff(self) -> pd.Timestamp:
        """First day of the book's own week, the last one that counts."""
        return self.weeks[-1]

    def counted(self, known_on: pd.Timestamp) -> FloatArray:
        """Return net counts, weeks by series, of what was known by a day."""
        rows = self.records[self.records["known_on"] <= known_on]
        week = ((rows["occurred_from"] - self.weeks[0]) // WEEK).to_numpy(np.int64)
        n = len(self.names)
        cell = week * n + rows["series"].to_numpy(np.int64)
        flat = np.bincount(cell, rows["count"].to_numpy(float), len(self.weeks) * n)
        return np.where(self.covered[:, None], flat.reshape(len(self.weeks), n), np.nan)

    def as_known(self, cutoff: pd.Timestamp) -> pd.DataFrame:
        """Return the series up to a week as that week's book held them, late records expected.

        Parameters
        ----------
        cutoff
            First day of the last week.

        Returns
        -------
        ``unique_id, ds, y``. Weeks under 56 days old hold their nowcast where one can be made
        (`beatbook.forecasts.nowcast`), the others their count; a week not covered is missing.
        Nothing known after that book's day changes any of it.
        """
        if cutoff not in self.kept:
            self.kept[cutoff] = self._as_known(cutoff)
        return self.kept[cutoff]

    def _as_known(self, cutoff: pd.Timestamp) -> pd.DataFrame:
        end = cutoff + 6 * DAY
        book = self.days.of_week(end) if cutoff < self.cutoff else self.days.as_of
        y = self.counted(book)
        at = int((cutoff - self.weeks[0]) // WEEK)
        rows = self.records[
            (self.records["known_on"] <= book) & (self.records["occurred_from"] <= end)
        ]
        young = int((book - end) / DAY)
        ages = [young + 7 * k for k in range(at + 1) if young + 7 * k < _NOWCAST_DAYS]
        if self.nowcasting and ages and len(rows):
            spans = [(age, age + 7) for age in ages]
            expected = nowcast(rows, book, spans=spans, by=["series"])
            for first, part in expected.groupby("first_day"):
                fine = part[part["expected_final"].notna()]
                week = int((pd.Timestamp(str(first)) - self.weeks[0]) // WEEK)
                if self.covered[week]:
                    y[week, fine["series"].to_numpy(np.int64)] = fine["expected_final"]
        return self.long(y[: at + 1])

    def outcomes(self) -> pd.DataFrame:
        """Return the settled weeks as they stand, ``unique_id, ds, y``; later ones are missing."""
        y = self.counted(self.days.as_of)
        fresh = [not self.days.is_settled(week + 6 * DAY) for week in self.weeks]
        y[np.asarray(fresh)] = np.nan
        return self.long(y)

    def long(self, y: FloatArray) -> pd.DataFrame:
        """Write weeks by series as the long table."""
        return pd.DataFrame(
            {
                "unique_id": np.repeat(self.names["unique_id"].to_numpy(), len(y)),
                "ds": np.tile(self.weeks[: len(y)].to_numpy(), len(self.names)),
                "y": y.T.ravel(),
            }
        )


def offenses_of(department: Department) -> list[str]:
    """The CompStat rows that the department's offense map knows, in the book's order."""
    known = set(load_offenses(department)["offense"])
    return [row for row in ROWS if row in known]


def series_name(geography: str, offense: str) -> str:
    """Name a precinct's series; no code can be taken for the city's or split the name."""
    name = geography.replace("/", "-")
    return f"{name} (precinct)/{offense}" if name == CITY else f"{name}/{offense}"


def week_history(
    incidents: pd.DataFrame, department: Department, week_ending: dt.date, as_of: dt.date
) -> WeekHistory:
    """Lay out precinct-by-offense counts by week and by the day they became known.

    Parameters
    ----------
    incidents
        Columns ``occurred_from, reported_at, known_on, precinct, offense, count``.
    department
        By which date its weeks count, its precincts and their redrawings, its offense map.
    week_ending, as_of
        Of the book. Nothing that counts after the week, or became known after the day, is used.

    Returns
    -------
    WeekHistory
        The parts: every precinct in force by every CompStat row of the offense map; records
        without such a precinct are the precinct Unknown (left out if there are none), so that
        parts add up to the city. Weeks start at the last redistricting, at most ten years back,
        and after the last gap of more than half a year in what the feed covers.

    Raises
    ------
    InvalidInput
        If the feed covers no whole week up to ``week_ending`` under the present precincts.
    """
    known = known_by(incidents, as_of)
    first_days = _first_weeks(known, department, week_ending)
    if not first_days:
        raise InvalidInput(
            f"The feed of {department.slug} covers no whole week up to {week_ending} in the "
            "present precincts, so nothing can be forecast."
        )
    weeks = pd.date_range(first_days[0], week_ending - dt.timedelta(days=6), freq="7D", unit="us")
    offenses = offenses_of(department)
    day = counted_day(known, department)
    used = (day >= weeks[0]) & (day <= pd.Timestamp(week_ending)) & known["offense"].isin(offenses)
    rows, day = known[used], day[used]
    precinct = comparable_precinct(rows, department, week_ending)
    places = [p for p in precincts_in_force(department, week_ending) if p != UNKNOWN]
    if (precinct == UNKNOWN).any():
        places.append(UNKNOWN)
    names = pd.DataFrame(
        [(series_name(p, o), p, o) for p in places for o in offenses],
        columns=["unique_id", "geography", "offense"],
    )
    number = {p: i * len(offenses) for i, p in enumerate(places)}
    code = precinct.map(number) + rows["offense"].map({o: i for i, o in enumerate(offenses)})
    single = pd.DataFrame(
        {
            "occurred_from": day,
            "known_on": rows["known_on"].dt.normalize(),
            "series": code.astype("int64"),
            "count": rows["count"],
        }
    )
    records = single.groupby(["occurred_from", "known_on", "series"])["count"].sum().reset_index()
    return WeekHistory(
        names,
        weeks,
        np.asarray(weeks.isin(first_days)),
        records,
        _totals(names, offenses),
        book_days(department, week_ending, as_of),
        department.count_by == "occurrence",
        {},
    )


def _first_weeks(
    known: pd.DataFrame, department: Department, week_ending: dt.date
) -> list[pd.Timestamp]:
    ends = covered_weeks(coverage(known["known_on"], department), department)
    days = [pd.Timestamp(end) - 6 * DAY for end in ends if end <= week_ending]
    redrawn = [pd.Timestamp(d) for d in department.redistricted_on if d <= week_ending]
    earliest = pd.Timestamp(week_ending) - LONGEST_WEEKS * WEEK
    if redrawn:
        earliest = max(earliest, redrawn[-1])
    days = sorted(d for d in days if d >= earliest)
    for i in range(len(days) - 1, 0, -1):
        if days[i] - days[i - 1] > _GAP_WEEKS * WEEK:
            return days[i:]
    return days


def _totals(names: pd.DataFrame, offenses: list[str]) -> dict[str, list[str]]:
    """Name every sum of series: the city's offenses, and the totals of city and precincts."""
    held = {t: [o for o in rows if o in offenses] for t, rows in TOTALS.items()}
    sums = {f"{CITY}/{o}": list(names.loc[names["offense"] == o, "unique_id"]) for o in offenses}
    for total, parts in held.items():
        chosen = names[names["offense"].isin(parts)]
        sums[f"{CITY}/{total}"] = list(chosen["unique_id"])
        for place, part in chosen.groupby("geography", sort=False):
            sums[series_name(str(place), total)] = list(part["unique_id"])
    return {name: parts for name, parts in sums.items() if parts}


def series_places(history: WeekHistory, department: Department) -> pd.DataFrame:
    """Say of which place and offense each series and total is, by ``unique_id``.

    Returns
    -------
    ``geography_type, geography, offense``: city rows bear the city's name.
    """
    rows = {
        row.unique_id: ("precinct", row.geography, row.offense)
        for row in history.names.itertuples(index=False)
    }
    place = history.names.set_index("unique_id")["geography"]
    for name, parts in history.totals.items():
        what = name.split("/", 1)[1]
        city = name.split("/", 1)[0] == CITY
        rows[name] = (
            ("city", department.city, what) if city else ("precinct", place[parts[0]], what)
        )
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=["geography_type", "geography", "offense"]
    )
