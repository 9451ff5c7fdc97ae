"""Cleaning, field by field: what is read, what is kept, and what is refused and why."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.tables import FEED_FILES, INCIDENTS, REJECTED_INCIDENTS

WEST, SOUTH = 700_000, 4_270_000


class ByName:
    """What became of rows that a test has named: their incidents and their refusals."""

    def __init__(self, tables):
        self.tables = tables
        self.incidents = tables.incidents.set_index("incident_number")
        self.rejected = tables.rejected.set_index("incident_number")

    def __getitem__(self, column):
        """One column of the incidents, by the names of the rows."""
        values = self.incidents[column]
        return {name: None if pd.isna(value) else value for name, value in values.items()}


@pytest.fixture
def clean_rows(small_department):
    """Clean rows that are named by their case number: ``clean_rows(late={"Date": ...})``."""

    def clean_rows(**rows):
        return ByName(
            small_department.clean(
                [small_department.row(**{"Case": name, **given}) for name, given in rows.items()]
            )
        )

    return clean_rows


def at(text):
    return pd.Timestamp(text)


def xy(x, y):
    """A place in the made-up city, in meters from its south-west corner."""
    return {"X": str(WEST + x), "Y": str(SOUTH + y)}


def monthly(department, **columns):
    """The made-up layout with other columns; None takes one out."""
    layout = department.settings["feed"]["layouts"][0]
    merged = {**layout["columns"], **columns}
    kept = {field: column for field, column in merged.items() if column is not None}
    return [{**layout, "columns": kept}]


def test_the_staged_tables_are_as_declared(clean_rows):
    tables = clean_rows(good={}, bad={"Date": "never"}).tables
    INCIDENTS.conform(tables.incidents)
    REJECTED_INCIDENTS.conform(tables.rejected)
    FEED_FILES.conform(tables.feed_files)
    assert list(tables.incidents) == INCIDENTS.column_names
    (file,) = tables.feed_files.to_dict("records")
    assert (file["file"], file["rows"], file["accepted"], file["rejected"]) == (
        "2024-01.csv", 2, 1, 1,
    )  # fmt: skip


def test_an_ordinary_row(clean_rows):
    incident = clean_rows(a={"Source": "Citizen"}).tables.only
    told = {
        "offense_code": "031000",
        "offense": "Robbery",
        "ucr_code": "03",
        "nibrs_code": "120",
        "against": "property",
        "part": "I",
        "count": 1,
        "occurred_from": at("2024-01-02 10:00"),
        "reported_at": at("2024-01-03 08:00"),
        "known_on": at("2024-01-31"),
        "precinct": "1",
        "precinct_source": "record",
        "precinct_disagrees": False,
        "precinct_recorded": "1",
        "neighborhood": "10",
        "block_address": "1500 block of MAIN ST",
        "x": WEST + 400,
        "y": SOUTH + 300,
        "location_quality": "block",
        "origin": "citizen",
        "source_file": "2024-01.csv",
        "source_row": 1,
    }
    assert {column: incident[column] for column in told} == told
    missing = ("occurred_to", "beat", "unread_fields")
    assert all(pd.isna(incident[column]) for column in missing)


# --- dates ---


def test_dates_with_and_without_leading_zeros(clean_rows):
    told = clean_rows(
        padded={"Date": "01/02/2024 03:04"},
        bare={"Date": "1/2/2024 3:04"},
        spaced={"Date": "  1/2/2024 3:04 "},
    )
    assert set(told["occurred_from"].values()) == {at("2024-01-02 03:04")}


def test_two_date_formats_in_one_feed(small_department, clean_rows):
    small_department.set(feed={"date_formats": ["%m/%d/%Y %H:%M", "%d-%b-%y"]})
    told = clean_rows(slash={"Date": "1/2/2024 3:04"}, dash={"Date": "02-Jan-24"})
    assert told["occurred_from"] == {
        "slash": at("2024-01-02 03:04"),
        "dash": at("2024-01-02"),
    }


def test_a_layout_may_have_date_formats_of_its_own(small_department):
    layout = small_department.settings["feed"]["layouts"][0]
    british = {
        **layout,
        "name": "british",
        "columns": {**layout["columns"], "incident_number": "Ref"},
        "date_formats": ["%d/%m/%Y %H:%M"],
    }
    small_department.set(feed={"layouts": [layout, british]})
    row = small_department.row(Date="02/03/2024 10:00")
    small_department.write("a.csv", [row])
    renamed = {("Ref" if column == "Case" else column): value for column, value in row.items()}
    small_department.write("b.csv", [renamed])
    occurred = small_department.clean().incidents.set_index("source_file")["occurred_from"]
    assert occurred.to_dict() == {
        "a.csv": at("2024-02-03 10:00"),
        "b.csv": at("2024-03-02 10:00"),
    }


def test_utc_becomes_local_across_both_changes_of_the_clock(small_department, clean_rows):
    small_department.set(timezone="America/New_York", feed={"times": "utc"})
    told = clean_rows(
        winter={"Date": "01/02/2024 04:30"},
        before_spring={"Date": "03/10/2024 06:59"},
        after_spring={"Date": "03/10/2024 07:00"},
        summer={"Date": "07/05/2024 03:30"},
        before_fall={"Date": "11/03/2024 05:30"},
        after_fall={"Date": "11/03/2024 06:30"},
    )
    assert told["occurred_from"] == {
        "winter": at("2024-01-01 23:30"),
        "before_spring": at("2024-03-10 01:59"),
        "after_spring": at("2024-03-10 03:00"),
        "summer": at("2024-07-04 23:30"),
        # Two hours of UTC share the hour that the clock shows twice.
        "before_fall": at("2024-11-03 01:30"),
        "after_fall": at("2024-11-03 01:30"),
    }


def test_local_times_are_kept_as_written_also_in_the_hour_that_clocks_skip(clean_rows):
    told = clean_rows(skipped={"Date": "03/10/2024 02:30"}, twice={"Date": "11/03/2024 01:30"})
    assert told["occurred_from"] == {
        "skipped": at("2024-03-10 02:30"),
        "twice": at("2024-11-03 01:30"),
    }


def test_the_machines_own_time_zone_has_no_part_in_it(small_department, clean_rows, monkeypatch):
    import time

    small_department.set(feed={"times": "utc"})
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        told = clean_rows(a={"Date": "01/02/2024 12:00"})
    finally:
        monkeypatch.undo()
        time.tzset()
    assert told["occurred_from"]["a"] == at("2024-01-02 06:00")


@pytest.mark.parametrize(
    ("month", "last"),
    [("2024-02", "2024-02-29"), ("2023-2", "2023-02-28"), ("2024-12", "2024-12-31")],
)
def test_a_coded_month_is_known_on_its_last_day(clean_rows, month, last):
    assert clean_rows(a={"Month": month})["known_on"]["a"] == at(last)


def test_a_daily_feed_is_known_on_the_local_day_of_the_report(small_department, clean_rows):
    small_department.set(
        timezone="America/New_York",
        feed={
            "publishes": "daily",
            "times": "utc",
            "layouts": monthly(small_department, known_on=None),
        },
    )
    told = clean_rows(
        evening={"Reported": "01/03/2024 04:59"}, noon={"Reported": "01/03/2024 17:00"}
    )
    assert told["known_on"] == {"evening": at("2024-01-02"), "noon": at("2024-01-03")}
    assert told["reported_at"]["evening"] == at("2024-01-02 23:59")


def test_an_unreadable_date_is_refused_with_reason_field_observed_and_expected(clean_rows):
    told = clean_rows(
        words={"Date": "yesterday"},
        empty={"Date": "  "},
        month_13={"Date": "13/02/2024 10:00"},
        no_leap_day={"Date": "02/29/2023 10:00"},
        two_digits={"Date": "1/2/24 10:00"},
        no_month={"Month": "soon"},
        short_year={"Month": "24-01"},
        good={},
    )
    assert set(told.incidents.index) == {"good"}
    date = ("unreadable_occurred_from", "occurred_from", "a date as %m/%d/%Y %H:%M")
    month = ("unreadable_known_on", "known_on", "a month as %Y-%m")
    reasons = told.rejected[["reason", "field", "expected"]].apply(tuple, axis=1).to_dict()
    assert reasons == {
        "words": date,
        "empty": date,
        "month_13": date,
        "no_leap_day": date,
        "two_digits": date,
        "no_month": month,
        "short_year": month,
    }
    observed = told.rejected["observed"]
    assert observed["words"] == "yesterday"
    assert pd.isna(observed["empty"])
    assert observed["two_digits"] == "1/2/24 10:00"
    assert observed["no_month"] == "soon"
    assert told.rejected.loc["words", "offense_code"] == "031000"
    assert told.rejected.loc["words", "source_row"] == 1


def test_an_optional_date_that_cannot_be_read_is_named_and_the_row_kept(clean_rows):
    told = clean_rows(
        good={"Ended": "01/02/2024 11:00"},
        empty={"Ended": ""},
        ended={"Ended": "later"},
        both={"Ended": "later", "Reported": "soon"},
    )
    assert told["unread_fields"] == {
        "good": None,
        "empty": None,
        "ended": "occurred_to",
        "both": "occurred_to reported_at",
    }
    assert told["occurred_to"]["good"] == at("2024-01-02 11:00")
    assert told["reported_at"]["both"] is None
    assert len(told.rejected) == 0


# --- count and code ---


def test_a_count_is_one_more_or_one_less(clean_rows):
    told = clean_rows(
        plain={"Count": "1"}, plus={"Count": "+1"}, padded={"Count": " -1 "},
        two={"Count": "2"}, none={"Count": ""}, word={"Count": "one"}, zero={"Count": "0"},
    )  # fmt: skip
    assert told["count"] == {"plain": 1, "plus": 1, "padded": -1}
    assert set(told.rejected.index) == {"two", "none", "word", "zero"}
    assert set(told.rejected["reason"]) == {"unreadable_count"}
    assert set(told.rejected["expected"]) == {"1 or -1"}
    assert told.rejected.loc["two", ["field", "observed", "count"]].tolist() == ["count", "2", "2"]


def test_without_a_column_for_it_each_record_counts_one(small_department, clean_rows):
    small_department.set(feed={"layouts": monthly(small_department, count=None)})
    assert clean_rows(a={"Count": "-1"}, b={})["count"] == {"a": 1, "b": 1}


def test_a_count_in_one_of_two_layouts_only(small_department):
    (counted,) = monthly(small_department)
    (plain,) = monthly(small_department, count=None, beat="Beat")
    layouts = [counted, {**plain, "name": "without a count"}]
    small_department.set(feed={"layouts": layouts})
    small_department.write("a.csv", [small_department.row(Count="-1")])
    row = small_department.row(Beat="7")
    row.pop("Count")
    small_department.write("b.csv", [row])
    tables = small_department.clean()
    assert tables.incidents.set_index("source_file")["count"].to_dict() == {"a.csv": -1, "b.csv": 1}


def test_codes_are_padded_to_the_form_of_the_map(clean_rows):
    told = clean_rows(
        bare={"Code": "31000"}, spaced={"Code": " 31000"}, full={"Code": "031000"},
        long={"Code": "0310001"},
    )  # fmt: skip
    assert told["offense_code"] == {
        "bare": "031000", "spaced": "031000", "full": "031000", "long": "0310001",
    }  # fmt: skip
    assert set(told["offense"].values()) == {"Robbery"}


def test_an_unmapped_code_is_counted_and_shows_no_place(clean_rows):
    told = clean_rows(unmapped={"Code": "999999"})
    assert told["offense"] == {"unmapped": "Unmapped"}
    assert told["count"] == {"unmapped": 1}
    for column in ("ucr_code", "nibrs_code", "against", "part", "x", "y", "block_address"):
        assert told[column] == {"unmapped": None}
    assert told["location_quality"] == {"unmapped": "missing"}
    assert told["precinct"] == {"unmapped": "1"}


def test_a_row_without_a_code_is_refused(clean_rows):
    told = clean_rows(none={"Code": " "}, good={})
    assert told.rejected["reason"].to_dict() == {"none": "missing_offense_code"}


def test_a_feed_in_which_no_row_has_a_code(clean_rows):
    told = clean_rows(a={"Code": ""}, b={"Code": ""})
    assert len(told.incidents) == 0 and len(told.rejected) == 2


def test_a_sex_offense_shows_no_point_and_no_address_but_counts_in_its_area(clean_rows):
    told = clean_rows(
        recorded={"Code": "021000"},
        mapped={"Code": "021000", "District": "", "Area": ""},
    )
    for column in ("x", "y", "block_address"):
        assert told[column] == {"recorded": None, "mapped": None}
    assert set(told["location_quality"].values()) == {"missing"}
    assert told["precinct"] == {"recorded": "1", "mapped": "1"}
    assert told["neighborhood"] == {"recorded": "10", "mapped": "10"}


def test_refused_rows_carry_neither_place_nor_address(clean_rows):
    rejected = clean_rows(bad={"Code": "021000", "Date": "?"}).tables.rejected
    text = " ".join(rejected.astype(str).iloc[0])
    assert "1515" not in text and "MAIN" not in text and str(WEST + 400) not in text


@pytest.mark.parametrize(
    ("source", "origin"),
    [("citizen", "citizen"), ("OFFICER", "officer"), ("Alarm", "alarm"), ("radio", "unknown"),
     ("", "unknown")],
)  # fmt: skip
def test_origin(clean_rows, source, origin):
    assert clean_rows(a={"Source": source})["origin"]["a"] == origin


# --- places ---


def test_locations(small_department, clean_rows):
    small_department.set(feed={"unknown_coordinates": [[0, 0], [WEST + 90, SOUTH + 80]]})
    told = clean_rows(
        good=xy(400, 300),
        zero={"X": "0", "Y": "0"},
        zeros={"X": "0.000", "Y": "0.0"},
        listed=xy(90, 80),
        shares_x=xy(90, 81),
        empty={"X": "", "Y": ""},
        half={"X": "", "Y": str(SOUTH + 300)},
        words={"X": "unknown", "Y": "unknown"},
        not_a_number={"X": "nan", "Y": "nan"},
        endless={"X": "inf", "Y": "-inf"},
        far={"X": "1", "Y": "1"},
        beyond=xy(2051, 300),
        near=xy(2049, 300),
        center_of_city=xy(1000, 1000),
        center_of_precinct=xy(1500, 500.4),
        near_center=xy(1500, 502),
    )
    qualities = told["location_quality"]
    assert qualities == {
        "good": "block",
        "zero": "missing",
        "zeros": "missing",
        "listed": "missing",
        "shares_x": "block",
        "empty": "missing",
        "half": "missing",
        "words": "missing",
        "not_a_number": "missing",
        "endless": "missing",
        "far": "outside",
        "beyond": "outside",
        "near": "block",
        "center_of_city": "pile_up",
        "center_of_precinct": "pile_up",
        "near_center": "block",
    }
    has_point = {name for name, x in told["x"].items() if x is not None}
    assert has_point == {name for name, quality in qualities.items() if quality != "missing"}
    assert has_point == {name for name, y in told["y"].items() if y is not None}
    assert len(told.rejected) == 0


def test_a_feed_without_any_usable_coordinates(small_department, clean_rows):
    told = clean_rows(a={"X": "", "Y": ""}, b={"X": "?", "Y": "?"})
    assert told["location_quality"] == {"a": "missing", "b": "missing"}
    assert told["precinct"] == {"a": "1", "b": "1"}
    small_department.set(feed={"layouts": monthly(small_department, x=None, y=None)})
    assert clean_rows(a={})["location_quality"] == {"a": "missing"}


def test_exact_locations_are_told_as_such(small_department, clean_rows):
    small_department.set(feed={"location_precision": "exact"})
    assert clean_rows(a={})["location_quality"] == {"a": "exact"}


def test_coordinates_are_brought_into_the_departments_crs(small_department, clean_rows):
    from pyproj import Transformer

    small_department.set(feed={"crs": "EPSG:4326"})
    to_degrees = Transformer.from_crs("EPSG:32615", "EPSG:4326", always_xy=True)
    east, north = to_degrees.transform(WEST + 1234.5, SOUTH + 678.9)
    told = clean_rows(a={"X": f"{east:.9f}", "Y": f"{north:.9f}"})
    assert told["x"]["a"] == pytest.approx(WEST + 1234.5, abs=0.001)
    assert told["y"]["a"] == pytest.approx(SOUTH + 678.9, abs=0.001)
    assert told["precinct_disagrees"]["a"]  # the record says 1, the point lies in 2


def test_where_the_precinct_is_from(clean_rows):
    nowhere = {"X": "", "Y": ""}
    told = clean_rows(
        record={"District": "1"},
        record_without_point={"District": "4", **nowhere},
        boundary={"District": "", **xy(1400, 300)},
        disagrees={"District": "1", **xy(1400, 1300)},
        unlisted={"District": "77", **nowhere},
        unlisted_on_the_map={"District": "77", **xy(400, 1300)},
        missing={"District": "", **nowhere},
    )
    assert told["precinct"] == {
        "record": "1", "record_without_point": "4", "boundary": "2", "disagrees": "1",
        "unlisted": None, "unlisted_on_the_map": "3", "missing": None,
    }  # fmt: skip
    assert told["precinct_source"] == {
        "record": "record", "record_without_point": "record", "boundary": "boundary",
        "disagrees": "record", "unlisted": "unlisted", "unlisted_on_the_map": "boundary",
        "missing": "missing",
    }  # fmt: skip
    assert {name for name, said in told["precinct_disagrees"].items() if said} == {"disagrees"}
    assert told["precinct_recorded"]["unlisted"] == "77"
    assert told["neighborhood_disagrees"]["disagrees"]  # its neighborhood is still said to be 10


def test_a_point_on_a_border_goes_to_the_first_area_by_code(clean_rows):
    told = clean_rows(
        corner={"District": "", **xy(1000, 990)}, edge={"District": "", **xy(300, 1000)}
    )
    assert told["precinct"] == {"corner": "1", "edge": "1"}


def test_a_kind_of_area_without_list_or_map_is_taken_as_it_comes(small_department, clean_rows):
    small_department.set(
        feed={"layouts": monthly(small_department, beat="Beat")},
        areas={"beat": {"label": "Beat", "unknown": ["NONE"]}},
    )
    told = clean_rows(any={"Beat": "7X"}, none={"Beat": "NONE"}, empty={"Beat": ""})
    assert told["beat"] == {"any": "7X", "none": None, "empty": None}
    assert told["beat_source"] == {"any": "record", "none": "missing", "empty": "missing"}


def test_aliases_prefixes_and_codes_for_unknown(small_department, clean_rows):
    small_department.set(
        areas={
            "precinct": {"aliases": {"FIRST": "1", "SECOND": "2"}, "unknown": ["0", "NONE"]},
            "neighborhood": {"strip": "Cluster ", "aliases": {"Old Town": "30"}, "unknown": ["0"]},
        }
    )
    nowhere = {"X": "", "Y": ""}
    told = clean_rows(
        word={"District": "SECOND", "Area": "Cluster 20", **nowhere},
        code={"District": "2", "Area": "20", **nowhere},
        name={"District": " FIRST ", "Area": "Old Town", **nowhere},
        unknown={"District": "NONE", "Area": "Cluster 0", **nowhere},
    )
    assert told["precinct"] == {"word": "2", "code": "2", "name": "1", "unknown": None}
    assert told["neighborhood"] == {"word": "20", "code": "20", "name": "30", "unknown": None}
    assert told["precinct_source"]["unknown"] == "missing"


def test_the_list_of_precincts_is_the_one_in_force_when_the_record_was_coded(
    small_department, clean_rows
):
    codes = {dt.date(2008, 1, 1): ["1", "7"], dt.date(2014, 1, 1): ["1", "2"]}
    small_department.set(areas={"precinct": {"codes": codes, "file": None, "code": None}})
    old, new = {"Month": "2013-12"}, {"Month": "2014-01"}
    told = clean_rows(
        old_7={"District": "7", **old}, new_7={"District": "7", **new},
        old_2={"District": "2", **old}, new_2={"District": "2", **new},
        before_any={"District": "7", "Month": "2001-05"},
    )  # fmt: skip
    assert told["precinct_source"] == {
        "old_7": "record", "new_7": "unlisted", "old_2": "unlisted", "new_2": "record",
        "before_any": "record",
    }  # fmt: skip


# --- records ---


def ids(tables):
    columns = ["incident_number", "offense_code", "block_address"]
    frame = tables.incidents.fillna("")
    return {tuple(row[:-1]): row[-1] for row in frame[[*columns, "record_id"]].to_numpy().tolist()}


@pytest.mark.parametrize("key", ["all", ["incident_number"]])
def test_record_ids_hold_when_rows_are_shuffled(small_department, key):
    small_department.set(feed={"record_key": key})
    # Two victims of one case: one key, two records.
    rows = [
        small_department.row(Case=case, Street=street)
        for case, street in [("1", "OAK"), ("2", "ELM"), ("2", "ASH"), ("3", "FIR"), ("2", "YEW")]
    ]
    before = ids(small_department.clean(rows))
    after = ids(small_department.clean([rows[n] for n in (4, 2, 3, 0, 1)]))
    assert len(set(before.values())) == 5
    assert before == after


def test_record_ids_hold_when_other_rows_come_and_go(small_department):
    rows = [small_department.row(Case=str(n)) for n in range(6)]
    before = ids(small_department.clean(rows[:4]))
    after = ids(small_department.clean(rows[2:]))
    assert {key: after[key] for key in set(before) & set(after)} == {
        key: before[key] for key in set(before) & set(after)
    }
    assert len(set(before) & set(after)) == 2


def test_exact_duplicates_are_kept_under_ids_of_their_own(small_department):
    rows = [small_department.row()] * 3 + [small_department.row(Case="other")]
    tables = small_department.clean(rows)
    assert len(tables.incidents) == 4
    assert tables.incidents["record_id"].is_unique
    assert tables.incidents["count"].sum() == 4


def test_the_same_row_in_two_months_is_two_records(small_department):
    small_department.write("2024-01.csv", [small_department.row()])
    small_department.write("2024-02.csv", [small_department.row(), small_department.row(Case="2")])
    tables = small_department.clean()
    assert tables.incidents["record_id"].is_unique
    assert len(tables.incidents) == 3


def test_a_file_of_another_name_holds_the_same_records(small_department):
    small_department.write("2024-01.csv", [small_department.row()])
    before = small_department.clean().incidents["record_id"]
    (small_department.folder / "feed" / "2024-01.csv").rename(
        small_department.folder / "feed" / "january.csv"
    )
    assert list(small_department.clean().incidents["record_id"]) == list(before)


def test_repeats_are_refused_where_the_key_is_said_to_be_unique(small_department, clean_rows):
    small_department.set(
        feed={"record_key": ["incident_number", "offense_code"], "repeats": "reject"}
    )
    rows = [
        small_department.row(Case="1"),
        small_department.row(Case="1", Street="OAK"),
        small_department.row(Case="1", Code="041000"),
        small_department.row(Case="2"),
        small_department.row(Case="1", Street="ELM"),
    ]
    tables = small_department.clean(rows)
    assert len(tables.incidents) == 3
    assert tables.incidents["record_id"].is_unique
    assert tables.rejected["reason"].tolist() == ["repeated_record"] * 2
    assert tables.rejected["observed"].tolist() == ["1", "1"]
    assert tables.rejected["offense_code"].tolist() == ["031000", "031000"]


def test_source_rows_are_numbered_from_one_in_each_file(small_department):
    small_department.write("a.csv", [small_department.row(Case=c) for c in ("a1", "a2")])
    small_department.write("b.csv", [small_department.row(Case=c, Date="?") for c in ("b1", "b2")])
    tables = small_department.clean()
    found = pd.concat([tables.incidents, tables.rejected])
    where = found.set_index("incident_number")[["source_file", "source_row"]]
    assert where.apply(tuple, axis=1).to_dict() == {
        "a1": ("a.csv", 1), "a2": ("a.csv", 2), "b1": ("b.csv", 1), "b2": ("b.csv", 2),
    }  # fmt: skip
    manifest = tables.feed_files.set_index("file")[["rows", "accepted", "rejected"]]
    assert manifest.to_dict("index") == {
        "a.csv": {"rows": 2, "accepted": 2, "rejected": 0},
        "b.csv": {"rows": 2, "accepted": 0, "rejected": 2},
    }


def test_files_with_different_spare_columns_lie_in_one_feed(small_department):
    small_department.write("a.csv", [small_department.row(Case="1", Note="x")])
    small_department.write("b.csv", [small_department.row(Case="2")])
    small_department.write("c.csv", [dict(reversed(small_department.row(Case="3").items()))])
    tables = small_department.clean()
    assert sorted(tables.incidents["incident_number"]) == ["1", "2", "3"]
    assert set(tables.incidents["block_address"]) == {"1500 block of MAIN ST"}


@pytest.mark.parametrize("name", ["file", "Drop table", 'a "quoted" name', "order", "it's"])
def test_a_feed_may_name_its_columns_as_it_likes(small_department, clean_rows, name):
    small_department.set(
        feed={"layouts": monthly(small_department, beat=name)}, areas={"beat": {"label": "Beat"}}
    )
    assert clean_rows(a={name: "7"})["beat"] == {"a": "7"}


def test_text_in_a_feed_is_never_part_of_a_statement(clean_rows):
    hostile = "'); DROP TABLE places; --"
    told = clean_rows(a={"Street": hostile, "District": hostile, "Code": hostile, "Area": hostile})
    assert told["offense_code"]["a"] == hostile
    assert told["precinct_recorded"]["a"] == hostile


def test_cleaning_again_empties_the_folder_first(small_department):
    first = small_department.clean([small_department.row(), small_department.row(Case="2")])
    (first.cleaned.incidents.parent / "left over").write_text("", "utf-8")
    second = small_department.clean([small_department.row()])
    assert len(second.incidents) == 1
    left = {path.name for path in second.cleaned.incidents.parent.iterdir()}
    assert "left over" not in left and "spill" not in left
    assert {"incidents.parquet", "rejected_incidents.parquet", "corrections.parquet"} <= left


def test_nothing_is_filled_in_from_a_default_location(clean_rows):
    told = clean_rows(center={"District": "", **xy(1000, 1000)})
    assert told["location_quality"] == {"center": "pile_up"}
    assert told["precinct"] == {"center": None}
    assert told["precinct_source"] == {"center": "missing"}


def test_coordinates_that_are_no_numbers_are_named(clean_rows):
    told = clean_rows(good=xy(300, 300), odd={"X": "see remarks", "Y": "?"})
    assert told["unread_fields"] == {"good": None, "odd": "x y"}
    assert told["location_quality"]["odd"] == "missing"
