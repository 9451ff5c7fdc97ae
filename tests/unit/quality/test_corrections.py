"""Corrections in cleaning: one field of one record, as if the feed had held it."""

import pandas as pd
import pytest

from beatbook.incidents import clean
from beatbook.incidents.corrections import IN_FORCE, hundred_blocks
from beatbook.tables import CORRECTIONS, INCIDENTS, REJECTED_INCIDENTS

WEST, SOUTH = 700_000, 4_270_000


class Corrected:
    """A feed cleaned without corrections, and the same feed with some."""

    def __init__(self, department, rows):
        self.department = department
        self.before = department.clean(
            [department.row(**{"Case": name, **given}) for name, given in rows.items()]
        )
        self.ids = {
            row["incident_number"]: row["record_id"]
            for frame in (self.before.incidents, self.before.rejected)
            for row in frame.to_dict("records")
        }

    def apply(self, *corrections):
        """Corrections as (case, field, published, value)."""
        lines = [
            {
                **dict.fromkeys(IN_FORCE, ""),
                "record_id": self.ids.get(case, case),
                "field": field,
                "published": published,
                "value": value,
                "decided_at": "2024-02-01T00:00:00.000000+00:00",
                "decided_by": "steward",
                "item": "q000000000000",
            }
            for case, field, published, value in corrections
        ]
        given = pd.DataFrame(lines, columns=list(IN_FORCE), dtype="str")
        folder = self.department.home.root / "corrected"
        cleaned = clean(
            self.department.load(), self.department.snapshot(), folder, corrections=given
        )
        self.incidents = INCIDENTS.conform(pd.read_parquet(cleaned.incidents)).set_index(
            "incident_number"
        )
        self.rejected = REJECTED_INCIDENTS.conform(pd.read_parquet(cleaned.rejected))
        self.table = CORRECTIONS.conform(pd.read_parquet(cleaned.corrections)).set_index("field")
        assert cleaned.accepted + cleaned.refused == cleaned.rows == len(self.ids)
        return self


@pytest.fixture
def feed(small_department):
    def feed(**rows):
        return Corrected(small_department, rows)

    return feed


def test_a_corrected_date_is_read_like_any_other(feed):
    made = feed(a={"Date": "01/02/2042 10:00"}, b={}).apply(
        ("a", "occurred_from", "01/02/2042 10:00", "2024-01-02 09:30")
    )
    assert made.incidents.loc["a", "occurred_from"] == pd.Timestamp("2024-01-02 09:30")
    assert made.incidents.loc["a", "corrected_fields"] == "occurred_from"
    assert pd.isna(made.incidents.loc["b", "corrected_fields"])
    assert made.incidents["record_id"].to_dict() == made.ids
    row = made.table.loc["occurred_from"]
    assert row["took_effect"] and pd.isna(row["reason"])
    assert row["published_value"] == "01/02/2042 10:00"
    assert row["corrected_value"] == "2024-01-02 09:30"
    assert (row["source_file"], row["source_row"]) == ("2024-01.csv", 1)


def test_all_else_follows_from_the_corrected_value(feed):
    published = {"Code": "031000", "District": "", "X": str(WEST + 400), "Y": str(SOUTH + 300)}
    made = feed(a=published).apply(
        ("a", "offense_code", "031000", "051000"),
        ("a", "x", str(WEST + 400), str(WEST + 1400)),
        ("a", "block_address", "1500 block of MAIN ST", "2300 block of OAK AVE"),
        ("a", "known_on", "2024-01", "2024-02"),
        ("a", "count", "1", "-1"),
        ("a", "neighborhood", "10", "20"),
    )
    row = made.incidents.loc["a"]
    assert (row["offense"], row["ucr_code"], row["count"]) == ("Burglary", "05", -1)
    assert (row["precinct"], row["precinct_source"]) == ("2", "boundary")
    assert row["neighborhood"] == "20" and not row["neighborhood_disagrees"]
    assert row["block_address"] == "2300 block of OAK AVE"
    assert row["known_on"] == pd.Timestamp("2024-02-29")
    assert row["corrected_fields"] == "offense_code count known_on neighborhood block_address x"
    assert made.table["took_effect"].all()


def test_a_refused_row_becomes_an_incident_and_keeps_its_id(feed):
    made = feed(a={"Date": "01/32/2024"}, b={"Date": "never", "Count": "2"})
    assert len(made.before.rejected) == 2 and made.before.rejected["record_id"].is_unique
    made.apply(
        ("a", "occurred_from", "01/32/2024", "2024-01-31 08:00"),
        ("b", "occurred_from", "never", "2024-01-01"),
    )
    assert made.incidents.loc["a", "record_id"] == made.ids["a"]
    (still,) = made.rejected.to_dict("records")
    assert still["reason"] == "unreadable_count" and still["record_id"] == made.ids["b"]


def test_an_optional_value_can_be_emptied(feed):
    made = feed(a={"Ended": "01/01/2020 10:00"}).apply(("a", "occurred_to", "01/01/2020 10:00", ""))
    row = made.incidents.loc["a"]
    assert pd.isna(row["occurred_to"]) and pd.isna(row["unread_fields"])
    assert pd.isna(made.table.loc["occurred_to", "corrected_value"])


def test_of_identical_records_only_the_named_one_is_corrected(small_department):
    made = Corrected(small_department, {"a": {}})
    small_department.clean([small_department.row(Case="a") for _ in range(3)])
    three = small_department.clean([small_department.row(Case="a") for _ in range(3)]).incidents
    ids = sorted(three["record_id"])
    assert ids[1].endswith("-2") and ids[2].endswith("-3")
    made.ids = {record: record for record in ids}
    made.apply((ids[1], "precinct", "1", "3"))
    corrected = made.incidents.set_index("record_id")
    assert sorted(corrected.index) == ids
    assert corrected["precinct"].to_dict() == {ids[0]: "1", ids[1]: "3", ids[2]: "1"}


def test_a_correction_that_no_longer_fits_is_told_and_not_applied(feed):
    made = feed(a={"District": "2"}, b={"District": "4"}).apply(
        ("0123456789abcdef", "precinct", "1", "3"),
        ("a", "precinct", "1", "3"),
        ("b", "count", "-1", "1"),
    )
    assert made.incidents["precinct"].to_dict() == {"a": "2", "b": "4"}
    assert made.incidents["corrected_fields"].isna().all()
    told = made.table.reset_index().set_index("record_id")
    assert not told["took_effect"].any()
    assert "no longer holds this record" in told.loc["0123456789abcdef", "reason"]
    assert pd.isna(told.loc["0123456789abcdef", "source_row"])
    assert told.loc[made.ids["a"], "reason"] == (
        "the feed holds 2 as precinct by now; the correction was decided when it held 1"
    )
    assert told.loc[made.ids["b"], "reason"] == "the feed holds the corrected value by now"


def test_once_a_sex_offense_its_place_stays_withheld(feed):
    made = feed(rape={"Code": "021000"}, typo={"Code": "93100"}, robbery={"Code": "031000"}).apply(
        ("rape", "offense_code", "021000", "031000"),
        ("typo", "offense_code", "093100", "031000"),
        ("robbery", "offense_code", "031000", "021000"),
    )
    places = made.incidents[["x", "y", "block_address"]].notna().all(axis=1).to_dict()
    assert places == {"rape": False, "typo": True, "robbery": False}
    assert made.incidents["location_quality"].to_dict()["rape"] == "missing"


def test_the_table_of_corrections_tells_no_place_of_a_sex_offense_and_no_house_number(feed):
    made = feed(a={"Code": "021000"}, b={}).apply(
        ("a", "x", str(WEST + 400), str(WEST + 500)),
        ("a", "block_address", "1500 block of MAIN ST", "700 block of ELM ST"),
        ("a", "y", "1", str(SOUTH + 500)),
        ("b", "block_address", "1500 block of MAIN ST", "300 block of OAK ST"),
    )
    text = made.table.to_csv()
    for secret in ("1515", "ELM", str(WEST + 400), str(WEST + 500), str(SOUTH)):
        assert secret not in text
    assert made.incidents.loc["a", ["x", "y", "block_address"]].isna().all()
    mine = made.table[made.table["record_id"] == made.ids["b"]].iloc[0]
    assert mine["published_value"] == "1500 block of MAIN ST"


def test_a_feed_in_utc_takes_a_correction_in_local_time(small_department):
    layout = small_department.settings["feed"]["layouts"][0]
    columns = {k: v for k, v in layout["columns"].items() if k != "known_on"}
    small_department.set(
        feed={
            "publishes": "daily",
            "times": "utc",
            "layouts": [{**layout, "columns": columns}],
        }
    )
    made = Corrected(small_department, {"a": {"Reported": "01/03/2024 18:00"}})
    made.apply(("a", "reported_at", "01/03/2024 18:00", "2024-01-05 23:30"))
    row = made.incidents.loc["a"]
    assert row["reported_at"] == pd.Timestamp("2024-01-05 23:30")
    assert row["known_on"] == pd.Timestamp("2024-01-05")
    assert row["occurred_from"] == pd.Timestamp("2024-01-02 04:00")


def test_without_corrections_the_table_is_empty_and_as_declared(small_department):
    cleaned = small_department.clean([small_department.row()]).cleaned
    table = pd.read_parquet(cleaned.corrections)
    assert CORRECTIONS.conform(table).empty


def test_addresses_at_the_hundred_block():
    assert hundred_blocks(["1515 MAIN ST", "", "7TH ST"]) == {
        "1515 MAIN ST": "1500 block of MAIN ST",
        "7TH ST": "7TH ST",
    }
    assert hundred_blocks([""]) == {}
