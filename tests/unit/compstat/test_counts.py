"""Net counts by week, precinct and offense, held against plain loops."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beatbook.compstat.counts import (
    area_counts,
    comparable_precinct,
    counted_day,
    daily_counts,
    precincts_in_force,
    weekly_counts,
    weekly_series,
)
from beatbook.tables import WEEKLY_COUNTS

DAYS = st.datetimes(dt.datetime(2023, 11, 20), dt.datetime(2024, 2, 28))
RECORDS = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from(["Robbery", "Burglary", "Unmapped"]),
        st.sampled_from(["1", "2", "10", None]),
        st.sampled_from([1, 1, 1, -1]),
        st.sampled_from(["2023-12-31", "2024-01-31", "2024-02-29"]),
    ),
    min_size=1,
    max_size=60,
)


def day(text):
    return dt.date.fromisoformat(text)


@given(records=RECORDS, first=st.sampled_from(["monday", "sunday", "thursday"]))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_weekly_counts_equal_a_plain_loop(department, make_incidents, records, first):
    department = department.model_copy(update={"week_start": first})
    incidents = make_incidents(records)
    table = WEEKLY_COUNTS.conform(weekly_counts(incidents, department))
    number = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    expected = {}
    for occurred, offense, precinct, count, _ in records:
        start = occurred.date()
        while start.weekday() != number.index(first):
            start -= dt.timedelta(days=1)
        key = (precinct or "Unknown", offense, start)
        expected[key] = expected.get(key, 0) + count
    found = {
        (row.precinct, row.offense, row.week.date()): row.incidents for row in table.itertuples()
    }
    weeks = {key[2] for key in found}
    assert found == {key: expected.get(key, 0) for key in found}
    # Nothing that falls in a covered week is left out, and the grid has no hole.
    assert {key: n for key, n in expected.items() if key[2] in weeks and n} == {
        key: n for key, n in found.items() if n
    }
    places = {key[0] for key in expected} | {"Unknown"}
    offenses = {key[1] for key in expected}
    assert len(found) == len(weeks) * len(places) * len(offenses)


def test_a_week_without_offenses_is_a_zero_and_a_week_without_feed_is_no_row(
    department, make_incidents
):
    table = weekly_counts(
        make_incidents(
            [
                ("2024-01-02 23:59", "Robbery", "1"),
                ("2024-01-07 23:59", "Robbery", "1"),
                ("2024-01-08 00:00", "Robbery", "2"),
                ("2024-03-05 12:00", "Robbery", "1"),
            ]
        ),
        department,
    )
    one = table[(table["precinct"] == "1") & (table["offense"] == "Robbery")]
    counts = {str(week.date()): n for week, n in zip(one["week"], one["incidents"], strict=True)}
    assert counts == {
        "2024-01-01": 2, "2024-01-08": 0, "2024-01-15": 0, "2024-01-22": 0,
        # February is not in the feed, nor are the weeks that reach into it.
        "2024-03-04": 1, "2024-03-11": 0, "2024-03-18": 0, "2024-03-25": 0,
    }  # fmt: skip


def test_a_canceled_record_takes_one_away_in_the_week_it_happened(department, make_incidents):
    table = weekly_counts(
        make_incidents(
            [
                ("2024-01-02", "Robbery", "1", 1, "2024-01-31"),
                ("2024-01-02", "Robbery", "1", -1, "2024-02-29"),
                ("2024-01-09", "Robbery", "1", -1, "2024-01-31"),
            ]
        ),
        department,
    )
    counts = table.query("precinct == '1'").set_index("week")["incidents"]
    assert counts[pd.Timestamp("2024-01-01")] == 0
    assert counts[pd.Timestamp("2024-01-08")] == -1


def test_precincts_are_in_peoples_order_with_unknown_last(department, make_incidents):
    rows = [("2024-01-02", "Robbery", code) for code in ("10", "2", None, "9", "X")]
    table = weekly_counts(make_incidents(rows), department)
    assert list(table["precinct"].drop_duplicates()) == ["2", "9", "10", "X", "Unknown"]


def test_counting_by_report(department_with, make_incidents):
    department = department_with(count_by="report")
    incidents = make_incidents(
        [("2024-01-07 22:00", "Robbery", "1"), ("2024-01-07", "Robbery", "2")]
    )
    incidents.loc[1, "reported_at"] = pd.NaT
    assert counted_day(incidents, department).tolist() == [
        pd.Timestamp("2024-01-08"),
        pd.Timestamp("2024-01-31"),  # never reported: the day it was known
    ]


def test_daily_counts_stand_for_the_incidents(department, make_incidents, st_louis_tables):
    path = st_louis_tables.cleaned.incidents
    columns = ["occurred_from", "reported_at", "known_on", "precinct", "offense", "count"]
    from_rows = weekly_counts(st_louis_tables.incidents[columns], st_louis_tables.department)
    from_days = weekly_counts(daily_counts(path), st_louis_tables.department)
    pd.testing.assert_frame_equal(from_rows, from_days, check_dtype=False)


def test_the_weekly_counts_of_st_louis(st_louis_tables):
    counts = weekly_counts(st_louis_tables.incidents, st_louis_tables.department)
    WEEKLY_COUNTS.conform(counts)
    assert counts["week"].min() == pd.Timestamp("2008-01-07")
    assert counts["week"].max() == pd.Timestamp("2019-12-23")
    assert counts["week"].nunique() == 625
    assert (counts["week"].dt.day_of_week == 0).all()


# --- precincts over a redistricting ---


@pytest.fixture
def redrawn(department_with):
    return department_with(codes={"2008-01-01": ["1", "2", "9"], "2014-01-01": ["1", "2"]})


def test_the_precincts_of_a_day(redrawn):
    assert precincts_in_force(redrawn, day("2013-12-31")) == ["1", "2", "9"]
    assert precincts_in_force(redrawn, day("2014-01-01")) == ["1", "2"]
    assert precincts_in_force(redrawn, day("1999-01-01")) == ["1", "2", "9"]


def test_a_code_of_another_division_counts_under_unknown(redrawn, make_incidents):
    incidents = make_incidents(
        [
            ("2013-12-30", "Robbery", "1", 1, "2013-12-31"),
            ("2013-12-30", "Robbery", "1", 1, "2014-01-31"),
            ("2013-12-30", "Robbery", "9", 1, "2013-12-31"),
            ("2013-12-30", "Robbery", None, 1, "2013-12-31"),
            ("2014-02-01", "Robbery", "9", 1, "2014-02-28"),
        ]
    )
    assert comparable_precinct(incidents, redrawn, day("2014-03-02")).tolist() == [
        "Unknown", "1", "Unknown", "Unknown", "Unknown",
    ]  # fmt: skip
    assert comparable_precinct(incidents, redrawn, day("2013-12-29")).tolist() == [
        "1", "Unknown", "9", "Unknown", "Unknown",
    ]  # fmt: skip


def test_a_redistricting_that_is_said_without_lists_of_codes(department_with, make_incidents):
    # The numbers stay; what they mean changes.
    department = department_with(redistrictings=[dt.date(2014, 1, 1)])
    incidents = make_incidents([("2013-12-30", "Robbery", "1"), ("2014-01-05", "Robbery", "1")])
    found = comparable_precinct(incidents, department, day("2014-02-02"))
    assert found.tolist() == ["Unknown", "1"]


def test_only_the_division_of_the_day_counts_between_two_changes(department_with, make_incidents):
    department = department_with(redistrictings=[dt.date(2014, 1, 1), dt.date(2018, 1, 1)])
    rows = [(f"{year}-06-15", "Robbery", "1") for year in (2013, 2015, 2019)]
    found = comparable_precinct(make_incidents(rows), department, day("2015-12-27"))
    assert found.tolist() == ["Unknown", "1", "Unknown"]


# --- series and areas ---


def test_a_series_of_a_total_and_of_one_precinct(department, make_incidents):
    start = dt.date(2023, 10, 2)
    rows = []
    for week in range(20):
        first = start + dt.timedelta(weeks=week)
        rows += [(str(first), "Robbery", "1")] * week + [(str(first), "Homicide", "2")]
        rows += [(str(first), "Larceny", "1")] * 3
    counts = weekly_counts(make_incidents(rows), department)
    total = weekly_series(counts, "Total Violent", day("2024-01-28"), weeks=6)
    assert list(total["incidents"]) == [12, 13, 14, 15, 16, 17]
    assert total["week"].iloc[-1] == pd.Timestamp("2024-01-22")
    # The mean of the eight weeks before, not of the week itself.
    assert total["mean"].iloc[-1] == pytest.approx(sum(range(9, 17)) / 8)
    one = weekly_series(counts, "Total Violent", day("2024-01-28"), weeks=2, precinct="2")
    assert list(one["incidents"]) == [1, 1]
    none = weekly_series(counts, "Arson", day("2024-01-28"), weeks=2)
    assert list(none["incidents"]) == [0, 0]


def test_a_series_does_not_reach_across_a_gap(department, make_incidents):
    rows = [(f"2023-{month:02d}-10", "Robbery", "1") for month in range(1, 7)]
    rows += [(f"2023-{month:02d}-10", "Robbery", "1") for month in range(9, 13)]
    counts = weekly_counts(make_incidents(rows), department)
    series = weekly_series(counts, "Robbery", day("2023-12-31"))
    assert series["week"].iloc[0] == pd.Timestamp("2023-09-04")
    assert (series["week"].diff().dropna() == pd.Timedelta(days=7)).all()


def test_area_counts_are_net_and_keep_those_without_an_area(department, make_incidents):
    incidents = make_incidents(
        [
            ("2024-01-01 00:00", "Robbery", "1"),
            ("2024-01-07 23:59", "Robbery", "1"),
            ("2024-01-08 00:00", "Robbery", "1"),
            ("2023-12-31 23:59", "Robbery", "1"),
            ("2024-01-03", "Robbery", "2", -1),
            ("2024-01-03", "Robbery", None),
            ("2024-01-03", "Arson", "1"),
        ]
    )
    counts = area_counts(
        incidents, department, "precinct", day("2024-01-01"), day("2024-01-07"), ["Robbery"]
    )
    assert counts.to_dict() == {"1": 2, "2": -1, "Unknown": 1}
