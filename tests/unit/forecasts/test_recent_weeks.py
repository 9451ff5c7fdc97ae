"""Recent weeks as reported, and against a year ago as it stood then."""

import datetime as dt

import pandas as pd

from beatbook.forecasts.recent_weeks import recent_weeks

WEEK, AS_OF = dt.date(2023, 10, 29), dt.date(2023, 10, 31)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def test_spans_end_with_the_last_day_known_and_totals_add_up(small_department, city):
    incidents = city.rows(
        {"occurred_from": day("2023-10-31 23:00")},
        {"occurred_from": day("2023-10-25"), "offense": "Robbery", "precinct": "2"},
        {"occurred_from": day("2023-10-24"), "precinct": None},
        {"occurred_from": day("2023-10-04")},
        {"occurred_from": day("2023-10-03")},
        {"occurred_from": day("2023-10-31"), "known_on": day("2023-11-30")},
    )
    table = recent_weeks(incidents, small_department.load(), WEEK, AS_OF)
    at = table.set_index(["geography", "offense", "span"])
    assert at.loc[("Example City", "Burglary", "week_1"), "reported"] == 1
    assert at.loc[("Example City", "Total Part I", "week_1"), "reported"] == 2
    assert at.loc[("Example City", "Total Violent", "28_days"), "reported"] == 1
    assert at.loc[("Example City", "Burglary", "28_days"), "reported"] == 3
    assert at.loc[("Unknown", "Burglary", "week_2"), "reported"] == 1
    assert at.loc[("2", "Robbery", "week_1"), "reported"] == 1
    row = at.loc[("Example City", "Burglary", "week_2")]
    assert (row["first_day"], row["last_day"]) == (day("2023-10-18"), day("2023-10-24"))
    assert set(table["note"]) == {"too little is known of late records; a year ago is not covered"}
    assert not table.duplicated(["geography_type", "geography", "offense", "span"]).any()


def test_a_year_ago_is_counted_as_it_stood_then(small_department, city):
    now = [{"occurred_from": day(f"2023-10-{d}")} for d in (20, 21, 22)]
    then = [
        {"occurred_from": day("2022-10-20"), "known_on": day("2022-10-31")},
        {"occurred_from": day("2022-10-20"), "known_on": day("2022-10-31")},
        {"occurred_from": day("2022-10-20"), "known_on": day("2022-12-31")},
    ]
    # A record a month, so that the feed covers the time between.
    between = [
        {"offense": "Arson", "occurred_from": end, "known_on": end}
        for end in pd.date_range("2022-09-30", "2023-10-31", freq="ME")
    ]
    table = recent_weeks(
        city.rows(*now, *then, *between), small_department.load(), WEEK, AS_OF
    ).set_index(["geography", "offense", "span"])
    row = table.loc[("1", "Burglary", "week_2")]
    assert (row["reported"], row["prior"], row["change"]) == (3, 2, 0.5)
    # Nothing a year ago: no change of nothing.
    assert table.loc[("2", "Burglary", "week_2"), "prior"] == 0
    assert pd.isna(table.loc[("2", "Burglary", "week_2"), "change"])


def test_precincts_redrawn_since_are_not_compared(small_department, city):
    department = small_department.set(redistrictings=[dt.date(2023, 1, 1)]).load()
    incidents = city.incidents("2022-06-01", "2023-11-15")
    table = recent_weeks(incidents, department, WEEK, AS_OF)
    precincts = table[table["geography_type"] == "precinct"]
    assert precincts["prior"].isna().all()
    assert precincts["note"].str.contains("a year ago in other precincts").all()
    assert table[table["geography_type"] == "city"]["prior"].notna().all()


def test_late_records_are_expected_within_ordered_intervals(small_department, city):
    incidents = city.incidents("2021-01-01", "2023-11-15")
    table = recent_weeks(incidents, small_department.load(), WEEK, AS_OF)
    held = table[table["offense"] != "Total Violent"]
    total = held[(held["geography_type"] == "city") & (held["offense"] == "Total Property")]
    total = total.set_index("span")
    # One record in seven comes 25 days late, which for these days is with the next file.
    share = total["reported"] / total["expected_final"]
    assert 0.75 < share["week_1"] < 0.95
    known = table[table["expected_final"].notna()]
    assert (known["lo_95"] <= known["lo_80"]).all() and (known["hi_80"] <= known["hi_95"]).all()
    assert (known["expected_final"] >= known["reported"]).all()
