"""The CompStat table: counts by hand, parts that add up, and what is left empty."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beatbook.compstat.change import e_test
from beatbook.compstat.table import compstat_table
from beatbook.offenses import ROWS, TOTALS, UNMAPPED
from beatbook.tables import COMPSTAT

WEEK = dt.date(2024, 3, 10)
AS_OF = dt.date(2024, 3, 31)
FIGURES = ["current", "prior", "percent_change", "p_value", "q_value"]


def one(table, geography, offense, window, comparison="prior_year"):
    chosen = table[
        (table["geography"] == geography)
        & (table["offense"] == offense)
        & (table["window"] == window)
        & (table["comparison"] == comparison)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def filler(start="2022-01-01", end="2024-03-31"):
    """One larceny a month, so that the feed covers every month."""
    return [(str(day.date()), "Larceny", "4") for day in pd.date_range(start, end, freq="MS")]


@pytest.fixture
def small(make_incidents):
    """Two precincts by hand, around the week of March 4 to 10, 2024."""
    return make_incidents(
        [
            *filler(),
            ("2024-03-04 00:00", "Robbery", "1"),
            ("2024-03-10 23:59", "Robbery", "1"),
            ("2024-03-10 12:00", "Robbery", "2"),
            ("2024-03-10 12:00", "Robbery", None),
            ("2024-03-11 00:00", "Robbery", "1"),  # after the week
            ("2024-03-03 23:59", "Robbery", "1"),  # the week before
            ("2024-03-05", "Robbery", "2", -1),
            ("2024-02-12", "Robbery", "1"),  # first of the 28 days
            ("2024-02-11", "Robbery", "1"),  # last of the 28 before
            ("2024-01-01", "Robbery", "1"),
            ("2023-12-31", "Robbery", "1"),
            ("2023-03-04", "Robbery", "1"),  # the same dates a year ago
            ("2023-03-11", "Robbery", "1"),  # a day past them
            ("2024-03-06", "Homicide", "1"),
            ("2024-03-06", "Arson", "1"),
        ]
    )


def test_the_table_by_hand(small, department):
    table = compstat_table(small, department, WEEK, AS_OF)

    def figures(geography, offense, window, comparison):
        row = one(table, geography, offense, window, comparison)
        return row["current"], row["prior"]

    city = "Example City"
    assert figures(city, "Robbery", "week", "prior_period") == (3, 1)
    assert figures("1", "Robbery", "week", "prior_period") == (2, 1)
    assert figures("2", "Robbery", "week", "prior_period") == (0, 0)  # one, and one canceled
    assert figures("Unknown", "Robbery", "week", "prior_period") == (1, 0)
    assert figures("3", "Robbery", "week", "prior_period") == (0, 0)
    assert figures(city, "Robbery", "week", "prior_year") == (3, 1)
    assert figures(city, "Robbery", "28_days", "prior_period") == (5, 1)
    assert figures(city, "Robbery", "28_days", "prior_year") == (5, 1)
    assert figures(city, "Robbery", "year_to_date", "prior_year") == (7, 1)
    assert figures(city, "Homicide", "week", "prior_period") == (1, 0)
    # Arson is shown, and is in no total.
    assert figures(city, "Arson", "week", "prior_period") == (1, 0)
    assert figures(city, "Total Violent", "week", "prior_period") == (4, 1)
    assert figures(city, "Total Property", "week", "prior_period") == (0, 1)
    assert figures(city, "Total Part I", "week", "prior_period") == (4, 2)


def test_the_table_is_as_declared_and_in_the_order_of_the_book(small, department):
    table = COMPSTAT.conform(compstat_table(small, department, WEEK, AS_OF))
    places = list(table[["geography_type", "geography"]].drop_duplicates().itertuples(index=False))
    assert [tuple(place) for place in places] == [
        ("city", "Example City"), ("precinct", "1"), ("precinct", "2"), ("precinct", "3"),
        ("precinct", "4"), ("precinct", "Unknown"),
    ]  # fmt: skip
    first = table[table["geography_type"] == "city"]
    assert list(first["offense"].drop_duplicates()) == [*ROWS, *TOTALS]
    assert list(first["offense"].drop_duplicates())[-3:] == [
        "Total Violent", "Total Property", "Total Part I",
    ]  # fmt: skip
    windows = first[first["offense"] == "Homicide"][["window", "comparison"]]
    assert [tuple(row) for row in windows.itertuples(index=False)] == [
        ("week", "prior_period"), ("week", "prior_year"), ("28_days", "prior_period"),
        ("28_days", "prior_year"), ("year_to_date", "prior_year"),
    ]  # fmt: skip
    assert len(table) == 6 * 11 * 5
    assert set(table["department"]) == {"example"}
    assert set(table["week_ending"]) == {pd.Timestamp(WEEK)}
    assert set(table["as_of"]) == {pd.Timestamp(AS_OF)}


def test_dw_1_dates_of_the_windows(small, department, known_answer):
    expected = known_answer("DW-1")["expected"]
    table = compstat_table(small, department, WEEK, AS_OF)

    def spans(window, comparison):
        row = one(table, "1", "Arson", window, comparison)
        names = ("current_start", "current_end", "prior_start", "prior_end")
        return [str(row[name].date()) for name in names]

    assert spans("week", "prior_period")[:2] == expected["week"]
    assert spans("28_days", "prior_period") == [*expected["d28"], *expected["prior28"]]
    assert spans("year_to_date", "prior_year") == [*expected["ytd"], *expected["prior_ytd"]]


def test_a_zero_base_has_no_percentage(small, department):
    table = compstat_table(small, department, WEEK, AS_OF)
    row = one(table, "Example City", "Homicide", "week", "prior_period")
    assert (row["current"], row["prior"]) == (1, 0)
    assert np.isnan(row["percent_change"])
    assert row["p_value"] == pytest.approx(e_test(1, 0))
    nothing = one(table, "3", "Homicide", "week", "prior_period")
    assert nothing[["percent_change", "p_value", "q_value"]].isna().all()
    change = one(table, "Example City", "Robbery", "week", "prior_period")["percent_change"]
    assert change == pytest.approx(200)


def test_the_test_takes_the_days_of_each_window(make_incidents, department):
    # January 1 to March 10: 70 days in 2024, 69 in 2023.
    rows = filler() + [("2024-02-10", "Robbery", "1")] * 12 + [("2023-02-10", "Robbery", "1")] * 4
    table = compstat_table(make_incidents(rows), department, WEEK, AS_OF)
    row = one(table, "1", "Robbery", "year_to_date")
    assert row["p_value"] == pytest.approx(e_test(12, 4, 70, 69))
    assert row["p_value"] != pytest.approx(e_test(12, 4), rel=1e-6)


def test_q_values_are_over_all_tests_of_the_page(small, department):
    table = compstat_table(small, department, WEEK, AS_OF)
    tested = table["p_value"].dropna()
    assert len(tested) > 20
    ranked = tested.sort_values()
    raw = ranked * len(ranked) / np.arange(1, len(ranked) + 1)
    expected = raw[::-1].cummin()[::-1].clip(upper=1)
    pd.testing.assert_series_equal(
        table["q_value"].dropna().sort_index(), expected.sort_index(), check_names=False
    )


RECORD = st.tuples(
    st.datetimes(dt.datetime(2023, 1, 1), dt.datetime(2024, 3, 12)),
    st.sampled_from([*ROWS, UNMAPPED, "Vandalism"]),
    st.sampled_from(["1", "2", "3", "4", None, "77"]),
    st.sampled_from([1, 1, 1, 1, -1]),
)


@given(st.lists(RECORD, max_size=80))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_parts_add_up_to_the_city(department, make_incidents, records):
    table = compstat_table(make_incidents(filler() + records), department, WEEK, AS_OF)
    assert (table["note"] == "").all()
    keys = ["offense", "window", "comparison"]
    city = table[table["geography_type"] == "city"].set_index(keys)[["current", "prior"]]
    parts = table[table["geography_type"] == "precinct"].groupby(keys)[["current", "prior"]].sum()
    assert (city == parts.loc[city.index]).all(axis=None)
    for total, offenses in TOTALS.items():
        summed = sum(city.loc[offense] for offense in offenses)
        assert (city.loc[total] == summed).all(axis=None)


def test_unmapped_codes_have_a_row_only_where_there_are_any(small, department, make_incidents):
    assert UNMAPPED not in set(compstat_table(small, department, WEEK, AS_OF)["offense"])
    more = pd.concat([small, make_incidents([("2024-03-06", UNMAPPED, "1")])], ignore_index=True)
    table = compstat_table(more, department, WEEK, AS_OF)
    assert one(table, "1", UNMAPPED, "week", "prior_period")["current"] == 1
    # They are in no total.
    assert one(table, "Example City", "Total Part I", "week", "prior_period")["current"] == 4


# --- what is left empty ---


def test_a_window_without_feed_is_missing_and_not_zero(make_incidents, department):
    rows = [("2024-03-06", "Robbery", "1")]
    for month in ("2022-03-06", "2024-01-05", "2024-02-05"):  # 2023 is not in the feed
        rows.append((month, "Robbery", "1"))
    table = compstat_table(make_incidents(rows), department, WEEK, AS_OF)
    week = one(table, "1", "Robbery", "week", "prior_year")
    assert week["current"] == 1
    assert week["note"] == "not covered"
    assert week[["prior", "percent_change", "p_value", "q_value"]].isna().all()
    covered = one(table, "1", "Homicide", "week", "prior_period")
    assert (covered["current"], covered["prior"], covered["note"]) == (0, 0, "")
    assert one(table, "Example City", "Robbery", "year_to_date")["note"] == "not covered"


def test_a_current_window_without_feed_is_missing(make_incidents, department):
    rows = [("2024-03-06", "Robbery", "1"), ("2023-03-06", "Robbery", "1")]
    rows += [("2023-02-20", "Robbery", "1"), ("2023-01-20", "Robbery", "1")]
    table = compstat_table(make_incidents(rows), department, WEEK, AS_OF)
    row = one(table, "1", "Robbery", "28_days")
    assert pd.isna(row["current"])
    assert row["prior"] == 2
    assert row["note"] == "not covered"
    assert one(table, "1", "Robbery", "week")["note"] == ""


@pytest.mark.parametrize("kind", ["codes", "redistrictings"])
def test_a_precincts_window_across_a_redistricting_is_not_compared(
    department_with, make_incidents, kind
):
    change = "2024-02-01"
    if kind == "codes":
        department = department_with(codes={"2008-01-01": ["1", "2", "9"], change: ["1", "2"]})
    else:
        department = department_with(redistrictings=[dt.date.fromisoformat(change)])
    rows = [*filler(), ("2024-01-20", "Robbery", "1"), ("2024-03-06", "Robbery", "1")]
    rows += [("2023-03-06", "Robbery", "1"), ("2024-02-28", "Robbery", "1")]
    table = compstat_table(make_incidents(rows), department, WEEK, AS_OF)
    crossing = one(table, "1", "Robbery", "week", "prior_year")
    assert crossing["note"] == "not comparable"
    assert crossing["current"] == 1
    assert crossing[["prior", "percent_change", "p_value", "q_value"]].isna().all()
    # The 28 days before start on January 15, before the change.
    assert one(table, "1", "Robbery", "28_days", "prior_period")["note"] == "not comparable"
    assert one(table, "Unknown", "Robbery", "28_days", "prior_period")["note"] == "not comparable"
    # The week and the week before lie after it; the city is always compared.
    week = one(table, "1", "Robbery", "week", "prior_period")
    assert (week["current"], week["prior"], week["note"]) == (1, 1, "")
    city = one(table, "Example City", "Robbery", "28_days", "prior_period")
    assert (city["current"], city["prior"], city["note"]) == (2, 1, "")
    if kind == "codes":
        assert "9" not in set(table["geography"])


def test_a_window_that_starts_on_the_day_of_the_change_is_compared(department_with, make_incidents):
    # The 28 days before March 10 and the 28 before those start on January 15.
    for day, note in (("2024-01-15", ""), ("2024-01-16", "not comparable")):
        department = department_with(redistrictings=[dt.date.fromisoformat(day)])
        table = compstat_table(make_incidents(filler()), department, WEEK, AS_OF)
        assert one(table, "1", "Robbery", "28_days", "prior_period")["note"] == note


def test_a_missing_feed_is_told_before_a_redistricting(department_with, make_incidents):
    department = department_with(redistrictings=[dt.date(2024, 1, 1)])
    rows = filler("2023-12-01")
    table = compstat_table(make_incidents(rows), department, WEEK, AS_OF)
    assert one(table, "1", "Robbery", "week", "prior_year")["note"] == "not covered"


# --- as of ---


def test_a_book_uses_nothing_that_was_known_later(small, department, make_incidents):
    as_of = dt.date(2024, 3, 31)
    before = compstat_table(small, department, WEEK, as_of)
    later = make_incidents(
        [
            ("2024-03-06", "Robbery", "1", 1, "2024-04-01"),
            ("2024-03-06", "Homicide", "1", -1, "2024-04-30"),
            ("2023-03-06", UNMAPPED, "77", 1, "2025-01-31"),
        ]
    )
    with_later = pd.concat([later, small], ignore_index=True)
    after = compstat_table(with_later, department, WEEK, as_of)
    pd.testing.assert_frame_equal(before, after)
    seen = compstat_table(with_later, department, WEEK, dt.date(2024, 4, 30))
    assert one(seen, "1", "Robbery", "week", "prior_period")["current"] == 3
    assert one(seen, "1", "Homicide", "week", "prior_period")["current"] == 0


def test_the_order_of_the_records_is_irrelevant(small, department):
    shuffled = small.sample(frac=1, random_state=np.random.default_rng(7))
    pd.testing.assert_frame_equal(
        compstat_table(small, department, WEEK, AS_OF),
        compstat_table(shuffled, department, WEEK, AS_OF),
    )


# --- settings ---


def test_a_leap_day_that_is_left_out_is_left_out_of_counts_and_days(
    department_with, make_incidents
):
    rows = filler() + [("2024-02-29", "Robbery", "1")] * 5 + [("2024-02-28", "Robbery", "1")] * 9
    rows += [("2023-02-28", "Robbery", "1")] * 3
    include = compstat_table(make_incidents(rows), department_with(), WEEK, AS_OF)
    exclude = compstat_table(make_incidents(rows), department_with(leap_day="exclude"), WEEK, AS_OF)
    assert one(include, "1", "Robbery", "year_to_date")["current"] == 14
    row = one(exclude, "1", "Robbery", "year_to_date")
    assert (row["current"], row["prior"]) == (9, 3)
    assert row["p_value"] == pytest.approx(e_test(9, 3, 69, 69))


def test_counting_by_report(department_with, make_incidents):
    rows = [*filler(), ("2024-03-03 22:00", "Robbery", "1"), ("2024-03-10 22:00", "Robbery", "1")]
    table = compstat_table(make_incidents(rows), department_with(count_by="report"), WEEK, AS_OF)
    row = one(table, "1", "Robbery", "week", "prior_period")
    # Both are reported the day after: on March 4, and on March 11.
    assert (row["current"], row["prior"]) == (1, 0)


def test_a_year_ago_by_weekdays(department_with, make_incidents):
    rows = [*filler(), ("2023-03-12", "Robbery", "1"), ("2023-03-05", "Robbery", "1")]
    table = compstat_table(
        make_incidents(rows), department_with(year_ago="same_weekdays"), WEEK, AS_OF
    )
    row = one(table, "1", "Robbery", "week")
    assert (str(row["prior_start"].date()), row["prior"]) == ("2023-03-06", 1)


# --- the real thing ---


@pytest.fixture(scope="module")
def st_louis_book(st_louis_tables):
    return compstat_table(
        st_louis_tables.incidents,
        st_louis_tables.department,
        dt.date(2019, 12, 29),
        dt.date(2019, 12, 31),
    )


def test_a_book_of_st_louis_is_whole(st_louis_book):
    table = COMPSTAT.conform(st_louis_book)
    assert list(table["geography"].drop_duplicates()) == ["St. Louis", *"123456", "Unknown"]
    assert (table["note"] == "").all()
    assert table[["current", "prior"]].notna().all(axis=None)
    keys = ["offense", "window", "comparison"]
    city = table[table["geography_type"] == "city"].set_index(keys)[["current", "prior"]]
    parts = table[table["geography_type"] == "precinct"].groupby(keys)[["current", "prior"]].sum()
    assert (city == parts.loc[city.index]).all(axis=None)


def test_a_book_of_st_louis_equals_a_plain_sum(st_louis_book, st_louis_tables):
    incidents = st_louis_tables.incidents
    robberies = incidents[(incidents["offense"] == "Robbery") & (incidents["precinct"] == "4")]
    to_date = robberies["occurred_from"].between("2019-01-01", "2019-12-29 23:59:59")
    row = one(st_louis_book, "4", "Robbery", "year_to_date")
    assert row["current"] == robberies.loc[to_date, "count"].sum() > 100


def test_a_book_of_st_louis_across_its_redistricting(st_louis_tables):
    table = compstat_table(
        st_louis_tables.incidents,
        st_louis_tables.department,
        dt.date(2014, 6, 29),
        dt.date(2014, 6, 30),
    )
    assert list(table["geography"].drop_duplicates()) == ["St. Louis", *"123456", "Unknown"]
    precincts = table[table["geography_type"] == "precinct"]
    year_ago = precincts["comparison"] == "prior_year"
    assert (precincts.loc[year_ago, "note"] == "not comparable").all()
    assert precincts.loc[year_ago, FIGURES[1:]].isna().all(axis=None)
    assert precincts.loc[~year_ago, "prior"].notna().all()
    assert table.loc[table["geography_type"] == "city", "prior"].notna().all()
