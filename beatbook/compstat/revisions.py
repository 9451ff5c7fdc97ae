"""What the last book said, and what the same windows say now that more is known."""

import datetime as dt

import pandas as pd

from beatbook.compstat.counts import precincts_in_force
from beatbook.compstat.coverage import BookDates, as_of_then, book_dates, known_by
from beatbook.compstat.table import compstat_table
from beatbook.department import Department
from beatbook.errors import BookError, InvalidInput
from beatbook.offenses import ROWS, TOTALS

COLUMNS = (
    "book_week_ending", "book_as_of", "as_of", "geography_type", "geography", "offense", "window",
    "first_day", "last_day", "then", "now", "difference", "note",
)  # fmt: skip
SAME_DAY = "made of the same records"


def last_book(
    known_on: pd.Series, department: Department, week_ending: dt.date, as_of: dt.date
) -> BookDates | None:
    """Find the last book that was made of fewer records than this one.

    Parameters
    ----------
    known_on
        The known days of all records of the feed.
    department
        Its week and what its feed covers.
    week_ending, as_of
        Of this book.

    Returns
    -------
    BookDates or None
        The latest earlier week whose book, as of its own day
        (:func:`beatbook.compstat.coverage.as_of_then`), knew less than this one does. For a feed
        of days that is the week before; where a feed comes once a month, several weeks share one
        as-of day and the books between differ in no record, so it is the last week of the month
        before. None where the feed begins later, or no such week was covered.
    """
    known = known_on[known_on <= pd.Timestamp(as_of)]
    first = known.min()
    end = week_ending - dt.timedelta(days=7)
    while pd.Timestamp(end) >= first:
        then = as_of_then(known, department, end)
        if then < as_of:
            try:
                return book_dates(known, department, end, then)
            except BookError:
                return None
        end -= dt.timedelta(days=7)
    return None


def revisions(
    incidents: pd.DataFrame,
    department: Department,
    week_ending: dt.date,
    as_of: dt.date,
    previous: pd.DataFrame | None = None,
    precinct: str | None = None,
) -> pd.DataFrame:
    """Set what the last book said against what is known now of the same windows.

    Parameters
    ----------
    incidents
        Those known by ``as_of``: ``occurred_from, reported_at, known_on, precinct, offense,
        count``. A feed that overwrites its records in place holds no trace of what it said
        before; hand over ``previous`` then.
    department
        As for :func:`beatbook.compstat.table.compstat_table`.
    week_ending, as_of
        Of this book.
    previous
        The ``compstat`` table that the last book was published with. Without it the last book is
        made again as of its own day (:func:`last_book`).
    precinct
        A precinct's code; the city by default.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row an offense (CompStat rows, then totals) and window of the *last* book:
        its week, its 28 days, its year to date. ``then`` and ``now`` are net offenses (Int64),
        missing where the feed did not or does not cover the window; ``difference`` is now less
        then. Figures can fall too: records are canceled and recoded. ``note`` is "made of the
        same records" where both stand as of one day, else empty. No rows where there is no
        earlier book, or the precinct was not in force in its week.

    Raises
    ------
    InvalidInput
        If ``previous`` is not the table of one earlier week.
    """
    if previous is None:
        dates = last_book(incidents["known_on"], department, week_ending, as_of)
    else:
        dates = _dates_of(previous, week_ending)
    if dates is None:
        return pd.DataFrame(columns=list(COLUMNS))
    if precinct is not None and precinct not in precincts_in_force(department, dates.week_ending):
        return pd.DataFrame(columns=list(COLUMNS))
    if previous is None:
        previous = compstat_table(incidents, department, *dates)
    now = compstat_table(known_by(incidents, as_of), department, dates.week_ending, as_of)
    sides = [_figures(table, precinct) for table in (previous, now)]
    both = sides[0].merge(
        sides[1], on=["offense", "window"], suffixes=("_then", ""), validate="1:1"
    )
    out = pd.DataFrame(
        {
            "book_week_ending": pd.Timestamp(dates.week_ending),
            "book_as_of": pd.Timestamp(dates.as_of),
            "as_of": pd.Timestamp(as_of),
            "geography_type": "city" if precinct is None else "precinct",
            "geography": department.city if precinct is None else precinct,
            "offense": both["offense"],
            "window": both["window"],
            "first_day": both["current_start"],
            "last_day": both["current_end"],
            "then": both["current_then"].astype("Int64"),
            "now": both["current"].astype("Int64"),
        }
    )
    out["difference"] = out["now"] - out["then"]
    out["note"] = SAME_DAY if dates.as_of == as_of else ""
    return out.loc[:, list(COLUMNS)]


def _dates_of(previous: pd.DataFrame, week_ending: dt.date) -> BookDates:
    days = previous[["week_ending", "as_of"]].drop_duplicates()
    if len(days) != 1 or not days["week_ending"].iloc[0] < pd.Timestamp(week_ending):
        raise InvalidInput(
            f"previous holds {len(days)} books, or none from before {week_ending}: give the "
            "compstat table of one earlier week."
        )
    return BookDates(*(day.date() for day in days.iloc[0]))


def _figures(table: pd.DataFrame, precinct: str | None) -> pd.DataFrame:
    """One figure an offense and window: the current one, which both comparisons repeat."""
    kind = "city" if precinct is None else "precinct"
    rows = table[(table["geography_type"] == kind) & (table["comparison"] == "prior_year")]
    if precinct is not None:
        rows = rows[rows["geography"] == precinct]
    rows = rows[rows["offense"].isin([*ROWS, *TOTALS])]
    return rows[["offense", "window", "current_start", "current_end", "current"]]
