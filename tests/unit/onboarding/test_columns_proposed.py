"""Columns are told by the words of the header and borne out by the values."""

import pandas as pd
import pytest

from beatbook.onboarding.area_maps import common_prefix
from beatbook.onboarding.column_values import look_at
from beatbook.onboarding.columns import propose_columns
from beatbook.onboarding.header_words import as_label, in_words, names_field


def proposed(**columns):
    frame = pd.DataFrame(columns, dtype="str")
    return propose_columns(look_at(frame))


OFFENSES = ["BURGLARY", "ROBBERY", "THEFT", "ARSON", "VANDALISM"] * 40
DAYS = [f"2024-01-{1 + i % 28:02d} 10:00" for i in range(200)]
LATER = [f"2024-01-{1 + i % 28:02d} 12:00" for i in range(200)]


def columns_of(mapping):
    return {field: choice.column for field, choice in mapping.choices.items()}


@pytest.mark.parametrize(
    ("name", "words"),
    [("MonthReportedtoMSHP", "month reportedto mshp"), ("DateOccured", "date occured"),
     ("XCoord", "x coord"), ("ILEADS-Street", "ileads street")],
)  # fmt: skip
def test_names_in_words(name, words):
    assert in_words(name) == words


@pytest.mark.parametrize(
    ("name", "field", "is_it"),
    [("CCN", "incident_number", True), ("OBJECTID", "incident_number", False),
     ("VOTING_PRECINCT", "precinct", False), ("Police District", "precinct", True),
     ("LASTMODIFIEDDATE", "reported_at", False), ("REPORT_DAT", "reported_at", True),
     ("IUCR", "offense_code", True), ("NEIGHBORHOOD_CLUSTER", "neighborhood", True),
     ("DATE_OCC_TO", "occurred_from", False), ("BLOCK_GROUP", "block_address", False)],
)  # fmt: skip
def test_words_of_fields(name, field, is_it):
    assert bool(names_field(name, field)) is is_it


def test_a_name_that_the_values_do_not_bear_out_is_not_taken():
    mapping = proposed(
        Offense=OFFENSES, Date=DAYS, Reported=LATER, Count=["7", "8"] * 100, Case=["x"] * 200
    )
    assert "count" not in mapping.choices and "incident_number" not in mapping.choices
    assert any("Count" in note for note in mapping.notes)


def test_minus_one_makes_a_count_under_any_name():
    mapping = proposed(Offense=OFFENSES, Date=DAYS, Reported=LATER, N=["1", "1", "1", "-1"] * 50)
    assert columns_of(mapping)["count"] == "N"


def test_a_code_that_tells_the_description():
    codes = [f"{10 + i % 5}" for i in range(200)]
    zones = [f"{1 + i % 7}" for i in range(200)]
    mapping = proposed(A=zones, B=codes, C=OFFENSES, Date=DAYS, Reported=LATER)
    assert columns_of(mapping)["offense_code"] == "B"
    assert columns_of(mapping)["offense_description"] == "C"


def test_one_date_is_taken_for_both_and_left_to_a_person():
    mapping = proposed(Offense=OFFENSES, Date=DAYS)
    assert columns_of(mapping)["occurred_from"] == columns_of(mapping)["reported_at"] == "Date"
    assert not mapping.choices["reported_at"].sure


def test_dates_without_names_go_by_their_order():
    ended = [day.replace("10:00", "11:00") for day in DAYS]
    mapping = proposed(Q=LATER, R=DAYS, S=ended, Offense=OFFENSES)
    found = columns_of(mapping)
    assert (found["occurred_from"], found["occurred_to"], found["reported_at"]) == ("R", "S", "Q")
    assert not mapping.choices["occurred_from"].sure


def test_a_number_and_a_street_join():
    mapping = proposed(
        Offense=OFFENSES, Date=DAYS, Reported=LATER,
        HouseNumber=[str(100 * (i % 49)) for i in range(200)],
        HouseStreet=["N MAIN ST", "OAK AVE"] * 100,
    )  # fmt: skip
    assert columns_of(mapping)["block_address"] == ["HouseNumber", "HouseStreet"]


def test_a_narrative_is_no_description():
    told = [f"BURGLARY AT THE HOME OF WITNESS {i}" for i in range(200)]
    mapping = proposed(Offense=OFFENSES, Narrative=told, Date=DAYS, Reported=LATER)
    assert "offense_description" not in mapping.choices
    assert columns_of(mapping)["offense_code"] == "Offense"


def test_dates_of_birth_and_of_updates_are_never_taken():
    mapping = proposed(Offense=OFFENSES, DOB=DAYS, Updated=LATER)
    assert "occurred_from" not in mapping.choices


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            ["DR_NO", "Crm Cd", "Crm Cd Desc", "DATE OCC", "Date Rptd", "LOCATION", "AREA"],
            ["incident_number", "offense_code", "offense_description", "occurred_from",
             "reported_at", "block_address", "precinct"],
        ),
        (
            ["Case Number", "IUCR", "Primary Type", "Date", "Received", "Block", "District"],
            ["incident_number", "offense_code", "offense_description", "occurred_from",
             "reported_at", "block_address", "precinct"],
        ),
        (
            ["incident_id", "offense_code", "offense_type", "first_occurrence_date",
             "reported_date", "incident_address", "precinct_id"],
            ["incident_number", "offense_code", "offense_description", "occurred_from",
             "reported_at", "block_address", "precinct"],
        ),
    ],
)  # fmt: skip
def test_headers_of_large_publishers(header, fields):
    values = [
        [f"23{i:07d}" for i in range(200)],
        [f"{300 + 10 * (i % 5)}" for i in range(200)],
        OFFENSES,
        DAYS,
        LATER,
        [f"{100 * (i % 47)} BLOCK OF N MAIN ST" for i in range(200)],
        [f"{1 + i % 7}" for i in range(200)],
    ]
    mapping = proposed(**dict(zip(header, values, strict=True)))
    assert columns_of(mapping) == dict(zip(fields, header, strict=True))
    assert all(choice.sure for choice in mapping.choices.values())


def test_milliseconds_and_a_time_apart_are_said():
    mapping = proposed(
        Offense=OFFENSES, Date=DAYS, EpochTime=["1456789012000"] * 200, Time=["0815"] * 200
    )
    assert any("milliseconds" in note for note in mapping.notes)
    assert any("time of day apart" in note for note in mapping.notes)


def test_words_before_codes():
    assert common_prefix(pd.Series(["Cluster 1", "Cluster 22", "NONE"], dtype="str")) == "Cluster "
    assert common_prefix(pd.Series(["North", "South"], dtype="str")) == ""


def test_labels():
    assert as_label("PSA", "beat") == "PSA"
    assert as_label("POLICE_DISTRICT", "precinct") == "District"
    assert as_label("X", "precinct") == "Precinct"
