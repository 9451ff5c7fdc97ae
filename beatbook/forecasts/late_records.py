"""What a book says of records that are still to come: expected final counts, like for like."""

import datetime as dt

import pandas as pd

from beatbook.compstat.coverage import coverage, covers
from beatbook.department import Department
from beatbook.errors import InvalidInput
from beatbook.forecasts.nowcast import nowcast, same_age
from beatbook.offenses import PART_ONE

TOTAL = "Total Part I"
DAYS = 28


def nowcast_rows(incidents: pd.DataFrame, department: Department, as_of: dt.date) -> pd.DataFrame:
    """Estimate the eventual Part I counts of the 28 days up to the as-of day.

    Parameters
    ----------
    incidents
        Those known by ``as_of``: ``occurred_from, known_on, offense, count``.
    department
        Says which days its feed covers.
    as_of
        The day of the book.

    Returns
    -------
    DataFrame
        One row an offense and the total: ``offense, first_day, last_day, reported,
        expected_final, interval`` (80 %, as text), ``prior`` and ``change``: the same days a year
        ago as they stood then, and the change to the reported figure as a share. The last two are
        missing where the feed does not cover that year. No rows at all where under a year of
        history is known, from which nothing can be said of late records, or where the department
        counts by report: a report is not late in that sense.
    """
    none = pd.DataFrame()
    if department.count_by == "report":
        return none
    part_one = incidents[incidents["offense"].isin(PART_ONE)]
    now = pd.Timestamp(as_of)
    try:
        parts = nowcast(part_one, now, spans=((0, DAYS),), by=["offense"])
        whole = nowcast(part_one, now, spans=((0, DAYS),)).assign(offense=TOTAL)
    except InvalidInput:
        # Too little is known yet; the book then says nothing rather than something unsure.
        return none
    rows = pd.concat([parts, whole], ignore_index=True)
    if rows["expected_final"].isna().any():
        return none
    spans = [
        f"{low:,.0f} to {high:,.0f}" for low, high in zip(rows["lo_80"], rows["hi_80"], strict=True)
    ]
    rows = rows.assign(interval=spans)
    before = (now - pd.DateOffset(years=1)).normalize()
    start = before - pd.Timedelta(days=DAYS - 1)
    if covers(coverage(part_one["known_on"], department), start.date(), before.date()):
        like = pd.concat(
            [
                same_age(part_one, now, before, days=DAYS, by=["offense"]),
                same_age(part_one, now, before, days=DAYS).assign(offense=TOTAL),
            ]
        ).set_index("offense")
        rows["prior"] = rows["offense"].map(like["prior"]).astype("Int64")
        rows["change"] = rows["offense"].map(like["change"]).astype("float64")
    else:
        rows["prior"] = pd.array([pd.NA] * len(rows), dtype="Int64")
        rows["change"] = float("nan")
    order = {offense: place for place, offense in enumerate((*PART_ONE, TOTAL))}
    rows = rows.sort_values("offense", key=lambda names: names.map(order)).reset_index(drop=True)
    kept = ["offense", "first_day", "last_day", "reported", "expected_final", "interval"]
    return rows[[*kept, "prior", "change"]]
