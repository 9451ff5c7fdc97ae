"""Where the share of a city's offenses rose or fell, by area, beyond what chance gives."""

import datetime as dt
from collections.abc import Sequence

import pandas as pd

from beatbook.compstat.counts import area_counts, counted_day
from beatbook.compstat.coverage import coverage, covers, known_by
from beatbook.compstat.windows import compstat_windows
from beatbook.department import Department
from beatbook.errors import InvalidInput
from beatbook.hotspots.change import share_difference
from beatbook.hotspots.weekly import LAYER_OFFENSES, SEX_OFFENSES, TOTAL
from beatbook.offenses import PART_ONE

LEVEL = 0.05
CHANGE_OFFENSES = (TOTAL, *(offense for offense in LAYER_OFFENSES if offense != TOTAL))
"""The total first: what a reader looks for, and what has the counts to show a change."""

COLUMNS = (
    "offense", "code", "before", "now", "before_share", "now_share", "p", "q", "change",
    "before_start", "before_end", "start", "end", "elsewhere",
)  # fmt: skip


def area_change(
    incidents: pd.DataFrame,
    department: Department,
    kind: str,
    codes: Sequence[str],
    week_ending: dt.date,
    as_of: dt.date,
    offenses: Sequence[str] = CHANGE_OFFENSES,
) -> pd.DataFrame:
    """Test each area's share of the city's offenses against that of a year before.

    Parameters
    ----------
    incidents
        ``occurred_from, reported_at, known_on, offense, count`` and the column of ``kind``.
    department
        By which date incidents count, what its feed covers, what "a year ago" means.
    kind
        precinct, beat or neighborhood.
    codes
        The areas tested, all of them: an area without an incident is a row of zeros.
    week_ending, as_of
        The 28 days up to the week's end, as known by ``as_of``, are set against the same 28 days
        a year before, as known as long after *their* end: both with as many late records missing.
    offenses
        CompStat rows and Total Part I; sex offenses are in none of them.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row an offense and area: net offenses of both periods (below zero taken as
        0), shares of all in ``codes``, chi-square (N - 1) p, ``q`` (Benjamini-Hochberg over areas
        of one offense), ``change``: rose, fell, or alike at a q below 5 %. ``elsewhere`` is how
        many net offenses of ``now`` lie in none of the areas. An offense without any in one of
        the periods has no rows. No rows at all where the feed does not cover a period, or
        precincts were redrawn between them.

    Raises
    ------
    InvalidInput
        For a kind that is no column, an area listed twice, or a sex offense.

    Notes
    -----
    Shares rather than counts, so that a quiet month, or late records, do not paint the whole city;
    and the area rather than the grid cell, for in 28 days most cells hold none or one and no test
    could find anything. The season is the same in both periods, which it is not in the 28 days
    before. Shares depend on each other, weakly and negatively; the adjustment for any dependence
    (Benjamini-Yekutieli) would cost most of the power and is not needed: of 2,000 simulated pairs
    of periods without a change, over 80 areas of uneven size, 0.7 in 100 showed any area as
    changed with 300 offenses a period, 2.1 with 900 and 2.9 with 1,500.

    Source: Wheeler, Steenbeek and Andresen (2018), Testing for similarity in area-based spatial
    patterns, Transactions in GIS 22.
    """
    if kind not in incidents.columns:
        raise InvalidInput(f"The incidents have no column {kind!r}; use precinct, beat or another.")
    if len(set(codes)) != len(codes):
        raise InvalidInput(f"An area of kind {kind} is listed twice.")
    banned = [offense for offense in offenses if offense in SEX_OFFENSES]
    if banned:
        raise InvalidInput(f"{banned[0]} is not mapped: leave it out of the offenses.")
    window = next(
        w
        for w in compstat_windows(week_ending, department.year_ago, department.week_start)
        if (w.name, w.comparison) == ("28_days", "prior_year")
    )
    then = as_of - (window.current_end - window.prior_end)
    now_known, before_known = known_by(incidents, as_of), known_by(incidents, then)
    empty = pd.DataFrame(columns=list(COLUMNS))
    redrawn = kind == "precinct" and any(
        window.prior_start < start <= window.current_end for start in department.redistricted_on
    )
    whole = all(
        covers(coverage(known["known_on"], department), start, end)
        for known, start, end in (
            (now_known, window.current_start, window.current_end),
            (before_known, window.prior_start, window.prior_end),
        )
    )
    if redrawn or not whole:
        return empty
    spans = ((window.prior_start, window.prior_end), (window.current_start, window.current_end))
    # Cut to their days first: each offense is counted over thousands of rows, not all history.
    held = [
        _of_days(known, department, *span)
        for known, span in zip((before_known, now_known), spans, strict=True)
    ]
    parts = []
    for offense in offenses:
        parts_of = PART_ONE if offense == TOTAL else (offense,)
        wanted = [row for row in parts_of if row not in SEX_OFFENSES]
        before, now = (
            area_counts(rows, department, kind, *span, wanted)
            for rows, span in zip(held, spans, strict=True)
        )
        pair = [
            counts.reindex(list(codes)).fillna(0).clip(lower=0).astype(int)
            for counts in (before, now)
        ]
        if not all(counts.sum() for counts in pair):
            continue
        tested = share_difference(
            pair[0].to_numpy(), pair[1].to_numpy(), adjustment="fdr",
            level=LEVEL,
        ).areas  # fmt: skip
        outside = now.drop(index=[code for code in codes if code in now.index])
        parts.append(
            pd.DataFrame(
                {
                    "offense": offense,
                    "code": list(codes),
                    "before": tested["base"].to_numpy(),
                    "now": tested["test"].to_numpy(),
                    "before_share": tested["base_share"].to_numpy(),
                    "now_share": tested["test_share"].to_numpy(),
                    "p": tested["p"].to_numpy(),
                    "q": tested["q"].to_numpy(),
                    "change": tested["change"].to_numpy(),
                    "before_start": pd.Timestamp(window.prior_start),
                    "before_end": pd.Timestamp(window.prior_end),
                    "start": pd.Timestamp(window.current_start),
                    "end": pd.Timestamp(window.current_end),
                    "elsewhere": int(outside.sum()),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)] if parts else empty


def _of_days(
    incidents: pd.DataFrame, department: Department, start: dt.date, end: dt.date
) -> pd.DataFrame:
    day = counted_day(incidents, department)
    return incidents[(day >= pd.Timestamp(start)) & (day <= pd.Timestamp(end))]
