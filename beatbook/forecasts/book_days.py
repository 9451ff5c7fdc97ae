"""Which day a week's book is as of, and when a week's count has settled."""

import datetime as dt
from typing import NamedTuple

import pandas as pd

from beatbook.department import Department

DAY = pd.Timedelta(days=1)
SETTLE_DAYS = 28
"""A week is scored with what was known this many days after its end. St. Louis then holds 97 to
98 % of what it will ever hold; waiting on gains two points and costs half a year."""

_LATEST_BOOK = 7


class BookDays(NamedTuple):
    """The as-of days of a department's books, past and present.

    ``monthly``: the feed comes once a month. ``lag``: days from a week's end to the day its book
    is as of, for a daily feed. ``as_of``: the day of the present book; no day is later.
    """

    monthly: bool
    lag: int
    as_of: pd.Timestamp

    def of_week(self, last_day: pd.Timestamp) -> pd.Timestamp:
        """Return the as-of day that the book of the week ending on a day had.

        A monthly feed's first publication on or after the week's end: the end of that month. A
        daily feed's: as many days after the week's end as the present book's, a week at most.
        """
        day = last_day + self.lag * DAY
        if self.monthly:
            day = last_day + pd.offsets.MonthEnd(0)
        return min(day.normalize(), self.as_of)

    def settled(self, last_day: pd.Timestamp) -> pd.Timestamp:
        """Return the day as of which a week (or longer) that ended then counts as settled.

        `SETTLE_DAYS` after its end, or the publication after that; may lie in the future.
        """
        day = last_day + SETTLE_DAYS * DAY
        return day + pd.offsets.MonthEnd(0) if self.monthly else day

    def is_settled(self, last_day: pd.Timestamp) -> bool:
        """Say whether a week that ended on a day has settled by the present book."""
        return self.settled(last_day) <= self.as_of


def book_days(department: Department, week_ending: dt.date, as_of: dt.date) -> BookDays:
    """Read a department's book days from its feed's habit and the present book."""
    lag = min(max((as_of - week_ending).days, 0), _LATEST_BOOK)
    return BookDays(department.feed.publishes == "monthly", lag, pd.Timestamp(as_of))


def of_its_own_time(department: Department, week_ending: dt.date, as_of: dt.date) -> bool:
    """Say whether a book of that week as of that day is one that people could have held then.

    Up to a week after the week's end, or up to the next publication of a monthly feed. A book
    made later knows late records, if not the weeks themselves, that a forecast of its time could
    not; its forecasts are shown but never kept as published ones.
    """
    latest = pd.Timestamp(week_ending)
    if department.feed.publishes == "monthly":
        latest = latest + pd.offsets.MonthEnd(0)
    else:
        latest = latest + _LATEST_BOOK * DAY
    return pd.Timestamp(as_of) <= latest
