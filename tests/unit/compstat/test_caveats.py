"""What a reader is told beside the figures: right numbers, in whole sentences."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.compstat.caveats import Share, caveats, corrected, in_question
from beatbook.compstat.headlines import headlines
from beatbook.compstat.table import compstat_table

WEEK = dt.date(2024, 3, 10)
AS_OF = dt.date(2024, 3, 31)


def filler(start="2022-01-01", end="2024-03-31"):
    return [(str(day.date()), "Larceny", "4") for day in pd.date_range(start, end, freq="MS")]


@pytest.fixture
def tell(make_incidents):
    """The caveats of hand-made incidents, as one text."""

    def tell(rows, department, refused=0, refused_in="feed.csv", as_of=AS_OF, week=WEEK, **columns):
        incidents = make_incidents(rows)
        incidents["location_quality"] = "block"
        incidents["precinct_disagrees"] = False
        for name, values in columns.items():
            incidents.loc[incidents.index[-len(values) :], name] = values
        rejected = pd.DataFrame(
            {"source_file": [refused_in] * refused, "reason": "unreadable_count"}
        )
        table = compstat_table(incidents, department, week, as_of)
        return "\n".join(caveats(incidents, rejected, table, department, week, as_of))

    return tell


def test_a_share_is_told_with_its_counts():
    assert str(Share(1, 8)) == "1 of 8 (12.5 %)"
    assert str(Share(1234, 10_000)) == "1,234 of 10,000 (12.3 %)"
    assert str(Share(0, 0)) == "0 of 0 (0.0 %)"


def test_refused_rows_are_told(tell, department):
    rows = filler()
    assert f"All {len(rows)} rows of the feed known by 2024-03-31 are counted" in tell(
        rows, department
    )
    told = tell(rows, department, refused=3)
    assert f"3 of {len(rows) + 3} (10.0 %) rows of the feed could not be read" in told
    assert "rejected_incidents" in told
    # A later file's refused rows were not in the feed by then.
    assert "none was refused" in tell(rows, department, refused=3, refused_in="later.csv")


def test_locations_are_told_of_part_one_of_the_week(tell, department):
    week = [("2024-03-05", "Robbery", "1")] * 8 + [("2024-03-05", "Vandalism", "1")] * 2
    told = tell(
        filler() + week,
        department,
        location_quality=["missing", "outside", "pile_up"] + ["exact"] * 5 + ["missing"] * 2,
    )
    assert "Location: 3 of 8 (37.5 %) Part I records of the week" in told


def test_unknown_and_disagreeing_precincts_are_told(tell, department):
    week = [("2024-03-05", "Robbery", code) for code in ("1", "2", None, None)]
    told = tell(filler() + week, department, precinct_disagrees=[True, False, False, False])
    assert "District: 2 of 4 (50.0 %) Part I records of the week carry no district" in told
    assert "1 of 4 (25.0 %) Part I records of the week name one district and lie in" in told
    assert "lie in another" not in tell(filler(), department)


def test_unmapped_codes_are_told(tell, department):
    week = [("2024-03-05", "Unmapped", "1")] * 2
    assert "2 records of the week carry an offense code that offenses.csv" in tell(
        filler() + week, department
    )
    assert "Unmapped" not in tell(filler(), department)


def test_a_window_that_is_not_covered_is_named(tell, department):
    told = tell(filler("2024-01-01"), department)
    line = next(line for line in told.splitlines() if line.startswith("Not covered"))
    # The 28 days before reach into January, which is covered; only 2023 is not.
    assert line.endswith(
        "2023-01-01 to 2023-03-10; 2023-02-12 to 2023-03-10; 2023-03-04 to 2023-03-10."
    )
    assert "Not covered" not in tell(filler(), department)


def test_a_window_is_not_blamed_for_the_one_it_is_compared_with(tell, department):
    months = ("2024-03", "2023-01", "2023-02", "2023-03")
    rows = [(f"{month}-05", "Robbery", "1") for month in months]
    line = next(
        line for line in tell(rows, department).splitlines() if line.startswith("Not covered")
    )
    assert "2024-02-12 to 2024-03-10" in line
    assert "2023-02-12 to 2023-03-10" not in line


def test_a_redistricting_is_told_where_it_matters(tell, department_with):
    department = department_with(redistrictings=[dt.date(2024, 1, 1)])
    assert "Districts were redrawn on 2024-01-01" in tell(filler(), department)
    settled = department_with(redistrictings=[dt.date(2015, 1, 1)])
    assert "redrawn" not in tell(filler(), settled)


def late(department_with, weeks):
    return department_with(book={"late_coding": {"weeks": weeks, "source": "measured"}})


def test_weeks_that_will_still_rise_are_told(tell, department_with):
    department = late(department_with, [0.87, 0.95, 0.98])
    told = tell(filler(), department, as_of=dt.date(2024, 3, 11))
    assert "Still likely to rise" in told
    assert "87 % (this book's week), 95 % (the week before), 98 % (2 weeks before)" in told
    # A week on, the book's week is no longer the last one.
    later = tell(filler(), department, as_of=dt.date(2024, 3, 17))
    assert "95 % (this book's week), 98 % (the week before)" in later
    assert "measured" in told
    settled = tell(filler(), department, as_of=dt.date(2024, 3, 31))
    assert "The week ended 21 days before the as-of day" in settled


def test_any_number_of_late_weeks_may_be_given(tell, department_with):
    department = late(department_with, [0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    assert "95 % (5 weeks before)" in tell(filler(), department, as_of=dt.date(2024, 3, 12))


def test_a_department_that_says_nothing_of_late_coding(tell, department):
    assert "Still likely to rise" not in tell(filler(), department)


# --- headlines ---


def test_headlines_name_sure_and_large_changes_only(make_incidents, department):
    rows = filler() + [("2024-03-05", "Robbery", "1")] * 60 + [("2024-02-28", "Robbery", "1")] * 12
    rows += [("2023-03-05", "Robbery", "1")] * 11
    rows += [("2024-03-05", "Homicide", "2")] * 9  # from none to nine: sure, but a small base
    rows += [("2024-03-05", "Burglary", "3")] * 20 + [("2024-02-28", "Burglary", "3")] * 19
    table = compstat_table(make_incidents(rows), department, WEEK, AS_OF)
    told = headlines(table, "District")
    assert "District 1: Robbery is up this week, 60 against 12 the week before (+400 %)." in told
    assert any(line.startswith("Citywide: Robbery is up this week, 60 against 11") for line in told)
    assert not any("Homicide" in line for line in told)
    assert not any("20 against 19" in line for line in told)
    # The surest first.
    sure = (table["q_value"] < 0.05) & (table[["current", "prior"]].max(axis=1) >= 10)
    surest = table[sure].sort_values(["q_value", "p_value"]).iloc[0]
    assert len(told) == sure.sum()
    assert f"{surest['current']} against {surest['prior']}" in told[0]


def test_a_fall_and_a_zero_base_are_told_as_such(make_incidents, department):
    rows = filler() + [("2024-02-28", "Robbery", None)] * 40 + [("2024-03-05", "Arson", "2")] * 30
    told = headlines(compstat_table(make_incidents(rows), department, WEEK, AS_OF), "Zone")
    assert (
        "No zone known: Robbery is down this week, 0 against 40 the week before (-100 %)." in told
    )
    assert "Zone 2: Arson is up this week, 30 against 0 the week before." in told


def test_a_quiet_book_has_no_headline(make_incidents, department):
    table = compstat_table(make_incidents(filler()), department, WEEK, AS_OF)
    assert headlines(table, "District") == []


def queue(*items):
    return pd.DataFrame(items, columns=["record_key", "state"])


def test_corrected_records_are_told_with_their_fields(make_incidents, department):
    rows = [*filler(), ("2024-03-05", "Robbery", "1"), ("2024-03-06", "Robbery", "1")]
    incidents = make_incidents(rows)
    incidents["corrected_fields"] = None
    assert corrected(incidents) == []
    incidents["corrected_fields"] = incidents["corrected_fields"].astype("str")
    incidents.loc[incidents.index[-2:], "corrected_fields"] = ["occurred_from x", "x"]
    (told,) = corrected(incidents)
    assert f"2 of {len(rows)} " in told
    assert "(occurred_from in 1, x in 2)" in told and "table corrections" in told
    assert corrected(incidents.drop(columns="corrected_fields")) == []


def test_records_that_wait_for_a_decision_are_told(make_incidents):
    incidents = make_incidents(filler())
    incidents["record_id"] = [f"{n:016x}" for n in range(len(incidents))]
    ids = list(incidents["record_id"])
    asked = queue(
        (ids[0], "new"), (ids[0], "assigned"), (ids[1], "assigned"), (ids[2], "waived"),
        (ids[3], "corrected"), ("2024-01|3|Larceny", "new"), ("all", "new"),
    )  # fmt: skip
    (told,) = in_question(incidents, asked)
    assert told.startswith(f"2 of {len(ids)} (")
    assert in_question(incidents, asked.iloc[3:])[0].startswith("No record")
    assert in_question(incidents, None) == []


def test_only_records_that_the_book_counts_are_in_question(tell, department):
    rows = [*filler(), ("2020-05-05", "Robbery", "1"), ("2024-03-05", "Robbery", "1")]
    fields = ["occurred_from", "precinct"]
    told = tell(rows, department, corrected_fields=fields)
    # The book's windows reach back to the start of last year, not to 2020.
    assert "(precinct in 1)" in told and "occurred_from" not in told
