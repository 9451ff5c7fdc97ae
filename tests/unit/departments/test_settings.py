"""department.yaml: the two that ship are read, and every mistake is named where it stands."""

import datetime as dt

import pytest

from beatbook.department import Department, list_departments, load_department
from beatbook.errors import SettingsError, UnknownDepartment
from beatbook.home import find_home
from beatbook.offenses import load_offenses, map_offenses


def refusal(department, **changes):
    with pytest.raises(SettingsError) as refused:
        department.set(**changes).load()
    message = str(refused.value)
    assert message.startswith("example/department.yaml")
    return message


def layout(department, **changes):
    return {"layouts": [{**department.settings["feed"]["layouts"][0], **changes}]}


def test_both_departments_that_ship_can_be_read(shipped_home):
    names = list_departments(shipped_home)
    assert {"st_louis", "washington_dc"} <= set(names)
    for name in names:
        department = load_department(name, shipped_home)
        assert department.slug == name
        assert department.folder == shipped_home.departments / name
        assert len(load_offenses(department)) > 0


def test_what_st_louis_says(shipped_home):
    department = load_department("st_louis", shipped_home)
    assert department.timezone == "America/Chicago"
    assert department.crs == "EPSG:26996"
    assert department.feed.encoding == "cp1252"
    assert [entry.name for entry in department.feed.layouts] == [
        "monthly to mid-2013",
        "monthly from mid-2013",
        "internal export of 2017-05",
    ]
    assert department.redistricted_on == [dt.date(2014, 1, 1)]


def test_an_unknown_department_lists_those_that_exist(small_department):
    with pytest.raises(UnknownDepartment, match=r"No department 'exampel'\..*here: example\."):
        load_department("exampel", small_department.home)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"timezon": "America/Chicago"}, "timezon"),
        ({"feed": {"encodign": "utf-8"}}, "feed.encodign"),
        ({"areas": {"precinct": {"lable": "District"}}}, "areas.precinct.lable"),
        ({"book": {"map_areas": "precinct"}}, "book.map_areas"),
    ],
)
def test_a_misspelt_key_is_named(small_department, changes, key):
    message = refusal(small_department, **changes)
    assert f"{key}: no such setting. Check its spelling" in message


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"timezone": None}, "timezone"),
        ({"attribution": None}, "attribution"),
        ({"feed": {"crs": None}}, "feed.crs"),
        ({"areas": {"city": None}}, "areas.city"),
    ],
)
def test_a_missing_key_is_named(small_department, changes, key):
    assert f"  {key}: missing." in refusal(small_department, **changes)


def test_all_mistakes_are_told_at_once(small_department):
    message = refusal(small_department, timezone=None, weekstart="monday", year_ago="never")
    assert "timezone: missing" in message
    assert "weekstart: no such setting" in message
    assert "year_ago" in message and "'never'" in message


@pytest.mark.parametrize("key", ["slug", "folder"])
def test_a_key_that_the_folder_says_is_no_setting(small_department, key):
    assert f"{key}: no such setting" in refusal(small_department, **{key: "elsewhere"})


def test_a_key_that_is_no_text(small_department):
    path = small_department.folder / "department.yaml"
    path.write_text(path.read_text("utf-8") + "\n2014: redrawn\n", "utf-8")
    with pytest.raises(SettingsError, match="2014"):
        small_department.load()


def test_a_bad_time_zone(small_department):
    message = refusal(small_department, timezone="Central Time")
    assert "timezone: no time zone 'Central Time'; give an IANA name" in message


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        ("EPSG:4326", "not projected in meters"),
        ("ESRI:102696", "not projected in meters"),  # Missouri East, US survey feet
        ("EPSG:4978", "not projected in meters"),  # meters from the center of the Earth
        ("EPSG:999999", "no coordinate reference system"),
    ],
)
def test_the_crs_must_be_projected_in_meters(small_department, crs, said):
    message = refusal(small_department, crs=crs)
    assert "  crs: " in message and crs in message and said in message


def test_the_crs_of_the_feed_need_not_be_in_meters_but_must_exist(small_department):
    assert small_department.set(feed={"crs": "EPSG:4326"}).load().feed.crs == "EPSG:4326"
    message = refusal(small_department, feed={"crs": "EPSG:999999"})
    assert "feed.crs: no coordinate reference system" in message


@pytest.mark.parametrize("text", ["%m/%d/%Q", "%Y-%m-%d %", "%m/%d %H:%M", "month/day"])
def test_a_date_format_that_cannot_be_read(small_department, text):
    assert "feed.date_formats.0: " in refusal(small_department, feed={"date_formats": [text]})


def test_an_offset_in_a_date_format_would_bypass_the_time_zone(small_department):
    message = refusal(small_department, feed={"date_formats": ["%Y-%m-%d %H:%M:%S%z"]})
    assert "feed.times: utc" in message


def test_an_unknown_encoding(small_department):
    assert "feed.encoding: no encoding 'cp125'" in refusal(
        small_department, feed={"encoding": "cp125"}
    )


def test_a_layout_maps_what_a_record_needs(small_department):
    columns = small_department.settings["feed"]["layouts"][0]["columns"]

    def told(**changes):
        kept = {k: v for k, v in {**columns, **changes}.items() if v is not None}
        return refusal(small_department, feed=layout(small_department, columns=kept))

    assert "no such field: victim_name; fields are incident_number" in told(victim_name="Name")
    assert "the field offense_code must be mapped" in told(offense_code=None)
    assert "the field occurred_from must be mapped" in told(occurred_from=None)
    assert "map known_on or reported_at" in told(known_on=None, reported_at=None)
    assert "only block_address may join columns, not beat" in told(beat=["A", "B"])
    # A monthly feed is known by its month; without one every row would be refused later.
    assert "layout 'monthly' maps no known_on" in told(known_on=None)


def test_formats_layouts_and_keys_must_fit(small_department):
    assert "has no date_formats" in refusal(small_department, feed={"date_formats": []})
    assert "feed.layouts: " in refusal(small_department, feed={"layouts": []})
    assert "record_key names no field of Beatbook: case" in refusal(
        small_department, feed={"record_key": ["case"]}
    )
    assert "repeats: reject needs feed.record_key" in refusal(
        small_department, feed={"repeats": "reject"}
    )


def test_areas_must_fit(small_department):
    precinct = {"file": None, "code": None}
    assert "areas.precinct needs codes" in refusal(small_department, areas={"precinct": precinct})
    assert "file and code go together" in refusal(
        small_department, areas={"neighborhood": {"code": None}}
    )
    assert "book.map_area is beat, which has no outlines" in refusal(
        small_department, book={"map_area": "beat"}
    )
    twice = {"codes": {dt.date(2008, 1, 1): ["1", "2", "1"]}}
    assert "the list from 2008-01-01 names a code twice" in refusal(
        small_department, areas={"precinct": twice}
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"name: [", "not valid YAML"),
        (b"", "holds no settings"),
        (b"- name\n", "holds no settings"),
        (b"name: Caf\xe9\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_settings(small_department, content, said):
    (small_department.folder / "department.yaml").write_bytes(content)
    with pytest.raises(SettingsError, match=f"example/department.yaml.*{said}"):
        small_department.load()


@pytest.mark.parametrize(
    ("codes", "redistrictings", "expected"),
    [
        ([], [], []),
        (["2008-01-01"], [], []),
        (["2008-01-01", "2014-01-01"], [], ["2014-01-01"]),
        # A department that lists no codes says the days alone.
        ([], ["2014-01-01"], ["2014-01-01"]),
        (["2008-01-01"], ["2011-05-01"], ["2011-05-01"]),
        (["2008-01-01", "2014-01-01"], ["2011-05-01", "2014-01-01"], ["2011-05-01", "2014-01-01"]),
    ],
)
def test_the_days_of_redistricting(small_department, codes, redistrictings, expected):
    listed = {dt.date.fromisoformat(day): ["1", "2"] for day in codes}
    department = small_department.set(
        areas={"precinct": {"codes": listed}},
        redistrictings=[dt.date.fromisoformat(day) for day in redistrictings],
    ).load()
    assert [str(day) for day in department.redistricted_on] == expected


def test_settings_cannot_be_changed_while_they_are_used(small_department):
    department: Department = small_department.load()
    with pytest.raises(ValueError, match="frozen"):
        department.name = "Another"


def test_the_home_is_found_from_below_and_by_its_variable(small_department, monkeypatch, tmp_path):
    home = small_department.home
    (home.root / "workspace.yaml").write_text("", "utf-8")
    home.notebooks.mkdir()
    monkeypatch.delenv("BEATBOOK_HOME", raising=False)
    assert find_home(home.notebooks) == home
    monkeypatch.setenv("BEATBOOK_HOME", str(home.root))
    assert find_home(tmp_path) == home
    monkeypatch.setenv("BEATBOOK_HOME", str(home.notebooks))
    with pytest.raises(SettingsError, match="BEATBOOK_HOME names"):
        find_home()


# --- offenses.csv ---


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("01,prefix", "01,begins", "line 2: match is 'begins'; it is one of exact, prefix"),
        ("I,no,Robbery", "III,no,Robbery", "line 4: part is 'III'"),
        ("I,yes,Rape", "I,,Rape", "line 3: sex_offense is ''"),
        ("03,prefix,Robbery", "03,prefix,", "line 4: code and offense must be given"),
        ("04,prefix", "03,prefix", "line 5: the code 03 stands twice"),
        ("sex_offense,", "", "lacks the column sex_offense"),
        ("II,no,Vandalism", "II,no,Vandalism,1,2,3", "cannot be read as CSV"),
    ],
)
def test_a_mistake_in_the_offense_map_is_named(small_department, old, new, said):
    path = small_department.folder / "offenses.csv"
    text = path.read_text("utf-8")
    assert old in text
    small_department.write_offenses(text.replace(old, new, 1))
    with pytest.raises(SettingsError, match=r"example/offenses\.csv") as refused:
        load_offenses(small_department.load())
    assert said in str(refused.value)


def test_a_missing_or_empty_offense_map(small_department):
    small_department.write_offenses("")
    with pytest.raises(SettingsError, match="cannot be read as CSV"):
        load_offenses(small_department.load())
    (small_department.folder / "offenses.csv").unlink()
    with pytest.raises(SettingsError, match=r"offenses\.csv is missing"):
        load_offenses(small_department.load())


def test_an_offense_map_saved_by_a_spreadsheet(small_department):
    path = small_department.folder / "offenses.csv"
    rules = load_offenses(small_department.load())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_offenses(small_department.load()).equals(rules)


def test_exact_beats_prefix_and_a_long_prefix_a_short_one(small_department):
    header = "code,match,offense,ucr_code,nibrs_code,against,part,sex_offense,description\n"
    rest = "06,23H,property,I,no,x\n"
    small_department.write_offenses(
        header
        + f"06,prefix,Larceny,{rest}064,prefix,Shoplifting,{rest}064100,exact,Purse,{rest}"
        + "17,prefix,Other Sex Offenses,17,,person,II,yes,x\n"
    )
    rules = load_offenses(small_department.load())
    meaning = map_offenses(["061000", "064200", "064100", "0641001", "179999", "999"], rules)
    meaning = meaning.set_index("offense_code")
    assert meaning["offense"].to_dict() == {
        "061000": "Larceny",
        "064200": "Shoplifting",
        "064100": "Purse",
        "0641001": "Shoplifting",
        "179999": "Other Sex Offenses",
        "999": "Unmapped",
    }
    # What an unknown code stands for is unknown, so its place is withheld as well.
    assert meaning["sex_offense"].to_dict() == {
        "061000": False,
        "064200": False,
        "064100": False,
        "0641001": False,
        "179999": True,
        "999": True,
    }
    assert meaning.loc["999", ["ucr_code", "nibrs_code", "against", "part"]].isna().all()
    assert meaning.loc[["179999"], "nibrs_code"].isna().all()
