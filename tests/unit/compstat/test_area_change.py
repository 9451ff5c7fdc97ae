"""Where shares rose or fell: a planted rise is found, a fall of the whole city is none."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.compstat.area_change import area_change
from beatbook.errors import InvalidInput

WEEK, AS_OF = dt.date(2024, 3, 31), dt.date(2024, 3, 31)
CODES = [str(n) for n in range(10)]


@pytest.fixture
def incidents(make_incidents):
    """Ten areas with 40 larcenies each in March 2023; in March 2024 20 each, but 80 in area 3."""
    rows, places = [], []
    for year, usual, third in ((2023, 40, 40), (2024, 20, 80)):
        for code in CODES:
            for n in range(third if code == "3" else usual):
                rows.append((f"{year}-03-{5 + n % 25:02d}", "Larceny", "4"))
                places.append(code)
    # The feed speaks for every month between.
    for month in pd.date_range("2023-01-01", "2024-03-01", freq="MS"):
        rows.append((str(month.date()), "Vandalism", "4"))
        places.append("0")
    frame = make_incidents(rows)
    frame["neighborhood"] = places
    return frame


def test_a_planted_rise_is_found_and_the_citys_fall_is_no_change(incidents, department):
    found = area_change(incidents, department, "neighborhood", CODES, WEEK, AS_OF)
    total = found[found["offense"] == "Total Part I"].set_index("code")
    assert total["change"]["3"] == "rose"
    assert set(total["change"].drop("3")) == {"alike"}
    third = total.loc["3"]
    assert (third["before"], third["now"]) == (40, 80)
    assert third["now_share"] == pytest.approx(80 / 260)
    assert (third["start"], third["before_end"]) == (
        pd.Timestamp("2024-03-04"),
        pd.Timestamp("2023-03-31"),
    )
    # Larceny alone and the total; nothing else happened.
    assert found["offense"].unique().tolist() == ["Total Part I", "Larceny"]


def test_both_years_lack_as_many_late_records(incidents, department):
    late = incidents.copy()
    # Coded a month after their year's March: not in a book as of the end of March.
    rows = (late["neighborhood"] == "3") & (late["occurred_from"].dt.year == 2023)
    rows &= late["offense"] == "Larceny"
    late.loc[rows[rows].index[:15], "known_on"] = pd.Timestamp("2023-04-30")
    found = area_change(late, department, "neighborhood", CODES, WEEK, AS_OF)
    assert found.set_index(["offense", "code"]).loc[("Larceny", "3"), "before"] == 25


def test_offenses_in_no_area_are_told(incidents, department):
    found = area_change(incidents, department, "neighborhood", CODES[:9], WEEK, AS_OF)
    assert set(found["elsewhere"]) == {20}


def test_what_the_feed_does_not_cover_is_not_compared(incidents, department):
    recent = incidents[incidents["known_on"] >= "2023-06-01"]
    assert area_change(recent, department, "neighborhood", CODES, WEEK, AS_OF).empty


def test_precincts_across_a_redistricting_are_not_compared(incidents, department_with):
    redrawn = department_with(
        codes={"2008-01-01": ["1", "2"], "2023-09-01": ["3", "4"]},
    )
    assert area_change(incidents, redrawn, "precinct", ["3", "4"], WEEK, AS_OF).empty


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kind": "ward"}, "no column 'ward'"),
        ({"codes": ["1", "1"]}, "listed twice"),
        ({"offenses": ["Rape"]}, "Rape is not mapped"),
    ],
)
def test_refusals(incidents, department, arguments, words):
    given = {"kind": "neighborhood", "codes": CODES} | arguments
    with pytest.raises(InvalidInput, match=words):
        area_change(incidents, department, week_ending=WEEK, as_of=AS_OF, **given)
