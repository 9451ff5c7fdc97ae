"""CompStat's windows: the days each comparison covers, and how many they are."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatbook.compstat.windows import (
    WEEKDAYS,
    compstat_windows,
    days,
    week_ending_on_or_before,
)
from beatbook.errors import InvalidInput

ANSWERS = json.loads((Path(__file__).parents[2] / "known_answers.json").read_text("utf-8"))
some_day = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def answer(name):
    return next(entry for entry in ANSWERS if entry["id"] == name)


def spans(windows):
    return {(window.name, window.comparison): window[2:] for window in windows}


def dates(texts):
    return tuple(date.fromisoformat(text) for text in texts)


def test_dw_1_the_windows_of_a_week():
    known = answer("DW-1")
    sunday = date.fromisoformat(known["inputs"]["as_of_sunday"])
    expected = {name: dates(v) for name, v in known["expected"].items() if isinstance(v, list)}
    found = spans(compstat_windows(sunday))
    assert found["week", "prior_period"][:2] == expected["week"]
    assert found["28_days", "prior_period"] == expected["d28"] + expected["prior28"]
    assert found["year_to_date", "prior_year"] == expected["ytd"] + expected["prior_ytd"]
    shifted = spans(compstat_windows(sunday, year_ago="same_weekdays"))
    assert shifted["week", "prior_year"] == expected["week"] + expected["shift364_week"]
    assert shifted["year_to_date", "prior_year"] == found["year_to_date", "prior_year"]
    to_date = compstat_windows(sunday)[-1]
    assert to_date.current_days == known["expected"]["ytd_days"]
    assert to_date.prior_days == known["expected"]["prior_ytd_days"]


def test_windows_come_in_the_order_of_the_book():
    assert [window[:2] for window in compstat_windows(date(2024, 3, 10))] == [
        ("week", "prior_period"),
        ("week", "prior_year"),
        ("28_days", "prior_period"),
        ("28_days", "prior_year"),
        ("year_to_date", "prior_year"),
    ]


def test_the_week_before_and_the_same_dates_a_year_ago():
    found = spans(compstat_windows(date(2024, 3, 10)))
    assert found["week", "prior_period"][2:] == (date(2024, 2, 26), date(2024, 3, 3))
    assert found["week", "prior_year"][2:] == (date(2023, 3, 4), date(2023, 3, 10))
    assert found["28_days", "prior_year"][2:] == (date(2023, 2, 12), date(2023, 3, 10))


def test_the_leap_day_has_the_28th_for_its_year_ago():
    # Weeks from Friday end on Thursday, as February 29 of 2024 was.
    found = spans(compstat_windows(date(2024, 2, 29), week_start="friday"))
    assert found["week", "prior_year"][2:] == (date(2023, 2, 23), date(2023, 2, 28))
    assert found["year_to_date", "prior_year"][3] == date(2023, 2, 28)
    # And from Thursday, a week starts on it.
    starts = spans(compstat_windows(date(2024, 3, 6), week_start="Thursday"))
    assert starts["week", "prior_year"][2:] == (date(2023, 2, 28), date(2023, 3, 6))


def test_a_week_across_new_year():
    found = spans(compstat_windows(date(2024, 1, 7) - timedelta(days=7)))
    assert found["week", "prior_period"][:2] == (date(2023, 12, 25), date(2023, 12, 31))
    first = spans(compstat_windows(date(2025, 1, 5)))
    assert first["week", "prior_period"][:2] == (date(2024, 12, 30), date(2025, 1, 5))
    assert first["year_to_date", "prior_year"] == (
        date(2025, 1, 1),
        date(2025, 1, 5),
        date(2024, 1, 1),
        date(2024, 1, 5),
    )


def test_dw_3_the_leap_day_is_counted_or_not_as_told():
    known = answer("DW-3")
    start, end = dates(known["inputs"]["current_range"])
    assert days(start, end) == known["expected"]["include_feb29_days"]
    assert days(start, end, leap_day="include") == known["expected"]["include_feb29_days"]
    assert days(start, end, leap_day="exclude") == known["expected"]["exclude_feb29_days"]


def test_leap_days_at_the_ends_of_a_span():
    assert days(date(2024, 2, 29), date(2024, 2, 29)) == 1
    assert days(date(2024, 2, 29), date(2024, 2, 29), "exclude") == 0
    assert days(date(2024, 3, 1), date(2028, 2, 28), "exclude") == 4 * 365
    assert days(date(2024, 2, 29), date(2028, 2, 29), "exclude") == 4 * 365
    assert days(date(1900, 1, 1), date(1900, 12, 31), "exclude") == 365


def test_timestamps_are_taken_by_their_date():
    late = datetime(2024, 3, 10, 23, 59)
    assert compstat_windows(late) == compstat_windows(date(2024, 3, 10))
    assert compstat_windows(pd.Timestamp(late)) == compstat_windows(date(2024, 3, 10))
    assert days(datetime(2024, 3, 9, 23), datetime(2024, 3, 10, 1)) == 2
    assert type(week_ending_on_or_before(late)) is date


def test_a_day_inside_a_week_is_refused_with_the_nearest_that_would_do():
    with pytest.raises(InvalidInput, match=r"2024-03-13 is a Wednesday.*Sunday") as refusal:
        compstat_windows(date(2024, 3, 13))
    assert "Use 2024-03-10 or 2024-03-17." in str(refusal.value)
    with pytest.raises(InvalidInput, match=r"ends on Saturday. Use 2024-03-09 or 2024-03-16"):
        compstat_windows(date(2024, 3, 10), week_start="sunday")


@pytest.mark.parametrize(
    "call",
    [
        lambda: compstat_windows(date(2024, 3, 10), year_ago="last_year"),
        lambda: compstat_windows(date(2024, 3, 10), week_start="mon"),
        lambda: compstat_windows(date(2024, 3, 10), week_start=0),
        lambda: compstat_windows("2024-03-10"),
        lambda: compstat_windows(pd.NaT),
        lambda: days(date(2024, 3, 10), date(2024, 3, 9)),
        lambda: days(date(2024, 3, 9), date(2024, 3, 10), leap_day="skip"),
        lambda: week_ending_on_or_before(None),
    ],
)
def test_mistakes_are_refused(call):
    with pytest.raises(InvalidInput):
        call()


@given(some_day, st.sampled_from(WEEKDAYS))
def test_the_latest_complete_week(day, week_start):
    end = week_ending_on_or_before(day, week_start)
    assert 0 <= (day - end).days <= 6
    assert WEEKDAYS[(end + timedelta(days=1)).weekday()] == week_start


@given(some_day, st.sampled_from(WEEKDAYS), st.sampled_from(["same_dates", "same_weekdays"]))
def test_windows_are_as_long_as_they_say(day, week_start, year_ago):
    end = week_ending_on_or_before(day, week_start)
    for window in compstat_windows(end, year_ago, week_start):
        assert window.current_end == end
        assert window.prior_end < window.current_start
        assert abs(window.current_days - window.prior_days) <= 1
        if window.name != "year_to_date":
            assert window.current_days == {"week": 7, "28_days": 28}[window.name]
            if window.comparison == "prior_period":
                assert window.prior_end == window.current_start - timedelta(days=1)
                assert window.prior_days == window.current_days
            elif year_ago == "same_weekdays":
                assert window.prior_days == window.current_days
                assert window.prior_end.weekday() == end.weekday()
        else:
            assert (window.prior_start.month, window.prior_start.day) == (1, 1)
            assert window.prior_start.year == end.year - 1
            # Without leap days a year to date is compared over equal lengths.
            assert days(window.current_start, end, "exclude") == days(
                window.prior_start, window.prior_end, "exclude"
            )


@given(some_day, some_day)
def test_excluding_leap_days_agrees_with_going_through_the_days(one, other):
    start, end = min(one, other), max(one, other)
    end = min(end, start + timedelta(days=4000))
    listed = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    assert days(start, end) == len(listed)
    kept = [day for day in listed if (day.month, day.day) != (2, 29)]
    assert days(start, end, "exclude") == len(kept)
