"""Which days the feed speaks for, and which books it can fill."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from beatbook.compstat.windows import compstat_windows, week_ending_on_or_before
from beatbook.department import Department
from beatbook.errors import BookError, InvalidInput


class Span(NamedTuple):
    """Days from ``start`` to ``end``, both included."""

    start: dt.date
    end: dt.date


def known_by(incidents: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Keep the incidents that the department's books held by the end of a day.

    Parameters
    ----------
    incidents
        Needs the column ``known_on``.
    as_of
        The day; records known on it are kept.
    """
    return incidents[incidents["known_on"] <= pd.Timestamp(as_of)]


def last_known_day(department: Department, today: dt.date | None = None) -> dt.date:
    """The last day on which a record can have become known.

    A feed of months is known on the last day of its month, which may be ahead by up to a month.

    Parameters
    ----------
    department
        ``feed.publishes``.
    today
        The present day if not given.
    """
    today = today or dt.date.today()
    return today + dt.timedelta(days=31 if department.feed.publishes == "monthly" else 1)


def coverage(
    known_on: pd.Series, department: Department, today: dt.date | None = None
) -> list[Span]:
    """Find the spans of days that the feed speaks for.

    Parameters
    ----------
    known_on
        The known days of the feed's records, already limited to those of the book.
    department
        ``feed.publishes`` says whether a record stands for its month or its day;
        ``feed.coverage_gap_days`` how many days without a record are still an ordinary
        silence (default 7: a mid-sized city has no week without a crime).
    today
        The present day if not given. A record known after :func:`last_known_day` is mistyped, and
        must not make the feed speak for years to come; it counts for nothing here.

    Returns
    -------
    list of Span
        In order, not touching. A window outside them is empty in a book, never zero.
    """
    days = pd.Series(known_on.dt.normalize().dropna().unique()).sort_values()
    days = days[days <= pd.Timestamp(last_known_day(department, today))]
    spans: list[Span] = []
    for stamp in days:
        end = pd.Timestamp(stamp).date()
        start = end.replace(day=1) if department.feed.publishes == "monthly" else end
        silent = (start - spans[-1].end).days - 1 if spans else 0
        if spans and silent <= department.feed.coverage_gap_days:
            spans[-1] = Span(spans[-1].start, max(end, spans[-1].end))
        else:
            spans.append(Span(start, end))
    return spans


def covers(spans: Sequence[Span], start: dt.date, end: dt.date) -> bool:
    """Whether the feed speaks for every day from ``start`` to ``end``."""
    return any(span.start <= start and end <= span.end for span in spans)


def covered_weeks(spans: Sequence[Span], department: Department) -> list[dt.date]:
    """The last days of all weeks that the feed covers whole, in order."""
    ends = []
    for span in spans:
        end = week_ending_on_or_before(span.end, department.week_start)
        run = []
        while end - dt.timedelta(days=6) >= span.start:
            run.append(end)
            end -= dt.timedelta(days=7)
        ends.extend(run[::-1])
    return ends


class BookDates(NamedTuple):
    """The two dates of a book."""

    week_ending: dt.date
    as_of: dt.date


def book_dates(
    known_on: pd.Series,
    department: Department,
    week_ending: dt.date | None = None,
    as_of: dt.date | None = None,
) -> BookDates:
    """Settle which week a book covers and as of which day, or say why it cannot be made.

    Parameters
    ----------
    known_on
        The known days of all records of the feed.
    department
        Its ``week_start``.
    week_ending
        The last day of the week; by default the last whole week that the feed covers.
    as_of
        Only what was known by then; by default all that the feed holds.

    Raises
    ------
    BookError
        If the feed holds no record, the as-of day lies before it starts, or the week is not
        covered by what was known then (a week in the future, a week in a gap, the last week not
        yet coded). The message says what the feed covers and the latest week it can fill.
    InvalidInput
        If ``week_ending`` is not the last day of a week.
    """
    if known_on.dropna().empty:
        raise BookError(
            f"The feed of {department.slug} holds no record that could be read; see the table "
            "rejected_incidents for the reasons."
        )
    come = known_on[known_on <= pd.Timestamp(last_known_day(department))]
    if come.empty:
        raise BookError(
            f"Every record of the feed of {department.slug} is known in the future, from "
            f"{known_on.min().date()} on: its known dates are read wrongly, or this machine's "
            "clock is."
        )
    first, last = come.min().date(), come.max().date()
    if as_of is None:
        as_of = last
    if as_of < first:
        raise BookError(
            f"Nothing was known by {as_of}: the feed of {department.slug} starts with what was "
            f"known on {first}. Ask for an as-of day from then on."
        )
    spans = coverage(known_on[known_on <= pd.Timestamp(as_of)], department)
    spoken = "; ".join(f"{span.start} to {span.end}" for span in spans)
    ends = covered_weeks(spans, department)
    if week_ending is None:
        if not ends:
            raise BookError(
                f"As of {as_of} the feed of {department.slug} covers no whole week: {spoken}."
            )
        week_ending = ends[-1]
    # Refuses a day that ends no week, naming the nearest that do.
    compstat_windows(week_ending, department.year_ago, department.week_start)
    if not covers(spans, week_ending - dt.timedelta(days=6), week_ending):
        latest = f"The latest week it can fill ends on {ends[-1]}." if ends else "No week is whole."
        raise BookError(
            f"The week ending {week_ending} is not covered: as of {as_of} the feed of "
            f"{department.slug} covers {spoken}. {latest}"
        )
    return BookDates(week_ending, as_of)


def as_of_then(known_on: pd.Series, department: Department, week_ending: dt.date) -> dt.date:
    """The day that a book of a past week would have been as of, had it been made then.

    Parameters
    ----------
    known_on
        The known days of all records of the feed.
    department
        Its short name, for the message.
    week_ending
        The last day of the week.

    Returns
    -------
    date
        The first day on or after the week's end on which the department published anything. For
        a feed of days that is the week's last day (or, after a silent one, the next day with a
        record); for a feed of months the end of the month that the week ends in. Nothing coded
        later is in such a book, so it is the one that people would have held.

    Raises
    ------
    BookError
        If the feed holds nothing that became known on or after that day: the week's own book
        cannot be told from this feed.
    """
    then = known_on[known_on >= pd.Timestamp(week_ending)]
    if then.empty:
        last = f"; its last is {known_on.max().date()}" if known_on.notna().any() else ""
        raise BookError(
            f"The feed of {department.slug} holds nothing that became known on or after "
            f"{week_ending}{last}. The week has no book of its own time yet."
        )
    first: dt.date = then.min().date()
    return first


def asked_as_of(
    asked: str, known_on: pd.Series, department: Department, week_ending: dt.date
) -> dt.date | None:
    """Read how a run was asked for its as-of day.

    Parameters
    ----------
    asked
        An ISO date; ``then`` for the week's own time (:func:`as_of_then`); ``all``, or nothing,
        for all that the feed holds.
    known_on, department, week_ending
        As for :func:`as_of_then`.

    Returns
    -------
    date or None
        None for all that the feed holds.

    Raises
    ------
    InvalidInput
        If it is none of these.
    BookError
        As :func:`as_of_then`.
    """
    if asked in ("", "all"):
        return None
    if asked == "then":
        return as_of_then(known_on, department, week_ending)
    try:
        return dt.date.fromisoformat(asked)
    except ValueError:
        raise InvalidInput(
            f"as_of is {asked!r}; write a day as 2019-12-29, or then, or all."
        ) from None
