"""Where a precinct lies: its outline, or the areas that recorded most of their incidents for it."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.compstat.precinct_areas import area_owners, precinct_outline
from beatbook.errors import InvalidInput

DAY = dt.date(2024, 1, 14)
WITHOUT = {"areas": {"precinct": {"file": None, "code": None,
                                  "codes": {dt.date(2020, 1, 1): ["1", "2"]}}}}  # fmt: skip


def incidents(rows, known_on="2024-01-10"):
    """Rows of (precinct, neighborhood, how many)."""
    each = [(p, n) for p, n, count in rows for _ in range(count)]
    return pd.DataFrame(
        {
            "precinct": pd.array([p for p, _ in each], dtype="str"),
            "neighborhood": pd.array([n for _, n in each], dtype="str"),
            "beat": pd.array([None] * len(each), dtype="str"),
            "known_on": pd.Timestamp(known_on),
        }
    )


def test_an_outline_of_its_own_is_used_and_needs_no_words(small_department):
    found = precinct_outline(small_department.load(), incidents([]), "2", DAY)
    assert (found.kind, found.statement, len(found.parts)) == ("precinct", "", 0)
    assert found.ground["code"].tolist() == ["2"]
    assert found.ground.area.iloc[0] == pytest.approx(1e6)


def test_without_one_the_neighborhoods_that_are_mostly_its_own_stand_for_it(small_department):
    department = small_department.set(**WITHOUT).load()
    records = incidents([("1", "10", 5), ("2", "10", 4), ("1", "20", 1), ("2", "20", 3),
                         ("1", "30", 2), ("2", "30", 2), (None, "40", 9)])  # fmt: skip
    one = precinct_outline(department, records, "1", DAY)
    two = precinct_outline(department, records, "2", DAY)
    # A tie (30) goes to the first; an area without a coded record (40) is nobody's.
    assert one.parts["code"].tolist() == ["10", "30"]
    assert two.parts["code"].tolist() == ["20"]
    assert one.kind == "neighborhood"
    assert one.ground.area.iloc[0] == pytest.approx(2e6)
    assert one.statement == (
        "The department publishes no outline of District 1 as of 2024-01-14. Its map is made of "
        "the 2 neighborhoods in which more records were District 1's than any other district's; "
        "87.5 % of its records with a neighborhood lie there."
    )


def test_records_of_another_division_decide_nothing(small_department):
    codes = {dt.date(2020, 1, 1): ["1", "2"], dt.date(2024, 1, 5): ["1", "2"]}
    department = small_department.set(
        areas={"precinct": {"file": None, "code": None, "codes": codes}}
    ).load()
    old = incidents([("1", "20", 50)], known_on="2024-01-01")
    new = incidents([("2", "20", 1), ("1", "10", 1)])
    found = precinct_outline(department, pd.concat([old, new]), "2", DAY)
    assert found.parts["code"].tolist() == ["20"]
    assert "since 2024-01-05" in found.statement
    before = precinct_outline(department, pd.concat([old, new]), "1", dt.date(2024, 1, 3))
    assert before.parts["code"].tolist() == ["20"]
    assert "since" not in before.statement


def test_an_outline_file_is_not_used_for_a_division_that_it_does_not_show(small_department):
    department = small_department.set(redistrictings=["2024-01-05"]).load()
    records = incidents([("1", "40", 3)], known_on="2024-01-01")
    found = precinct_outline(department, records, "1", dt.date(2024, 1, 3))
    assert (found.kind, found.parts["code"].tolist()) == ("neighborhood", ["40"])
    assert precinct_outline(department, records, "1", DAY).kind == "precinct"


def test_where_nothing_can_stand_for_it_the_city_is_shown_and_that_is_said(small_department):
    department = small_department.set(**WITHOUT).load()
    found = precinct_outline(department, incidents([("2", "10", 1)]), "1", DAY)
    assert found.kind == "city"
    assert found.ground.area.iloc[0] == pytest.approx(4e6)
    assert "the maps show all of Example City" in found.statement


def test_a_precinct_that_is_not_in_force_is_refused_by_name(small_department):
    with pytest.raises(InvalidInput, match=r"no district '9' on 2024-01-14; in force are 1, 2"):
        precinct_outline(small_department.load(), incidents([]), "9", DAY)


def test_each_area_has_one_owner_whatever_the_order_of_rows(small_department):
    department = small_department.load()
    records = incidents([("2", "10", 2), ("10", "10", 9), ("1", "10", 2), ("3", "20", 1)])
    owners = area_owners(records, department, "neighborhood", DAY)
    assert owners.to_dict() == {"10": "1", "20": "3"}  # 10 is no code of this department
    shuffled = records.sample(frac=1, random_state=4)
    assert area_owners(shuffled, department, "neighborhood", DAY).to_dict() == owners.to_dict()
