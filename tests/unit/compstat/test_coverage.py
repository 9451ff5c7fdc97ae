"""What the feed speaks for, and which books it can fill."""

import datetime as dt
import itertools

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beatbook.compstat.coverage import (
    Span,
    as_of_then,
    asked_as_of,
    book_dates,
    coverage,
    covered_weeks,
    covers,
    known_by,
)
from beatbook.errors import BookError, InvalidInput


def day(text):
    return dt.date.fromisoformat(text)


def stamps(*texts):
    return pd.Series(pd.to_datetime(list(texts)).astype("datetime64[us]"))


def months(start, end):
    return pd.Series(pd.date_range(start, end, freq="ME", unit="us"))


def days(start, end):
    return pd.Series(pd.date_range(start, end, unit="us"))


def span(start, end):
    return Span(day(start), day(end))


@pytest.fixture
def daily(department_with):
    return department_with(feed={"publishes": "daily"})


def test_known_by_keeps_the_day_itself():
    incidents = pd.DataFrame({"known_on": stamps("2024-01-31", "2024-02-29", "2024-03-31")})
    assert len(known_by(incidents, day("2024-02-29"))) == 2
    assert len(known_by(incidents, day("2024-02-28"))) == 1


def test_a_coded_month_speaks_for_the_whole_month(department):
    assert coverage(stamps("2024-02-29", "2024-01-31"), department) == [
        span("2024-01-01", "2024-02-29")
    ]


def test_a_month_that_is_missing_is_a_gap(department):
    known = stamps("2023-11-30", "2023-12-31", "2024-02-29", "2024-03-31")
    assert coverage(known, department) == [
        span("2023-11-01", "2023-12-31"),
        span("2024-02-01", "2024-03-31"),
    ]


def test_a_day_speaks_for_itself_and_short_silences_are_bridged(daily):
    known = stamps("2024-01-01", "2024-01-09", "2024-01-18", "2024-01-18")
    # Seven days of silence (January 2 to 8) are ordinary, eight (10 to 17) are a gap.
    assert coverage(known, daily) == [
        span("2024-01-01", "2024-01-09"),
        span("2024-01-18", "2024-01-18"),
    ]


def test_the_length_of_an_ordinary_silence_is_a_setting(department_with):
    known = stamps("2024-01-01", "2024-01-03", "2024-01-06")
    patient = department_with(feed={"publishes": "daily", "coverage_gap_days": 1})
    assert coverage(known, patient) == [
        span("2024-01-01", "2024-01-03"),
        span("2024-01-06", "2024-01-06"),
    ]


def test_nothing_known_covers_nothing(daily):
    assert coverage(stamps(), daily) == []
    assert covered_weeks([], daily) == []


@given(
    known=st.lists(st.dates(day("2023-01-01"), day("2023-04-30")), min_size=1, max_size=25),
    gap=st.integers(1, 10),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spans_hold_every_day_in_order_and_leave_only_long_gaps(daily, known, gap):
    feed = daily.feed.model_copy(update={"coverage_gap_days": gap})
    spans = coverage(pd.Series(pd.to_datetime(known)), daily.model_copy(update={"feed": feed}))
    assert all(covers(spans, when, when) for when in known)
    assert {s.start for s in spans} | {s.end for s in spans} <= set(known)
    for before, after in itertools.pairwise(spans):
        assert (after.start - before.end).days - 1 > gap


def test_covers_asks_for_every_day():
    spans = [span("2024-01-01", "2024-01-31"), span("2024-03-01", "2024-03-31")]
    assert covers(spans, day("2024-01-01"), day("2024-01-31"))
    assert not covers(spans, day("2023-12-31"), day("2024-01-31"))
    assert not covers(spans, day("2024-01-01"), day("2024-02-01"))
    assert not covers(spans, day("2024-01-15"), day("2024-03-15"))
    assert not covers([], day("2024-01-01"), day("2024-01-01"))


def test_whole_weeks_only(department, department_with):
    spans = [span("2024-01-01", "2024-01-16"), span("2024-02-06", "2024-02-18")]
    ends = ["2024-01-07", "2024-01-14", "2024-02-18"]
    assert covered_weeks(spans, department) == [day(end) for end in ends]
    sunday = department_with(week_start="sunday")
    assert covered_weeks(spans, sunday) == [day("2024-01-13"), day("2024-02-17")]


# --- the two dates of a book ---


def test_by_default_the_last_whole_week_as_of_all_that_is_known(department):
    dates = book_dates(months("2023-01-31", "2024-01-31"), department)
    # January 2024 ends on a Wednesday; its last whole week ends on the 28th.
    assert dates == (day("2024-01-28"), day("2024-01-31"))


def test_as_of_an_earlier_day_the_last_week_known_then(department):
    known = months("2023-01-31", "2024-01-31")
    assert book_dates(known, department, as_of=day("2023-06-30")).week_ending == day("2023-06-25")
    # In the middle of a month nothing of that month is coded yet.
    assert book_dates(known, department, as_of=day("2023-06-29")).week_ending == day("2023-05-28")


def test_a_stray_last_day_does_not_make_the_default_impossible(daily):
    known = pd.concat([days("2024-01-01", "2024-01-28"), stamps("2024-03-02")])
    assert book_dates(known, daily) == (day("2024-01-28"), day("2024-03-02"))


def test_the_weeks_asked_for_are_given(department):
    known = months("2023-01-31", "2024-01-31")
    assert book_dates(known, department, day("2023-01-08"), day("2024-01-31")) == (
        day("2023-01-08"),
        day("2024-01-31"),
    )


def test_a_week_that_does_not_end_on_a_sunday_names_the_nearest(department):
    with pytest.raises(InvalidInput, match="2023-06-18 or 2023-06-25"):
        book_dates(months("2023-01-31", "2024-01-31"), department, day("2023-06-21"))


@pytest.mark.parametrize(
    ("week", "as_of"),
    [
        ("2030-01-06", None),  # in the future
        ("2024-02-04", None),  # not yet coded
        ("2023-07-02", "2023-06-30"),  # not known by then
        ("2023-01-01", None),  # starts before the feed
    ],
)
def test_a_week_that_is_not_covered(department, week, as_of):
    with pytest.raises(BookError) as refused:
        book_dates(months("2023-01-31", "2024-01-31"), department, day(week), as_of and day(as_of))
    message = str(refused.value)
    assert f"The week ending {week} is not covered" in message
    latest = "2023-06-25" if as_of else "2024-01-28"
    assert f"The latest week it can fill ends on {latest}." in message
    assert f"covers 2023-01-01 to {as_of or '2024-01-31'}" in message


def test_a_week_in_a_gap_names_what_lies_around_it(department):
    known = pd.concat([months("2016-07-31", "2016-07-31"), months("2024-01-31", "2024-03-31")])
    with pytest.raises(BookError, match="2016-07-01 to 2016-07-31; 2024-01-01 to 2024-03-31"):
        book_dates(known, department, day("2023-03-12"))


def test_an_as_of_day_before_the_feed_starts(department):
    with pytest.raises(BookError, match="starts with what was known on 2023-01-31"):
        book_dates(months("2023-01-31", "2024-01-31"), department, as_of=day("2023-01-30"))


def test_a_feed_without_a_record_that_can_be_read(department):
    for known in (stamps(), pd.Series([pd.NaT, pd.NaT])):
        with pytest.raises(BookError, match="rejected_incidents"):
            book_dates(known, department)


def test_a_feed_without_a_whole_week(daily):
    with pytest.raises(BookError, match="covers no whole week: 2024-01-02 to 2024-01-05"):
        book_dates(stamps("2024-01-02", "2024-01-05"), daily)
    with pytest.raises(BookError, match="No week is whole"):
        book_dates(stamps("2024-01-02", "2024-01-05"), daily, day("2024-01-07"))


@pytest.mark.parametrize(
    ("week", "then"),
    [
        ("2024-01-28", "2024-01-31"),  # within January
        ("2024-02-04", "2024-02-29"),  # begun in January, ended in February: coded with February
        ("2024-03-31", "2024-03-31"),  # ends with its month
    ],
)
def test_a_past_week_of_a_feed_of_months_is_as_of_the_end_of_its_month(department, week, then):
    known = months("2023-11-30", "2024-06-30")
    assert as_of_then(known, department, day(week)) == day(then)
    # The book can be made: its week is covered by what was known then, and by nothing earlier.
    assert book_dates(known, department, day(week), day(then)) == (day(week), day(then))
    with pytest.raises(BookError):
        book_dates(known, department, day(week), day(then) - dt.timedelta(days=1))


def test_a_past_week_of_a_feed_of_days_is_as_of_its_last_day(daily):
    known = days("2024-01-01", "2024-06-30")
    assert as_of_then(known, daily, day("2024-02-04")) == day("2024-02-04")


def test_after_a_silent_last_day_a_past_week_waits_for_the_next_record(daily):
    known = stamps("2024-01-29", "2024-02-02", "2024-02-05", "2024-02-20")
    assert as_of_then(known, daily, day("2024-02-04")) == day("2024-02-05")
    assert book_dates(known, daily, day("2024-02-04"), day("2024-02-05"))


def test_a_week_in_a_month_that_is_missing_is_refused_by_what_is_covered(department):
    """The next publication is no book of the missing month: nothing of it is in the feed."""
    known = stamps("2024-01-31", "2024-03-31")
    then = as_of_then(known, department, day("2024-02-18"))
    assert then == day("2024-03-31")
    with pytest.raises(BookError, match="not covered"):
        book_dates(known, department, day("2024-02-18"), then)


def test_a_week_that_nothing_was_published_after_has_no_time_of_its_own_yet(department):
    known = stamps("2024-01-31")
    with pytest.raises(BookError, match=r"on or after 2024-02-04; its last is 2024-01-31"):
        as_of_then(known, department, day("2024-02-04"))
    with pytest.raises(BookError, match="on or after 2024-02-04"):
        as_of_then(stamps(), department, day("2024-02-04"))


def test_how_a_run_is_asked_for_its_day(department):
    known = months("2024-01-31", "2024-06-30")
    week = day("2024-02-04")
    assert asked_as_of("", known, department, week) is None
    assert asked_as_of("all", known, department, week) is None
    assert asked_as_of("then", known, department, week) == day("2024-02-29")
    assert asked_as_of("2024-05-31", known, department, week) == day("2024-05-31")
    with pytest.raises(InvalidInput, match=r"'yesterday'; write a day as 2019-12-29"):
        asked_as_of("yesterday", known, department, week)


def test_a_record_known_years_ahead_does_not_move_the_books(small_department):
    department = small_department.load()
    known = pd.Series(pd.to_datetime(["2024-01-31", "2024-02-29", "2031-01-31"]))
    assert coverage(known, department) == [Span(dt.date(2024, 1, 1), dt.date(2024, 2, 29))]
    dates = book_dates(known, department)
    assert (dates.week_ending, dates.as_of) == (dt.date(2024, 2, 25), dt.date(2024, 2, 29))
    with pytest.raises(BookError, match="known in the future, from 2031-01-31"):
        book_dates(known.tail(1), department)
