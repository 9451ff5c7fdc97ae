"""Revisions since the last book, worked out by hand."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.compstat.revisions import SAME_DAY, last_book, revisions
from beatbook.compstat.table import compstat_table
from beatbook.errors import InvalidInput

WEEK = dt.date(2024, 3, 17)  # a Sunday; the last book is of March 10


def daily(department_with):
    return department_with(feed={"publishes": "daily"})


@pytest.fixture
def known(make_incidents):
    """A feed of days: one larceny each day, known the same day; then robberies, known late."""
    every = pd.date_range("2022-12-25", "2024-03-17")
    rows = [(str(day.date()), "Larceny", "4", 1, str(day.date())) for day in every]
    rows += [
        ("2024-03-05", "Robbery", "1", 1, "2024-03-06"),  # in the last book
        ("2024-03-06", "Robbery", "1", 1, "2024-03-14"),  # coded since
        ("2024-03-07", "Robbery", "2", 1, "2024-03-16"),  # coded since, in district 2
        ("2024-02-20", "Robbery", "1", 1, "2024-03-15"),  # in the 28 days, coded since
        ("2024-01-10", "Burglary", "1", 1, "2024-01-11"),  # in the year to date
        ("2024-01-10", "Burglary", "1", -1, "2024-03-12"),  # canceled since
        ("2024-03-12", "Robbery", "1", 1, "2024-03-13"),  # after the last book's week
    ]
    return make_incidents(rows)


def figures(table, offense):
    rows = table[table["offense"] == offense].set_index("window")
    return {
        window: tuple(rows.loc[window, ["then", "now", "difference"]])
        for window in ("week", "28_days", "year_to_date")
    }


def test_a_week_of_late_records_by_hand(known, department_with):
    found = revisions(known, daily(department_with), WEEK, WEEK)
    assert figures(found, "Robbery") == {
        "week": (1, 3, 2),
        "28_days": (1, 4, 3),
        "year_to_date": (1, 4, 3),
    }
    assert figures(found, "Burglary")["year_to_date"] == (1, 0, -1)
    assert figures(found, "Larceny")["week"] == (7, 7, 0)
    assert figures(found, "Total Part I")["year_to_date"] == (72, 74, 2)
    assert set(found["book_as_of"]) == {pd.Timestamp("2024-03-10")}
    week = found[found["window"] == "week"].iloc[0]
    assert (week["first_day"], week["last_day"]) == (
        pd.Timestamp("2024-03-04"),
        pd.Timestamp("2024-03-10"),
    )
    assert (found["note"] == "").all()


def test_a_precincts_own_revisions(known, department_with):
    department = daily(department_with)
    found = revisions(known, department, WEEK, WEEK, precinct="2")
    assert figures(found, "Robbery")["week"] == (0, 1, 1)
    assert set(found["geography"]) == {"2"}
    assert revisions(known, department, WEEK, WEEK, precinct="9").empty


def test_the_published_book_is_taken_at_its_word(known, department_with):
    department = daily(department_with)
    published = compstat_table(known, department, dt.date(2024, 3, 10), dt.date(2024, 3, 10))
    city = (published["geography_type"] == "city") & (published["offense"] == "Robbery")
    published.loc[city & (published["window"] == "week"), "current"] = 5
    found = revisions(known, department, WEEK, WEEK, previous=published)
    assert figures(found, "Robbery")["week"] == (5, 3, -2)


def test_a_book_of_the_same_week_or_of_two_is_no_previous_one(known, department_with):
    department = daily(department_with)
    this = compstat_table(known, department, WEEK, WEEK)
    with pytest.raises(InvalidInput, match="earlier week"):
        revisions(known, department, WEEK, WEEK, previous=this)
    older = this.assign(week_ending=pd.Timestamp("2024-03-03"))
    with pytest.raises(InvalidInput, match="2 books"):
        revisions(known, department, WEEK, WEEK, previous=pd.concat([this, older]))


def test_the_same_as_of_day_is_noted(known, department_with):
    department = daily(department_with)
    same = compstat_table(known, department, dt.date(2024, 3, 10), WEEK)
    found = revisions(known, department, WEEK, WEEK, previous=same)
    assert (found["note"] == SAME_DAY).all() and (found["difference"].dropna() == 0).all()


def test_a_monthly_feed_looks_back_to_the_month_before(make_incidents, department):
    every = pd.date_range("2022-12-01", "2024-03-31")
    known = make_incidents([(str(day.date()), "Larceny", "4") for day in every])
    # The weeks of March 10 to 24 were all told as of March 31, like this one.
    dates = last_book(known["known_on"], department, dt.date(2024, 3, 31), dt.date(2024, 3, 31))
    assert dates == (dt.date(2024, 2, 25), dt.date(2024, 2, 29))
    # A book made a month later has the one of March 31 before it.
    later = make_incidents([("2024-04-02", "Larceny", "4")])
    both = pd.concat([known, later])
    assert last_book(both["known_on"], department, dt.date(2024, 4, 7), dt.date(2024, 4, 30)) == (
        dt.date(2024, 3, 31),
        dt.date(2024, 3, 31),
    )


def test_the_first_book_has_none_before_it(make_incidents, department_with):
    every = pd.date_range("2024-03-11", "2024-03-17")
    known = make_incidents([(str(d.date()), "Larceny", "4", 1, str(d.date())) for d in every])
    department = daily(department_with)
    assert last_book(known["known_on"], department, WEEK, WEEK) is None
    assert revisions(known, department, WEEK, WEEK).empty
