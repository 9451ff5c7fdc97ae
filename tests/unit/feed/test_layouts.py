"""Which declared layout a file's header matches, and what is said when none does."""

import pytest

from beatbook.department import Layout, load_department
from beatbook.errors import FeedError
from beatbook.feed.snapshot import match_layout


def layout(name, **columns):
    needed = {"offense_code": "Code", "occurred_from": "Date", "known_on": "Month"}
    return Layout(name=name, columns={**needed, **columns})


def test_st_louis_files_match_their_three_layouts(st_louis_tables):
    months = {}
    for file in st_louis_tables.snapshot.files:
        months.setdefault(file.layout, []).append(file.name.removesuffix(".csv.xz"))
    told = {name: (min(held), max(held), len(held)) for name, held in months.items()}
    # The publisher went back to the old columns for two months of 2013.
    assert told == {
        "monthly to mid-2013": ("2008-01", "2013-08", 67),
        "monthly from mid-2013": ("2013-06", "2019-12", 76),
        "internal export of 2017-05": ("2017-05", "2017-05", 1),
    }


def test_a_column_that_no_layout_maps_is_listed_as_unused(small_department, st_louis_tables):
    small_department.write("a.csv", [small_department.row(Precinct2="x", Note="y")])
    (file,) = small_department.snapshot().files
    assert file.unused_columns == ("Precinct2", "Note")
    internal = next(f for f in st_louis_tables.snapshot.files if f.name.startswith("2017-05"))
    assert internal.unused_columns


def test_the_order_of_columns_is_free():
    header = ["Date", "Other", "Month", "Code"]
    assert match_layout(header, [layout("one")], "a.csv").name == "one"


def test_the_layout_that_maps_most_is_taken():
    layouts = [layout("short"), layout("long", beat="Beat", x="X"), layout("mid", beat="Beat")]
    header = ["Code", "Date", "Month", "Beat", "X"]
    assert match_layout(header, layouts, "a.csv").name == "long"
    assert match_layout(header[:-1], layouts, "a.csv").name == "mid"


def test_a_missing_column_names_the_file_the_nearest_layout_and_the_column():
    layouts = [layout("far", beat="Beat", x="X", y="Y"), layout("near", beat="Sector")]
    with pytest.raises(FeedError) as refused:
        match_layout(["Code", "Date", "Month", "Zone"], layouts, "2024-02.csv.xz")
    message = str(refused.value)
    assert message.startswith("2024-02.csv.xz: ")
    assert "Nearest is 'near', which also expects: Sector." in message
    assert "The file has: Code, Date, Month, Zone." in message
    assert "X" not in message.split("Nearest")[1]


def test_a_renamed_column_stops_the_run_of_a_feed(small_department):
    small_department.write("2024-01.csv", [small_department.row()])
    renamed = small_department.row(Case="2")
    renamed["Offense"] = renamed.pop("Code")
    small_department.write("2024-02.csv", [renamed])
    with pytest.raises(FeedError, match=r"2024-02\.csv: .*also expects: Code\."):
        small_department.snapshot()


def test_names_are_matched_as_the_department_writes_them():
    with pytest.raises(FeedError, match="also expects: Code"):
        match_layout(["CODE", "Date", "Month"], [layout("one")], "a.csv")


def test_a_joined_column_counts_as_its_parts():
    joined = layout("one", block_address=["Number", "Street"])
    assert joined.source_columns == ["Code", "Date", "Month", "Number", "Street"]
    with pytest.raises(FeedError, match="also expects: Number"):
        match_layout(["Code", "Date", "Month", "Street"], [joined], "a.csv")


def test_washington_has_a_layout_for_each_of_its_services(shipped_home, tmp_path):
    from beatbook.feed import take_snapshot

    department = load_department("washington_dc", shipped_home)
    snapshot = take_snapshot(department, tmp_path)
    assert {file.name: (file.layout, file.rows) for file in snapshot.files} == {
        "Crime_Incidents_in_2024.csv": ("yearly CSV", 5735),
        "crime-incidents-2016-07.geojson": ("GeoJSON of the older service", 2898),
    }
