"""The CompStat table of one book: counts, comparisons, tests, for the city and its parts."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from beatbook.compstat.change import e_tests, false_discovery_q, percent_change
from beatbook.compstat.counts import (
    UNKNOWN,
    comparable_precinct,
    counted_day,
    precincts_in_force,
)
from beatbook.compstat.coverage import coverage, covers, known_by
from beatbook.compstat.windows import Window, compstat_windows, days
from beatbook.department import Department
from beatbook.offenses import ROWS, TOTALS, UNMAPPED

NOT_COVERED = "not covered"
NOT_COMPARABLE = "not comparable"


def compstat_table(
    incidents: pd.DataFrame, department: Department, week_ending: dt.date, as_of: dt.date
) -> pd.DataFrame:
    """Work out the CompStat table of one week as of one day.

    Parameters
    ----------
    incidents
        Columns ``occurred_from, reported_at, known_on, precinct, offense, count``.
    department
        Which date counts, week, leap day, year-ago convention, precincts and redistrictings.
    week_ending
        Last day of the week (:func:`beatbook.compstat.coverage.book_dates` settles it).
    as_of
        Only records with ``known_on`` up to this day are used.

    Returns
    -------
    DataFrame
        The ``compstat`` table. Counts are net (sums of ``count``). A window that the feed does
        not cover is missing, not zero. For a precinct, a comparison that reaches back over a
        redistricting has no prior figure and is noted as not comparable. The change has a
        two-sided Poisson E-test with exposures in days (Krishnamoorthy and Thomson 2004) and a
        q-value by Benjamini and Hochberg over all tests of the table; both are missing where
        the test is undefined (no offense in either window, or a negative net count).
    """
    known = known_by(incidents, as_of)
    windows = compstat_windows(week_ending, department.year_ago, department.week_start)
    first_day = min(window.prior_start for window in windows)
    day = counted_day(known, department)
    recent = known[(day >= pd.Timestamp(first_day)) & (day <= pd.Timestamp(week_ending))]
    daily = _daily(recent, department, week_ending)
    spans = coverage(known["known_on"], department)
    geographies = _geographies(department, week_ending)
    offenses = [*ROWS, *TOTALS]
    if (daily["offense"] == UNMAPPED).any():
        offenses.append(UNMAPPED)
    table = pd.concat(
        [
            _window_rows(daily, window, department, geographies, offenses, spans)
            for window in windows
        ],
        ignore_index=True,
    )
    table["percent_change"] = percent_change(_floats(table["current"]), _floats(table["prior"]))
    table["p_value"] = e_tests(
        _floats(table["current"]),
        _floats(table["prior"]),
        table["current_days"].to_numpy(float),
        table["prior_days"].to_numpy(float),
    )
    table["q_value"] = false_discovery_q(table["p_value"].to_numpy())
    table.insert(0, "department", department.slug)
    table.insert(1, "week_ending", pd.Timestamp(week_ending))
    table.insert(2, "as_of", pd.Timestamp(as_of))
    order = pd.MultiIndex.from_product([geographies, offenses])
    places = order.get_indexer(pd.MultiIndex.from_frame(table[["geography_key", "offense"]]))
    table = table.assign(place=places).sort_values("place", kind="stable", ignore_index=True)
    return table.drop(columns=["geography_key", "place", "current_days", "prior_days"])


def _geographies(department: Department, week_ending: dt.date) -> list[tuple[str, str]]:
    precincts = [*precincts_in_force(department, week_ending), UNKNOWN]
    return [("city", department.city), *(("precinct", code) for code in precincts)]


def _daily(recent: pd.DataFrame, department: Department, week_ending: dt.date) -> pd.DataFrame:
    """Net counts by day, geography and offense; small, so that each window is a plain sum."""
    counted = pd.DataFrame(
        {
            "day": counted_day(recent, department),
            "precinct": comparable_precinct(recent, department, week_ending),
            "offense": recent["offense"].astype(object),
            "count": recent["count"],
        }
    )
    if department.leap_day == "exclude":
        counted = counted[~((counted["day"].dt.month == 2) & (counted["day"].dt.day == 29))]
    return counted.groupby(["day", "precinct", "offense"])["count"].sum().reset_index()


def _window_rows(
    daily: pd.DataFrame,
    window: Window,
    department: Department,
    geographies: list[tuple[str, str]],
    offenses: list[str],
    spans: list,
) -> pd.DataFrame:
    current_covered = covers(spans, window.current_start, window.current_end)
    prior_covered = covers(spans, window.prior_start, window.prior_end)
    crosses = any(
        window.prior_start < start <= window.current_end for start in department.redistricted_on
    )
    current = _sums(daily, window.current_start, window.current_end)
    prior = _sums(daily, window.prior_start, window.prior_end)
    rows = []
    for kind, name in geographies:
        comparable = kind == "city" or not crosses
        for offense in offenses:
            if not (current_covered and prior_covered):
                note = NOT_COVERED
            else:
                note = "" if comparable else NOT_COMPARABLE
            rows.append(
                {
                    "geography_key": (kind, name),
                    "geography_type": kind,
                    "geography": name,
                    "offense": offense,
                    "window": window.name,
                    "comparison": window.comparison,
                    "current_start": pd.Timestamp(window.current_start),
                    "current_end": pd.Timestamp(window.current_end),
                    "prior_start": pd.Timestamp(window.prior_start),
                    "prior_end": pd.Timestamp(window.prior_end),
                    "current": _net(current, kind, name, offense) if current_covered else None,
                    "prior": _net(prior, kind, name, offense)
                    if prior_covered and comparable
                    else None,
                    "note": note,
                    "current_days": days(
                        window.current_start, window.current_end, department.leap_day
                    ),
                    "prior_days": days(window.prior_start, window.prior_end, department.leap_day),
                }
            )
    frame = pd.DataFrame(rows)
    return frame.astype({"current": "Int64", "prior": "Int64"})


def _sums(daily: pd.DataFrame, start: dt.date, end: dt.date) -> dict[tuple[str, str], int]:
    within = (daily["day"] >= pd.Timestamp(start)) & (daily["day"] <= pd.Timestamp(end))
    sums: dict[Any, Any] = daily[within].groupby(["precinct", "offense"])["count"].sum().to_dict()
    return {(str(place), str(offense)): int(n) for (place, offense), n in sums.items()}


def _net(sums: dict[tuple[str, str], int], kind: str, name: str, offense: str) -> int:
    parts = TOTALS.get(offense, (offense,))
    return sum(
        n
        for (place, what), n in sums.items()
        if what in parts and (kind == "city" or place == name)
    )


def _floats(counts: pd.Series) -> np.ndarray:
    return counts.to_numpy(dtype=float, na_value=np.nan)
