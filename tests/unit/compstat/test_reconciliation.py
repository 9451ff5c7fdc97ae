"""The feed against annual figures published elsewhere, cell by cell."""

import pandas as pd
import pytest

from beatbook.compstat.reconciliation import reconcile
from beatbook.errors import SettingsError

OFFENSES = ["Homicide", "Rape", "Robbery", "Aggravated Assault", "Burglary", "Larceny",
            "Motor Vehicle Theft"]  # fmt: skip

DIFFERENCES = {
    ("Aggravated Assault", 2011): 1,
    ("Aggravated Assault", 2015): 1,
    ("Aggravated Assault", 2016): 2,
    ("Aggravated Assault", 2017): -2,
    ("Robbery", 2012): -1,
    ("Robbery", 2013): 1,
    ("Larceny", 2014): 2,
    ("Larceny", 2018): 1,
    ("Burglary", 2015): 1,
    ("Rape", 2016): -1,
}
"""Counted from the feed minus the department's annual figures; every other cell is zero."""


def test_st_louis_agrees_with_its_annual_figures_but_for_ten_cells(st_louis_tables):
    table = reconcile(st_louis_tables.incidents, st_louis_tables.department)
    found = table.pivot(index="offense", columns="year", values="difference")
    assert sorted(found.index) == sorted(OFFENSES)
    assert list(found.columns) == list(range(2008, 2020))
    expected = pd.DataFrame(0, index=found.index, columns=found.columns)
    for (offense, year), difference in DIFFERENCES.items():
        expected.loc[offense, year] = difference
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert (found == 0).to_numpy().sum() == 74
    assert (table["difference"] == table["counted"] - table["official"]).all()


def test_known_totals_of_st_louis(st_louis_tables):
    table = reconcile(st_louis_tables.incidents, st_louis_tables.department, years=[2019])
    assert set(table["year"]) == {2019}
    counted = table.set_index("offense")["counted"]
    assert counted["Robbery"] == 1475
    assert counted["Homicide"] == 194
    assert list(table["offense"]) == OFFENSES


@pytest.fixture
def reconciled(department_with, small_department, make_incidents):
    """Reconcile hand-made incidents with a hand-made file."""

    def reconciled(text, rows, years=None, **changes):
        (small_department.folder / "annual.csv").write_text(text, "utf-8")
        settings = {
            "title": "annual figures",
            "file": "annual.csv",
            "year": "year",
            "counted_by": "known_on",
            "offenses": {"Robbery": "rob", "Homicide": "hom"},
            **changes,
        }
        return reconcile(make_incidents(rows), department_with(official_counts=settings), years)

    return reconciled


def test_counts_are_net_and_by_the_date_that_the_settings_name(reconciled):
    rows = [
        ("2023-12-31", "Robbery", "1", 1, "2024-01-31"),
        ("2024-02-01", "Robbery", "1"),
        ("2024-02-01", "Robbery", "1", -1),
        ("2024-02-01", "Arson", "1"),
    ]
    text = "year,rob,hom\n2023,1,0\n2024,2,1\n"
    table = reconciled(text, rows)
    assert table.to_dict("list") == {
        "year": [2024, 2024],
        "offense": ["Robbery", "Homicide"],
        "counted": [1, 0],
        "official": [2, 1],
        "difference": [-1, -1],
    }
    by_occurrence = reconciled(text, rows, counted_by="occurred_from")
    assert list(by_occurrence["counted"]) == [1, 0, 0, 0]
    assert list(by_occurrence["difference"]) == [0, 0, -2, -1]


def test_years_that_one_side_lacks_and_cells_left_empty_are_left_out(reconciled):
    rows = [("2023-02-01", "Robbery", "1"), ("2024-02-01", "Robbery", "1")]
    table = reconciled("year,rob,hom\n1999,5,5\n2024,1,\n", rows)
    assert table[["year", "offense"]].to_numpy().tolist() == [[2024, "Robbery"]]
    assert len(reconciled("year,rob,hom\n2024,1,0\n", rows, years=[2023])) == 0


def test_a_department_without_official_figures(department, make_incidents):
    table = reconcile(make_incidents([("2024-02-01", "Robbery", "1")]), department)
    assert len(table) == 0
    assert list(table) == ["year", "offense", "counted", "official", "difference"]


def test_a_missing_file_and_a_missing_column_are_named(reconciled, small_department):
    rows = [("2024-02-01", "Robbery", "1")]
    with pytest.raises(SettingsError, match=r"example/annual\.csv lacks the column hom"):
        reconciled("year,rob\n2024,1\n", rows)
    with pytest.raises(SettingsError, match=r"official_counts\.file: there is no nowhere\.csv"):
        reconciled("year,rob\n", rows, file="nowhere.csv")
