"""A department is brought by two commands: proposed from its files, then checked."""

import csv
import datetime as dt
import shutil

import pandas as pd
import pytest
import yaml

from beatbook.department import load_department
from beatbook.errors import BeatbookError, FeedError, InvalidInput
from beatbook.offenses import load_offenses
from beatbook.onboarding.checking import check_department
from beatbook.onboarding.proposing import new_department
from beatbook.onboarding.settings_text import Remarks, decisions_in, settings_text
from pipelines import cli

RENAMED = {
    "CCN": "Report No",
    "REPORT_DAT": "Date Reported",
    "OFFENSE": "Crime Type",
    "START_DATE": "Occurred From",
    "END_DATE": "Occurred Thru",
    "BLOCK": "Hundred Block",
    "DISTRICT": "Police District",
    "PSA": "Patrol Area",
    "NEIGHBORHOOD_CLUSTER": "Community",
    "X": "Lon",
    "Y": "Lat",
}


@pytest.fixture(scope="module")
def real_rows(shipped_home):
    path = shipped_home.departments / "washington_dc" / "feed" / "Crime_Incidents_in_2024.csv"
    return pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")


@pytest.fixture
def real_maps(shipped_home):
    folder = shipped_home.departments / "washington_dc" / "boundaries"
    return {
        "city": folder / "city_limit.geojson",
        "precinct": folder / "police_districts.geojson",
    }


def columns(home, slug, layout=0):
    return load_department(slug, home).feed.layouts[layout].columns


def test_round_trip_under_other_headers(checkout, tmp_path, real_rows, real_maps):
    """Proposed, checked and cleaned without a change: all rows in, a book can be made."""
    path = tmp_path / "export.txt"
    real_rows.rename(columns=RENAMED).to_csv(path, sep="\t", index=False, encoding="cp1252")
    proposal = new_department(checkout, "new_town", [path], real_maps)

    found = columns(checkout, "new_town")
    assert found == {
        "incident_number": "Report No", "offense_code": "Crime Type",
        "occurred_from": "Occurred From", "occurred_to": "Occurred Thru",
        "reported_at": "Date Reported", "precinct": "Police District", "beat": "Patrol Area",
        "neighborhood": "Community", "block_address": "Hundred Block", "x": "Lon", "y": "Lat",
    }  # fmt: skip
    department = load_department("new_town", checkout)
    assert department.feed.times == "utc"
    assert (department.feed.crs, department.crs) == ("EPSG:4326", "EPSG:32618")
    assert department.timezone == "America/New_York"
    assert department.feed.layouts[0].delimiter == "\t"
    assert department.feed.record_key == ["incident_number", "offense_code"]
    assert department.areas.precinct.code == "DISTRICT"
    assert department.areas.neighborhood.strip == "Cluster "
    # Nine offenses, all clear, none but one a sex offense.
    rules = load_offenses(department)
    assert len(rules) == 9 and list(rules.loc[rules["sex_offense"], "code"]) == ["SEX ABUSE"]

    # The check takes the real snapshot and cleans it.
    check = check_department(checkout, "new_town")
    assert check.ready and not check.blocking
    assert "5,735 rows: 5,735 accepted, 0 refused" in dict(check.sections)["Records"]
    assert check.latest_week == "2024-03-17"
    # What is left are things that no file can tell.
    asked = " ".join(proposal.decisions)
    assert len(proposal.decisions) == 5
    for word in ("name, city and state", "time zone", "separate offenses", "license", "credited"):
        assert word in asked


def test_shuffled_headers_that_say_nothing(checkout, tmp_path, real_rows, real_maps):
    """Columns told by their values alone; each of them is left for a person to confirm."""
    blind = {name: f"C{place:02d}" for place, name in enumerate(real_rows.columns)}
    path = tmp_path / "export.csv"
    shuffled = real_rows.rename(columns=blind).iloc[:1500]
    shuffled[sorted(blind.values(), reverse=True)].to_csv(path, sep=";", index=False)
    proposal = new_department(checkout, "blind", [path], real_maps)
    wanted = {
        "incident_number": "CCN", "offense_code": "OFFENSE", "occurred_from": "START_DATE",
        "occurred_to": "END_DATE", "reported_at": "REPORT_DAT", "precinct": "DISTRICT",
        "block_address": "BLOCK",
    }  # fmt: skip
    found = columns(checkout, "blind")
    assert {field: found[field] for field in wanted} == {f: blind[c] for f, c in wanted.items()}
    assert (found["x"], found["y"]) in [
        (blind["X"], blind["Y"]), (blind["LONGITUDE"], blind["LATITUDE"]),
    ]  # fmt: skip
    for field in wanted:
        assert any(f"is {field} in" in decision for decision in proposal.decisions), field
    assert check_department(checkout, "blind").ready


def test_three_layouts_of_monthly_files(checkout, shipped_home):
    source = shipped_home.departments / "st_louis"
    months = ("2013-07", "2017-01", "2017-05")
    proposal = new_department(
        checkout,
        "monthly",
        [source / f"feed/{month}.csv.xz" for month in months],
        {"city": source / "boundaries/city_limit.geojson",
         "neighborhood": source / "boundaries/neighborhoods.geojson"},
    )  # fmt: skip
    department = load_department("monthly", checkout)
    shipped = load_department("st_louis", shipped_home)
    by_columns = {frozenset(x.source_columns): x.columns for x in department.feed.layouts}
    assert by_columns == {frozenset(x.source_columns): x.columns for x in shipped.feed.layouts}
    assert department.feed.publishes == "monthly"
    assert department.feed.crs == shipped.feed.crs
    assert department.offense_codes.pad_to == 6
    assert department.areas.neighborhood.code == "NHD_NUM"
    assert any("7, 8, 9 end about 2013" in decision for decision in proposal.decisions)

    # What a person writes: the classes of the codes that are not clear.
    assert any("the classes of" in decision for decision in proposal.decisions)
    shutil.copy(source / "offenses.csv", department.folder / "offenses.csv")
    check = check_department(checkout, "monthly")
    assert check.ready and "0 refused" in check.text()


def test_ambiguous_dates_are_left_to_a_person(checkout, csv_file, made_up, city_outline):
    path = csv_file("a.csv", made_up(days=12))
    maps = {"city": city_outline, "precinct": city_outline}
    proposal = new_department(checkout, "open_order", [path], maps)
    assert any("day or month first?" in decision for decision in proposal.decisions)


def test_european_dates_are_told_by_a_day_past_the_twelfth(
    checkout, csv_file, made_up, city_outline
):
    rows = made_up(date=lambda d, m, h, n: f"{d:02d}.{m:02d}.2024 {h:02d}:{n:02d}")
    path = csv_file("a.csv", rows, delimiter=";")
    proposal = new_department(checkout, "europe", [path], {"city": city_outline})
    department = load_department("europe", checkout)
    assert department.feed.layouts[0].date_formats == ["%d.%m.%Y %H:%M"]
    assert not any("month first" in decision for decision in proposal.decisions)


def test_one_layout_settles_the_order_of_another(checkout, csv_file, made_up, city_outline):
    told = csv_file(
        "told.csv", made_up(date=lambda d, m, h, n: f"{d:02d}/{m:02d}/2024 {h:02d}:{n:02d}")
    )
    open_rows = made_up(date=lambda d, m, h, n: f"{d:02d}/{m:02d}/2024 {h:02d}:{n:02d}", days=9)
    other = csv_file("open.csv", [{**row, "Note": "x"} for row in open_rows], delimiter=";")
    new_department(checkout, "two", [told, other], {"city": city_outline})
    formats = [layout.date_formats for layout in load_department("two", checkout).feed.layouts]
    assert formats == [["%d/%m/%Y %H:%M"]] * 2


def test_what_is_unclear_is_unmapped_and_listed(checkout, csv_file, made_up, city_outline):
    path = csv_file("a.csv", made_up())
    maps = {"city": city_outline, "precinct": city_outline}
    proposal = new_department(checkout, "unclear", [path], maps)
    with (proposal.folder / "offenses_undecided.csv").open(newline="") as file:
        left = list(csv.DictReader(file))
    assert [(row["code"], row["rows"]) for row in left] == [("ASSAULT", "100")]
    assert "ASSAULT" not in set(load_offenses(load_department("unclear", checkout))["code"])
    check = check_department(checkout, "unclear")
    assert not check.ready
    assert any("25% of the records have an offense code" in step for step in check.blocking)
    assert "Unmapped: ASSAULT  100 records" in check.text()


def test_without_maps_nothing_is_made_up(checkout, csv_file, made_up):
    proposal = new_department(checkout, "no_maps", [csv_file("a.csv", made_up())])
    department = load_department("no_maps", checkout)
    assert department.areas.precinct.codes == {dt.date(2024, 1, 1): ["1", "2", "3"]}
    assert any("city's outline" in decision for decision in proposal.decisions)
    check = check_department(checkout, "no_maps")
    assert not check.ready
    assert any("there is no boundaries/city_limit.geojson" in step for step in check.blocking)
    assert "400 rows" in check.text()


def test_the_folder_that_is_written(checkout, csv_file, made_up, city_outline):
    path = csv_file("a.csv", made_up(), encoding="utf-8")
    proposal = new_department(checkout, "whole", [path], {"city": city_outline})
    folder = proposal.folder
    assert (folder / "feed" / "a.csv").read_bytes() == path.read_bytes()
    assert (folder / "boundaries" / "city_limit.geojson").read_bytes() == city_outline.read_bytes()
    assert "DECIDE" in (folder / "ATTRIBUTION.md").read_text()
    assert sorted(p.name for p in checkout.root.iterdir()) == ["departments"]
    text = (folder / "department.yaml").read_text()
    lines = [f"department.yaml, line {line}: {said}" for line, said in decisions_in(text)]
    assert lines == [d for d in proposal.decisions if d.startswith("department.yaml")]


@pytest.mark.parametrize("slug", ["New Town", "1st", "../up", "con", "", "a-b", "x" * 60])
def test_a_bad_name_is_refused(checkout, csv_file, made_up, slug):
    with pytest.raises(InvalidInput, match="no name for a department's folder"):
        new_department(checkout, slug, [csv_file("a.csv", made_up(20))])


def test_an_existing_department_is_never_written_over(checkout, csv_file, made_up):
    folder = checkout.departments / "there"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="not written over"):
        new_department(checkout, "there", [csv_file("a.csv", made_up(20))])
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_a_refusal_leaves_nothing_behind(checkout, csv_file, tmp_path, made_up):
    bad_map = tmp_path / "map.geojson"
    bad_map.write_text("no map")
    good = csv_file("a.csv", made_up(20))
    for files, maps, said in (
        ([tmp_path / "none.csv"], {}, "no such file"),
        ([good, bad_map], {}, "map.geojson"),
        ([good], {"city": bad_map}, "cannot be read as a map"),
        ([good], {"city": tmp_path / "none.geojson"}, "no such file"),
        ([csv_file("b.csv", [{"a": "1", "b": "2"}] * 30)], {}, "no column holds offenses"),
    ):
        with pytest.raises(FeedError, match=said):
            new_department(checkout, "town", files, maps)
    assert list(checkout.departments.iterdir()) == []
    assert [path.name for path in checkout.root.iterdir()] == ["departments"]
    with pytest.raises(BeatbookError):
        new_department(checkout, "town", [])


def test_the_commands(checkout, csv_file, made_up, city_outline, monkeypatch, capsys):
    monkeypatch.setenv("BEATBOOK_HOME", str(checkout.root))
    rows = [row for row in made_up() if row["Offense"] != "ASSAULT"]
    for row in rows:
        row["District"] = "1"
    path = csv_file("a.csv", rows)
    outline = str(city_outline)
    assert cli.main(["new-department", "town", "--from", str(path).replace("a.csv", "*.csv"),
                     "--city-outline", outline, "--precincts", outline]) == 0  # fmt: skip
    assert "A person must decide" in capsys.readouterr().out
    assert cli.main(["check-department", "town"]) == 0
    assert "beatbook report --department town" in capsys.readouterr().out
    (checkout.departments / "town" / "offenses.csv").unlink()
    assert cli.main(["check-department", "town"]) == 1
    assert cli.main(["check-department", "elsewhere"]) == 1
    assert cli.main(["new-department", "town", "--from", str(path)]) == 1
    assert "not written over" in capsys.readouterr().err


def test_settings_text_gives_the_settings_back():
    settings = {
        "name": "A: b # c",
        "feed": {"crs": "EPSG:4326", "layouts": [{"name": "x", "columns": {"x": "X", "y": ["a"]}}]},
        "areas": {"precinct": {"codes": {dt.date(2024, 1, 1): ["01", "1"]}, "aliases": {"A": "1"}}},
    }
    remarks = Remarks()
    remarks.decide(("name",), "what is it? " * 20)
    remarks.decide(("feed", "layouts", 0, "columns", "x"), "is it?")
    remarks.because(("feed", "crs"), "because " * 20)
    remarks.because(("feed", "layouts", 0, "name"), "short")
    text = settings_text(settings, remarks, "head")
    assert yaml.safe_load(text) == settings
    asked = [said for _, said in decisions_in(text)]
    assert asked == [("what is it? " * 20).strip(), "is it?"]
    assert max(map(len, text.splitlines())) <= 99
