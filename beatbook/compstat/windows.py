"""The spans of days that a CompStat book compares, and how many days each one holds."""

import calendar
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from beatbook.errors import InvalidInput

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# 52 whole weeks: the shift nearest a year that keeps every weekday in its place.
_SAME_WEEKDAYS = timedelta(days=364)


class Window(NamedTuple):
    """Two spans of days, both ends included, whose counts are set side by side.

    Attributes
    ----------
    name : {"week", "28_days", "year_to_date"}
    comparison : {"prior_period", "prior_year"}
    current_start, current_end, prior_start, prior_end : datetime.date
        First and last day of each span, both counted, in the department's local time.
    """

    name: Literal["week", "28_days", "year_to_date"]
    comparison: Literal["prior_period", "prior_year"]
    current_start: date
    current_end: date
    prior_start: date
    prior_end: date

    @property
    def current_days(self) -> int:
        """Days in the current span, February 29 included."""
        return days(self.current_start, self.current_end)

    @property
    def prior_days(self) -> int:
        """Days in the prior span, February 29 included; may differ by one from the current."""
        return days(self.prior_start, self.prior_end)


def compstat_windows(
    week_ending: date,
    year_ago: Literal["same_dates", "same_weekdays"] = "same_dates",
    week_start: str = "monday",
) -> list[Window]:
    """Lay out the five comparisons of a CompStat book for the week that ends on a day.

    Parameters
    ----------
    week_ending : datetime.date
        Last day of the department's week (a Sunday when weeks start on Monday). A timestamp
        is taken by its date.
    year_ago : {"same_dates", "same_weekdays"}
        What "the same week last year" means. ``same_dates``: first and last day each one
        calendar year earlier, February 29 becoming February 28; the spans then hold
        different weekdays, and may differ by a day in length around the end of February.
        ``same_weekdays``: 364 days earlier, so both spans hold the same weekdays and the same
        number of days. The default is the one a reader can check against a calendar.
    week_start : str
        Weekday on which the department's week starts, in English, upper or lower case. Monday
        by default, as in the New York City Police Department's CompStat.

    Returns
    -------
    list of Window
        In this order: week against the seven days before; week against a year ago; 28 days
        against the 28 before; 28 days against a year ago; year to date against a year ago.
        Year to date always runs from January 1, and its prior span from January 1 to the same
        date a year earlier, whatever `year_ago` says: a span that starts on January 2 would
        not be a year to date.

    Raises
    ------
    InvalidInput
        `week_ending` is not the last day of a week (the message names the nearest that are),
        or a setting is unknown.

    Notes
    -----
    The spans' lengths are given by ``current_days`` and ``prior_days``; where they differ, use
    them as the exposures of :func:`beatbook.compstat.change.e_test`.
    """
    if year_ago not in ("same_dates", "same_weekdays"):
        raise InvalidInput(
            f"year_ago is {year_ago!r}; it must be 'same_dates' (a calendar year earlier) or "
            "'same_weekdays' (364 days earlier)."
        )
    end = _plain_date(week_ending, "week_ending")
    before = week_ending_on_or_before(end, week_start)
    if before != end:
        after = before + timedelta(days=7)
        raise InvalidInput(
            f"{end} is a {WEEKDAYS[end.weekday()].title()}, but the department's week ends on "
            f"{WEEKDAYS[before.weekday()].title()}. Use {before} or {after}."
        )

    windows = []
    lengths: tuple[tuple[Literal["week", "28_days"], int], ...] = (("week", 7), ("28_days", 28))
    for name, length in lengths:
        span = timedelta(days=length)
        start = end - span + timedelta(days=1)
        windows.append(Window(name, "prior_period", start, end, start - span, end - span))
        if year_ago == "same_dates":
            a_year_ago = _year_earlier(start), _year_earlier(end)
        else:
            a_year_ago = start - _SAME_WEEKDAYS, end - _SAME_WEEKDAYS
        windows.append(Window(name, "prior_year", start, end, *a_year_ago))
    january_1 = date(end.year, 1, 1)
    windows.append(
        Window(
            "year_to_date",
            "prior_year",
            january_1,
            end,
            _year_earlier(january_1),
            _year_earlier(end),
        )
    )
    return windows


def days(start: date, end: date, leap_day: Literal["include", "exclude"] = "include") -> int:
    """Count the days from one date to another, both included.

    Parameters
    ----------
    start, end : datetime.date
        First and last day.
    leap_day : {"include", "exclude"}
        Whether February 29 is one of the days. Departments have done it both ways: the New
        York City Police Department's 2008 CompStat left February 29 out "to ensure accurate
        comparisons", Los Angeles counted it (a footnote reported by the Village Voice, 2008).
        So it is a setting, never a guess; a day that is left out of the length must be left
        out of the counts too. The default counts it, since the offenses of that day happened.

    Returns
    -------
    int
        2024-01-01 to 2024-03-10 is 70 days with February 29, and 69 without.

    Raises
    ------
    InvalidInput
        `end` is before `start`, or `leap_day` is unknown.
    """
    if leap_day not in ("include", "exclude"):
        raise InvalidInput(f"leap_day is {leap_day!r}; it must be 'include' or 'exclude'.")
    first, last = _plain_date(start, "start"), _plain_date(end, "end")
    if last < first:
        raise InvalidInput(f"The span ends on {last}, before it starts on {first}. Swap the two.")
    length = (last - first).days + 1
    if leap_day == "exclude":
        length -= sum(
            first <= date(year, 2, 29) <= last
            for year in range(first.year, last.year + 1)
            if calendar.isleap(year)
        )
    return length


def week_ending_on_or_before(day: date, week_start: str = "monday") -> date:
    """Find the last day of the latest CompStat week that is complete at the end of a day.

    Parameters
    ----------
    day : datetime.date
        Any day. A timestamp is taken by its date.
    week_start : str
        Weekday on which the department's week starts, in English, upper or lower case.

    Returns
    -------
    datetime.date
        `day` itself when it is the last day of a week, otherwise the nearest such day before.

    Raises
    ------
    InvalidInput
        `day` is not a date, or `week_start` is not a weekday.
    """
    name = week_start.strip().lower() if isinstance(week_start, str) else week_start
    if name not in WEEKDAYS:
        raise InvalidInput(
            f"week_start is {week_start!r}; it must be a weekday: {', '.join(WEEKDAYS)}."
        )
    last_weekday = (WEEKDAYS.index(name) - 1) % 7
    end = _plain_date(day, "day")
    return end - timedelta(days=(end.weekday() - last_weekday) % 7)


def _plain_date(value: date, name: str) -> date:
    # pandas' NaT passes for a datetime, and is the one date unequal to itself.
    if not isinstance(value, date) or value != value:
        raise InvalidInput(f"{name} is {value!r}; it must be a date, such as date(2024, 3, 10).")
    return value.date() if isinstance(value, datetime) else value


def _year_earlier(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)
