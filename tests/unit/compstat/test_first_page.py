"""The first page: what is told, what is left to the tables, and good English for one and many."""

import numpy as np
import pandas as pd
import pytest

from beatbook.compstat.first_page import DataInQuestion, first_page
from beatbook.compstat.headlines import (
    first_headlines,
    headlines,
    how_sure,
    records_to_come,
)

SPANS = {
    "week": ("2024-03-25", "2024-03-31", "2024-03-18", "2024-03-24"),
    "28_days": ("2024-03-04", "2024-03-31", "2024-02-05", "2024-03-03"),
    "year_to_date": ("2024-01-01", "2024-03-31", "2023-01-01", "2023-03-31"),
}


def change(place, offense, current, prior, window="28_days", q=0.001, p=0.0004):
    start, end, before, until = map(pd.Timestamp, SPANS[window])
    return {
        "geography_type": "city" if place == "city" else "precinct",
        "geography": place,
        "offense": offense,
        "window": window,
        "comparison": "prior_year" if window == "year_to_date" else "prior_period",
        "current_start": start,
        "current_end": end,
        "prior_start": before,
        "prior_end": until,
        "current": current,
        "prior": prior,
        "percent_change": 100 * (current - prior) / prior if prior else np.nan,
        "p_value": p,
        "q_value": q,
    }


def table(*rows):
    return pd.DataFrame(list(rows)).astype({"current": "Int64", "prior": "Int64"})


def late(offense, reported, expected, place="city", weeks=4):
    """Spans of seven days back from March 31."""
    first = pd.date_range(end="2024-03-25", periods=weeks, freq="7D")[::-1]
    return pd.DataFrame(
        {
            "geography_type": "city" if place == "city" else "precinct",
            "geography": place,
            "offense": offense,
            "span": [f"week_{n + 1}" for n in range(weeks)],
            "first_day": first,
            "last_day": first + pd.Timedelta(days=6),
            "reported": reported,
            "expected_final": expected,
        }
    )


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.049, "chance alone: 1 in 20"),
        (0.0025, "chance alone: 1 in 400"),
        (0.00101, "chance alone: 1 in 900"),
        (0.00023, "chance alone: 1 in 4,000"),
        (0.00001, "chance alone: under 1 in 10,000"),
    ],
)
def test_how_sure_never_claims_more_than_the_test(p, words):
    assert how_sure(p) == words


def test_a_small_base_is_no_headline():
    small = change("2", "Arson", 9, 0)
    assert headlines(table(small), "District") == []
    enough = change("2", "Arson", 10, 0)
    assert headlines(table(enough), "District") == [
        "District 2: Arson is up in the last 28 days, 10 against 0 the 28 days before."
    ]


def test_one_thing_is_told_once_and_the_year_to_date_last():
    rows = [
        change("2", "Total Property", 300, 200, "year_to_date", q=1e-9, p=1e-10),
        change("2", "Larceny", 90, 50, q=0.002),
        change("2", "Total Property", 150, 90, q=0.001),  # says larceny's rise too
        change("2", "Robbery", 30, 12, q=0.003),  # no part of property
        change("2", "Burglary", 10, 30, q=0.004),  # falls while the total rises: its own news
        change("Unknown", "Larceny", 40, 12, q=1e-5),  # no place to go to
    ]
    told = first_headlines(table(*rows))
    assert list(zip(told["offense"], told["window"], strict=True)) == [
        ("Total Property", "28_days"),
        ("Robbery", "28_days"),
        ("Burglary", "28_days"),
    ]
    assert len(first_headlines(table(*rows), most=1)) == 1


def test_a_fall_that_late_records_undo_is_no_headline():
    fall = change("city", "Burglary", 100, 150, p=0.002)
    assert len(first_headlines(table(fall))) == 1
    # 4 x 4 to come: 116 against 150 is p 0.04 and worse than the least sure change of the book.
    assert first_headlines(table(fall), late("Burglary", 25, 29.0)).empty
    # One to come in all changes nothing... (p of 101 against 150 is 0.002).
    sure = change("city", "Burglary", 100, 150, p=0.0024)
    assert len(first_headlines(table(sure), late("Burglary", 25, 25.2))) == 1
    # A rise is not undone by more records.
    rise = change("city", "Burglary", 150, 100, p=0.002)
    assert len(first_headlines(table(rise), late("Burglary", 25, 29.0))) == 1


def test_records_to_come_of_a_window_by_hand():
    city = late("Burglary", 25, 29.0)
    week = change("city", "Burglary", 20, 30, "week")
    month = change("city", "Burglary", 100, 150)
    assert records_to_come(week, city) == 4
    assert records_to_come(month, city) == 16
    # A precinct without its own rows takes the city's share: 16 % of 50 over four of four weeks.
    assert records_to_come(change("3", "Burglary", 50, 80), city) == pytest.approx(8.0)
    own = pd.concat([city, late("Burglary", 5, 6.0, place="3")])
    assert records_to_come(change("3", "Burglary", 50, 80), own) == 4
    # A total is the sum of its parts where it has no rows itself.
    parts = pd.concat([city, late("Larceny", 50, 52.0)])
    assert records_to_come(change("city", "Total Property", 300, 400), parts) == 24
    # Of the year to date four weeks of thirteen are still open.
    ytd = change("3", "Burglary", 91, 150, "year_to_date")
    assert records_to_come(ytd, city) == pytest.approx(0.16 * 28)
    assert records_to_come(month, None) == 0
    assert records_to_come(month, city.assign(expected_final=np.nan)) == 0


def test_the_lines_of_a_full_page():
    whole = late("Total Part I", 400, 420.4).head(1).assign(
        span="28_days", first_day=pd.Timestamp("2024-03-04"), reported=1590, expected_final=1702.4,
        lo_80=1660.0, hi_80=1745.0, prior=1800, change=-0.117,
    )  # fmt: skip
    judged = pd.DataFrame(
        {
            "offense": ["Robbery", "Burglary", "Total Part I"],
            "week": pd.Timestamp("2024-03-25"),
            "y_hat": [20.0, 50.0, 405.2],
            "lo_80": [15.0, 40.0, 370.0],
            "hi_80": [26.0, 60.0, 441.0],
            "reported": [31.0, 44.0, 371.0],
            "final": [32.0, 50.0, 395.3],
            "verdict": ["above", "inside", "inside"],
        }
    )
    rows = [
        change("5", "Robbery", 45, 20, p=0.0024),
        change("6", "Arson", 30, 12, p=0.02, q=0.04),
    ]
    lines = first_page(
        table(*rows), "District", whole, judged, DataInQuestion(40_000, 12, 3, 5, 2, 31), most=1
    )
    assert lines == [
        "District 5: Robbery is up in the last 28 days, 45 against 20 the 28 days before "
        "(+125 %); chance alone: 1 in 400.",
        "Changes: one more change is beyond noise and on a count of 10 or more, marked in the "
        "tables.",
        "Still to come: 1,590 Part I offenses of Mar 4 to 31 are reported, about 1,702 are "
        "expected in the end (80 % interval 1,660 to 1,745). Like for like with a year ago, as it "
        "stood at this age: 12 % fewer.",
        "Forecast for Mar 25 to 31: 405 Part I offenses (80 % interval 370 to 441); 371 are "
        "reported, about 395 expected in the end: inside. Of 2 offenses 1 came inside; outside: "
        "Robbery (above).",
        "Data: 12 of 40,000 rows of the feed (under 0.1 %) could not be read and are in no count; "
        "3 questions wait for the steward, about 5 records; 29 of 31 checks are met.",
    ]


def test_a_quiet_week_and_clean_data():
    quiet = table(change("5", "Robbery", 20, 19, q=0.9, p=0.8))
    assert first_page(quiet, "District") == [
        "Changes: none is beyond noise and on a count of 10 or more."
    ]
    lines = first_page(quiet, "District", quality=DataInQuestion(100, 0, 0, 0, 0, 0))
    assert (
        lines[1] == "Data: all 100 rows of the feed are counted; no question waits for the steward."
    )
    one = first_page(quiet, "District", quality=DataInQuestion(1000, 1, 1, 1, 0, 1))
    assert one[1] == (
        "Data: 1 of 1,000 rows of the feed (0.1 %) could not be read and is in no count; 1 "
        "question waits for the steward, about 1 record; 1 of 1 checks are met."
    )


def test_changes_that_only_the_tables_can_tell():
    unknown = table(change("Unknown", "Larceny", 40, 12))
    assert first_page(unknown, "District") == [
        "Changes: one change is beyond noise and on a count of 10 or more, marked in the tables; "
        "late records or records without a place could explain each."
    ]


def test_at_most_eight_lines():
    rows = [change(str(n), "Robbery", 40 + n, 12) for n in range(20)]
    whole = late("Total Part I", 1500, 1490.0).head(1).assign(span="28_days", change=np.nan)
    judged = pd.DataFrame(
        {
            "offense": ["Robbery"], "week": [pd.Timestamp("2024-03-25")], "y_hat": [1.0],
            "lo_80": [0.0], "hi_80": [2.0], "reported": [1.0], "final": [np.nan],
            "verdict": ["inside"],
        }
    )  # fmt: skip
    lines = first_page(table(*rows), "District", whole, judged, DataInQuestion(10, 0, 0, 0, 0, 3))
    assert len(lines) == 8
    assert lines[4].startswith("Changes: 16 more changes are beyond noise")
    assert "hardly any late record" in lines[5] and lines[5].endswith("should stand.")
    assert lines[6] == "Forecast: of 1 offense it came inside."
