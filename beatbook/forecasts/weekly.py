"""Everything that one week's book says of the weeks to come, and of those still coming in."""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from beatbook.department import Department
from beatbook.forecasts.book_days import of_its_own_time
from beatbook.forecasts.ledger import (
    append,
    empty_ledger,
    judged_places,
    judged_series,
    new_entries,
    settle,
)
from beatbook.forecasts.recent_weeks import recent_weeks
from beatbook.forecasts.scorecard import scorecard
from beatbook.forecasts.week_history import week_history
from beatbook.forecasts.weekly_places import weekly_places
from beatbook.forecasts.weekly_series import say_withdrawn, weekly_series
from beatbook.tables import FORECASTS, TABLES

Say = Callable[[str], None]


class WeeklyForecasts(NamedTuple):
    """The tables of one week, and what the ledger is to hold of them.

    ``entries`` go into the ``forecast_scores`` table (`keep_entries`); the others are tables of
    their names.
    """

    forecasts: pd.DataFrame
    nowcasts: pd.DataFrame
    place_forecasts: pd.DataFrame
    place_calibration: pd.DataFrame
    forecast_scorecard: pd.DataFrame
    entries: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the week's own tables by name."""
        return {k: v for k, v in self._asdict().items() if k != "entries"}


def weekly_forecasts(
    incidents: pd.DataFrame,
    department: Department,
    week_ending: dt.date,
    as_of: dt.date,
    say: Say = lambda _message: None,
    *,
    ledger: pd.DataFrame | None = None,
) -> WeeklyForecasts:
    """Forecast a week's coming weeks: how many, where, and what is still coming in.

    Parameters
    ----------
    incidents
        The ``incidents`` table; coordinates in meters of the department's CRS.
    department
        Settings, among them ``forecasts``.
    week_ending, as_of
        Of the book. Nothing that happened after the week enters a forecast, and nothing that
        became known after the day changes anything, bit for bit.
    say
        Told in a few words how far the work is.
    ledger
        The ``forecast_scores`` table as it is; forecasts published before decide what is
        withdrawn. None is an empty one.

    Returns
    -------
    WeeklyForecasts
        Series (`weekly_series.weekly_series`), nowcasts (`recent_weeks.recent_weeks`), places
        (`weekly_places.weekly_places`), the scorecard, and the entries for the ledger. There are
        none where the book is not one of its week's own time
        (`book_days.of_its_own_time`): what is made in hindsight was never published.

    Raises
    ------
    InvalidInput
        If the feed covers no whole week up to ``week_ending``, for an enforcement-driven place
        offense without a reason, or a forecast area that holds no cell.
    SettingsError
        If a layer of places cannot be read.
    """
    held = empty_ledger() if ledger is None else ledger
    held = settle(held, incidents, department, as_of)
    history = week_history(incidents, department, week_ending, as_of)
    say(f"forecasts of {len(history.names) + len(history.totals)} series")
    series = weekly_series(
        history,
        department,
        published=judged_series(held, department, week_ending, as_of),
        say=say,
    )
    gone = say_withdrawn(series.table)
    if gone:
        say(f"{len(gone)} series did not beat their naive forecast and are withdrawn")
    say("recent weeks: records still to come")
    recent = recent_weeks(incidents, department, week_ending, as_of)
    places = weekly_places(
        incidents,
        department,
        week_ending,
        as_of,
        published=judged_places(held, department, week_ending, as_of),
        say=say,
    )
    entries = new_entries(series, places, as_of)
    if not of_its_own_time(department, week_ending, as_of):
        say(
            f"as of {as_of} the week ending {week_ending} is past, so its forecasts are no "
            "published ones and enter no score; ask for an earlier as-of day to keep them"
        )
        entries = entries.iloc[:0]
    return WeeklyForecasts(
        series.table[FORECASTS.column_names],
        recent,
        places.table,
        places.calibration,
        scorecard(series, places, held, as_of),
        entries,
    )


def keep_entries(
    ledger: pd.DataFrame | None,
    entries: pd.DataFrame,
    incidents: pd.DataFrame,
    department: Department,
    as_of: dt.date,
) -> pd.DataFrame:
    """Bring the ledger up to a book: score what has settled, add what was published.

    Parameters
    ----------
    ledger
        The ``forecast_scores`` table as it is at this moment (hold the store's lock), or None.
    entries, incidents, department, as_of
        From, and as given to, `weekly_forecasts`.

    Returns
    -------
    The new ``forecast_scores`` table. Rows of the old one keep every value but scores that were
    missing; an entry for a forecast that is already held is dropped.
    """
    held = empty_ledger() if ledger is None else ledger
    full = append(settle(held, incidents, department, as_of), entries)
    return TABLES["forecast_scores"].conform(full)
