"""What an earlier book forecast, where no published forecast is on record."""

import datetime as dt

import pandas as pd

from beatbook.department import Department
from beatbook.errors import MissingTable
from beatbook.forecasts.book_days import of_its_own_time
from beatbook.home import Home
from beatbook.store import load_table
from beatbook.tables import FORECASTS


def forecasts_in_hindsight(
    department: Department, week_ending: dt.date, home: Home | None = None
) -> pd.DataFrame:
    """Load the forecasts of the book before, if it was made afterwards from what was known then.

    Past weeks that are made today, each as of its own time, publish nothing that could enter
    ``forecast_scores``. Their forecasts used nothing later than their day all the same, and show
    how one would have done.

    Parameters
    ----------
    department
        Whose.
    week_ending
        Last day of the week whose book asks; the one before is that of seven days earlier.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    DataFrame
        The ``forecasts`` table of the week before; no rows where that week has none, or has one
        as of a day on which later records were known.
    """
    before = week_ending - dt.timedelta(days=7)
    try:
        made = load_table("forecasts", department.slug, week_ending=before, home=home)
    except MissingTable:
        return pd.DataFrame(columns=FORECASTS.column_names)
    own = all(of_its_own_time(department, before, day.date()) for day in made["as_of"].unique())
    return made if own else made.iloc[:0]
