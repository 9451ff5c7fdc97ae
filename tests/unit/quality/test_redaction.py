"""No house number and no place of a sex offense passes: addresses, notes, samples, points."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beatbook.quality.redaction import WITHHELD, shown_values, without_house_numbers

RECORD = "00112233445566aa"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1515 Main St", "1500 block of Main St"),
        ("seen at 1515 main st. rear", "seen at 1500 block of main st. rear"),
        ("1515A-1517 N 7th Ave, Apt 3B", "1500 block of N 7th Ave"),
        ("1515 1/2 Main St", "1500 block of Main St"),
        ("125 7th Ave", "100 block of 7th Ave"),
        ("4207 block of Elm Street", "4200 block of Elm Street"),
    ],
)
def test_a_house_number_becomes_its_hundred_block(text, shown):
    assert without_house_numbers(text) == shown


@pytest.mark.parametrize(
    "text",
    ["34 rows in St. Louis", "2,345 records of 12 files", "7TH STREET", "2013-06|3|Larceny",
     "1500 block of MAIN ST", "2024-01-02 10:00", "41, expected 12", ""],
)  # fmt: skip
def test_other_numbers_stay(text):
    assert without_house_numbers(text) == text


def test_what_a_person_typed_is_read_more_strictly():
    assert without_house_numbers("1515 Broadway #4") == "1515 Broadway #4"
    assert without_house_numbers("1515 Broadway #4", typed=True) == "1500 block of Broadway"
    assert without_house_numbers("report of 12 May", typed=True) == "report of 12 May"


STREETS = st.sampled_from(["Main St", "N 7TH AVE", "elm road", "Dr Martin Luther King Blvd"])


@given(st.integers(1, 99_999), STREETS, st.text("abc xyz.,", max_size=12))
def test_no_house_number_is_left_before_a_street(number, street, before):
    shown = without_house_numbers(f"{before} {number} {street}")
    left = [int(found) for found in re.findall(r"(?<!\w)\d+(?!\w)", shown)]
    assert all(value % 100 == 0 for value in left)


def finding(field: str, observed: str, record: str = RECORD, row: int | None = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {"record_key": [record], "field": [field], "observed": [observed], "source_row": [row]}
    )


def seen(frame: pd.DataFrame, placed: set[str]) -> str:
    return str(shown_values(frame, ("observed",), "record_key", placed)["observed"].iloc[0])


def test_an_address_is_shown_at_the_block_as_the_table_has_it():
    assert seen(finding("block_address", "1515 BROADWAY"), {RECORD}) == "1500 block of BROADWAY"
    assert seen(finding("block_address", "MAIN ST / ELM ST"), {RECORD}) == "MAIN ST / ELM ST"


@pytest.mark.parametrize(
    ("field", "observed"),
    [("block_address", "MAIN ST / ELM ST"), ("x", "700400"), ("x, y", "700400 4270300"),
     ("sex_offense_place", "700400.0")],
)  # fmt: skip
def test_the_place_of_a_record_without_a_published_place_is_withheld(field, observed):
    assert seen(finding(field, observed), set()) == WITHHELD
    assert seen(finding(field, observed, row=None), set()) == WITHHELD  # the key is a record's id


def test_what_tells_no_place_is_shown():
    assert seen(finding("x, y", "a point outside the city"), set()) == "a point outside the city"
    assert seen(finding("x", ""), set()) == ""
    assert seen(finding("occurred_from", "2032-10-05 14:00"), set()) == "2032-10-05 14:00"
    pile_up = finding("x, y", "212 records on one point", "700400 4270300", None)
    assert seen(pile_up, set()) == "212 records on one point"


def test_a_rules_own_count_is_not_taken_for_an_address():
    said = "an address with a house number, on 1,234 records"
    assert seen(finding("block_address", said), {RECORD}) == said


@pytest.mark.parametrize(
    ("sample", "kept"),
    [("1515 BROADWAY", False), ("700400.0", False), ("700400", False), ("4207", False),
     ("2032-10-05 14:00", True), ("a point outside the city", True)],
)  # fmt: skip
def test_the_sample_of_many_records_goes_where_it_may_be_a_place(sample, kept):
    text = seen(finding("", f"34 records, such as {sample}", "all", None), set())
    assert text == (f"34 records, such as {sample}" if kept else "34 records")
