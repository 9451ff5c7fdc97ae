"""Decisions: what is refused and why, what is written, and that nothing written is lost."""

import datetime as dt
import multiprocessing
import shutil

import pandas as pd
import pytest

from beatbook.errors import SettingsError
from beatbook.feed import take_snapshot
from beatbook.incidents import clean
from beatbook.quality.decision_file import COLUMNS, append_line
from beatbook.quality.decisions import (
    DecisionRefused,
    corrections_in_force,
    decide,
    decisions_path,
    decisions_sha256,
    read_decisions,
    state_by_now,
)
from beatbook.quality.queue import FINDING_COLUMNS, update_queue
from beatbook.store import Store, load_table

WEST, SOUTH = 700_000, 4_270_000
NOW = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
CASES = {
    "ordinary": {"Ended": "01/02/2024 09:00"},
    "refused": {"Date": "02/30/2024 10:00"},
    "rape": {"Code": "021000", "Number": "2244", "Street": "GRAVOIS AVE"},
    "unmapped": {"Code": "999999"},
}


class Desk:
    """A department that has been read once, with a queue of one item a record."""

    def __init__(self, department):
        self.department = department
        self.home = department.home
        department.write(
            "2024-01.csv", [department.row(Case=name, **given) for name, given in CASES.items()]
        )
        self.store = Store(department.slug, self.home)
        settings = department.load()
        snapshot = take_snapshot(settings, self.store.folder / "text")
        snapshot.save(self.store.folder / "snapshot.json")
        cleaned = clean(settings, snapshot, self.store.staging)
        tables = [pd.read_parquet(cleaned.incidents), pd.read_parquet(cleaned.rejected)]
        self.ids = {
            row["incident_number"]: row["record_id"]
            for frame in tables
            for row in frame.to_dict("records")
        }
        keys = {**self.ids, "once": "all", "gone": "00000000000000ff"}
        rows = [
            {
                **dict.fromkeys(FINDING_COLUMNS, ""),
                "table": "incidents",
                "check": "a_check",
                "severity": "warning",
                "why": "why",
                "queue": "each",
                "record_key": key,
                "field": "occurred_from",
                "source_row": None,
            }
            for key in keys.values()
        ]
        queue = update_queue(None, pd.DataFrame(rows), None, NOW, department=department.slug)
        by_key = dict(zip(queue["record_key"], queue["item"], strict=True))
        self.items = {name: by_key[key] for name, key in keys.items()}
        self.store.publish({"quality_queue": queue}, {})

    @property
    def path(self):
        return decisions_path(self.department.load())

    def decide(self, name, action, now=NOW, **given):
        item = self.items.get(name, name)
        given.setdefault("by", "steward")
        return decide(self.department.slug, item, action, home=self.home, now=now, **given)

    def correct(self, name, field, value, **given):
        return self.decide(name, "correct", field=field, value=value, **given)

    def read(self):
        return read_decisions(self.department.load())

    def refuses(self, said, name, action, **given):
        before = self.path.read_bytes() if self.path.is_file() else None
        with pytest.raises(DecisionRefused, match=said):
            self.decide(name, action, **given)
        assert (self.path.read_bytes() if self.path.is_file() else None) == before

    def refuses_value(self, said, name, field, value):
        self.refuses(said, name, "correct", field=field, value=value)


READY = {}
"""Made once: it is read by every test, and only its decisions are written."""


@pytest.fixture
def desk(make_department):
    """A desk on which no decision has been made yet."""
    if not READY:
        READY["desk"] = Desk(make_department())
    READY["desk"].path.unlink(missing_ok=True)
    return READY["desk"]


# --- what is written ---


def test_a_decision_is_one_line_that_says_all(desk):
    made = desk.decide("ordinary", "waive", until=dt.date(2024, 6, 1), note="Records asked")
    (row,) = desk.read().to_dict("records")
    assert row == made
    assert (row["until"], row["note"], row["decided_by"]) == (
        "2024-06-01",
        "Records asked",
        "steward",
    )
    assert row["decided_at"] == "2024-05-01T12:00:00.000000+00:00"
    assert row["record_key"] == desk.ids["ordinary"] and row["check"] == "a_check"


def test_a_correction_keeps_what_the_feed_held(desk):
    desk.correct("refused", "occurred_from", "2024-01-20 10:00")
    desk.correct("ordinary", "offense_code", "51000")
    desk.correct("ordinary", "block_address", "1600 block of MAIN ST")
    desk.correct("ordinary", "occurred_to", "")
    told = desk.read()[["field", "value", "published"]].to_numpy().tolist()
    assert told == [
        ["occurred_from", "2024-01-20 10:00", "02/30/2024 10:00"],
        ["offense_code", "051000", "031000"],
        ["block_address", "1600 block of MAIN ST", "1500 block of MAIN ST"],
        ["occurred_to", "", "01/02/2024 09:00"],
    ]
    assert "1515" not in desk.path.read_text("utf-8-sig")
    assert len(corrections_in_force(desk.read())) == 4


def test_the_items_own_field_is_corrected_if_none_is_named(desk):
    assert desk.decide("ordinary", "correct", value="2024-01-02")["field"] == "occurred_from"


def test_an_item_may_be_named_by_how_it_begins(desk):
    assert desk.decide(desk.items["rape"][:9], "comment", note="x")["item"] == desk.items["rape"]
    desk.refuses("No item 'q0'", "q0", "comment", note="x")


def test_times_always_increase(desk):
    desk.decide("ordinary", "comment", note="one")
    desk.decide("ordinary", "comment", note="two", now=NOW - dt.timedelta(days=1))
    assert desk.read()["decided_at"].is_monotonic_increasing
    assert desk.read()["decided_at"].is_unique


def test_a_spreadsheet_may_have_saved_the_file(desk):
    desk.decide("ordinary", "comment", note='Zoë, "quoted"')
    once = desk.read()
    assert desk.path.read_bytes().startswith(b"\xef\xbb\xbfdecided_at")
    desk.path.write_bytes(desk.path.read_bytes().replace(b"\n", b"\r\n"))
    pd.testing.assert_frame_equal(desk.read(), once)
    desk.decide("rape", "comment", note="next")
    assert desk.path.read_bytes().count(b"\r\n") == 3 == desk.path.read_bytes().count(b"\n")
    desk.path.write_bytes(desk.path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    assert len(desk.read()) == 2


def test_the_hash_is_of_what_is_decided(desk):
    nothing = decisions_sha256(desk.read())
    desk.path.write_text(",".join(COLUMNS) + "\n", "utf-8")
    assert decisions_sha256(desk.read()) == nothing
    desk.path.write_bytes(b"")
    assert decisions_sha256(desk.read()) == nothing
    desk.decide("ordinary", "comment", note="x")
    one = decisions_sha256(desk.read())
    desk.path.write_bytes(desk.path.read_bytes().replace(b"\n", b"\r\n"))
    assert decisions_sha256(desk.read()) == one != nothing


# --- what is in force ---


def test_a_later_decision_takes_a_correction_back(desk):
    desk.correct("ordinary", "precinct", "2")
    desk.correct("ordinary", "x", str(WEST + 1400))
    desk.correct("ordinary", "precinct", "3")
    force = corrections_in_force(desk.read())
    assert dict(zip(force["field"], force["value"], strict=True)) == {
        "x": str(WEST + 1400), "precinct": "3",
    }  # fmt: skip
    desk.decide("ordinary", "comment", note="hm")
    assert len(corrections_in_force(desk.read())) == 2
    desk.decide("ordinary", "reopen")
    assert corrections_in_force(desk.read()).empty
    desk.correct("ordinary", "precinct", "4")
    assert list(corrections_in_force(desk.read())["value"]) == ["4"]


def test_the_state_by_now_counts_what_was_decided_since_the_run(desk):
    queue = load_table("quality_queue", "example", home=desk.home)
    row = queue.set_index("item", drop=False).loc[desk.items["ordinary"]]
    assert state_by_now(row, desk.read()) == "new"
    desk.decide("ordinary", "assign", owner="Records", due="2024-06-01")
    assert state_by_now(row, desk.read()) == "assigned"
    desk.decide("ordinary", "waive", until="2024-06-01")
    assert state_by_now(row, desk.read()) == "waived"
    desk.refuses("is waived, which allows", "ordinary", "assign", owner="Records")
    desk.decide("ordinary", "reopen")
    assert state_by_now(row, desk.read()) == "assigned"
    desk.refuses("is assigned, which allows", "ordinary", "reopen")


# --- what is refused ---


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ("'yesterday' is no date", "occurred_from", "yesterday"),
        ("'01/02/2024' is no date", "occurred_from", "01/02/2024"),
        ("'2024-02-30' is no date", "occurred_from", "2024-02-30"),
        ("no date as known_on; write it as 2013-06", "known_on", "January"),
        ("lies in the future", "reported_at", "2031-01-01"),
        ("cannot have been known on 2024-01-31", "occurred_from", "2024-03-01 10:00"),
        ("end before it began", "occurred_to", "2023-12-31"),
        ("too long ago", "occurred_from", "0203-01-01"),
        ("cannot be empty", "occurred_from", " "),
        ("lists no offense code 777777", "offense_code", "777777"),
        ("no district 9; listed are 1, 2, 3, 4", "precinct", "9"),
        ("count is 1, or -1", "count", "2"),
        ("x is a number", "x", "east"),
        ("x is a number", "x", "inf"),
        ("No place in Example City has 1 as x", "x", "1"),
        ("No place in Example City has 4270300 as x", "x", str(SOUTH + 300)),
        ("Write it as '1500 block of MAIN ST'", "block_address", "1515 MAIN ST"),
        ("origin is one of", "origin", "rumor"),
        ("no case number", "incident_number", "John Doe"),
        ("publishes no beat", "beat", "7"),
        ("precinct is 1 already", "precinct", "1"),
        ("offense_description cannot be corrected; these can", "offense_description", "x"),
        ("record_id cannot be corrected", "record_id", "x"),
    ],
)
def test_an_impossible_value_is_refused_with_the_reason(desk, said, field, value):
    desk.refuses_value(said, "ordinary", field, value)


def test_what_does_not_exist_is_refused(desk):
    desk.refuses("No item 'q123456789abc'", "q123456789abc", "comment", note="x")
    desk.refuses("No record 00000000000000ff", "gone", "correct", value="2024-01-01")
    desk.refuses("not about one record", "once", "correct", value="2024-01-01")
    desk.refuses("'ignore' is no action", "ordinary", "ignore")
    desk.refuses("Say who decides", "ordinary", "comment", note="x", by=" ")
    desk.refuses("Waive needs until", "ordinary", "waive")
    desk.refuses("write the day as", "ordinary", "waive", until="next week")
    desk.refuses("has ended already", "ordinary", "waive", until="2024-04-30")
    desk.refuses("Assign needs an owner", "ordinary", "assign")
    desk.refuses("Comment needs a note", "ordinary", "comment")
    desk.refuses("comment takes no value", "ordinary", "comment", note="x", value="3")
    desk.refuses("spreadsheet takes for a formula", "ordinary", "comment", note="=1+1")


def test_the_place_of_a_sex_offense_never_enters(desk):
    for name in ("rape", "unmapped"):
        for field, value in (("x", str(WEST + 9)), ("block_address", "300 block of OAK ST")):
            desk.refuses_value("place of this record is withheld", name, field, value)
    for note in ("on Gravois", "at gravois, near the park", f"x is {WEST + 400}"):
        desk.refuses("place of a record whose place is withheld", "rape", "comment", note=note)
    desk.decide("rape", "comment", note="the district is right")
    # Nor by way of its code.
    desk.correct("ordinary", "x", str(WEST + 1400))
    desk.refuses_value("Take those lines out", "ordinary", "offense_code", "021000")
    desk.correct("refused", "offense_code", "021000")
    desk.refuses_value("place of this record is withheld", "refused", "x", str(WEST + 9))


def test_no_note_holds_a_house_number_or_a_point(desk):
    for note in ("victim lives at 1515 Main St", "it was 4411 N Broadway Ave, Apt 3"):
        desk.refuses("house number", "ordinary", "comment", note=note)
        desk.refuses("house number", "ordinary", "assign", owner=note)
    for note in ("38.627003 is right", "700400 4270300"):
        desk.refuses("coordinates", "ordinary", "comment", note=note)
    desk.decide("ordinary", "comment", note="1500 block of Main St; same as case 24-000017, 3 of 7")


# --- a file that people edit ---


def line(desk, **changes):
    usual = {
        **dict.fromkeys(COLUMNS, ""),
        "decided_at": "2024-05-01T12:00:00+00:00",
        "decided_by": "steward",
        "item": desk.items["ordinary"],
        "record_key": desk.ids["ordinary"],
        "check": "a_check",
        "action": "comment",
        "note": "x",
    }
    return {**usual, **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": "wave"}, "action is 'wave'; it is one of assign"),
        ({"decided_at": "5/1/2024 12:00"}, "decided_at is '5/1/2024 12:00'"),
        ({"decided_at": "2024-05-01T12:00:00"}, "decided_at is"),
        ({"decided_by": ""}, "decided_by is empty"),
        ({"item": "1.23E+12"}, "'1.23E.12' is no item"),
        ({"action": "waive", "until": "6/1/2024"}, "until is '6/1/2024'; write the day as"),
        ({"action": "correct", "field": "count", "value": "3"}, "count is 1, or -1"),
        ({"action": "correct", "field": "occurred_from", "value": "6/1/2013"}, "is no date"),
        ({"action": "correct", "field": "offense_code", "value": "31000"}, "write the value as"),
        ({"action": "correct", "field": "block_address", "value": "1515 MAIN ST"}, "hundred block"),
        ({"action": "correct", "field": "x", "value": "1", "record_key": "all"}, "not about one"),
        ({"note": "he lives at 1515 Main St"}, "house number"),
        ({"check": ""}, "record_key and check must be given"),
    ],
)
def test_a_bad_line_is_refused_by_its_number(desk, changes, said):
    append_line(desk.path, line(desk))
    append_line(desk.path, line(desk, **changes))
    with pytest.raises(SettingsError, match=f"example/decisions.csv, line 3: .*{said}"):
        desk.read()
    with pytest.raises(SettingsError, match="line 3"):
        desk.decide("ordinary", "comment", note="y")


def test_other_columns_and_other_encodings_are_told(desk):
    append_line(desk.path, line(desk))
    whole = desk.path.read_bytes()
    desk.path.write_bytes(whole.replace(b",", b";"))
    with pytest.raises(SettingsError, match="line 1: the columns must be decided_at,decided_by"):
        desk.read()
    desk.path.write_bytes(whole + b"one,two\n")
    with pytest.raises(SettingsError, match="line 3: 2 values, not 13"):
        desk.read()
    desk.path.write_bytes(whole.replace(b",x,", ",Zoë,".encode("cp1252")))
    with pytest.raises(SettingsError, match="not UTF-8"):
        desk.read()


def test_a_torn_last_line_is_told_wherever_it_was_cut(desk):
    append_line(desk.path, line(desk))
    start = len(desk.path.read_bytes())
    append_line(desk.path, line(desk, note="second"))
    whole = desk.path.read_bytes()
    for cut in range(start + 1, len(whole)):
        desk.path.write_bytes(whole[:cut])
        with pytest.raises(SettingsError, match="line 3: the last line has no end"):
            desk.read()
    with pytest.raises(SettingsError, match="no end"):
        desk.decide("ordinary", "comment", note="behind the torn one")
    desk.path.write_bytes(whole[:start])
    assert len(desk.read()) == 1


# --- two people at once ---


def _decide_often(root, item, name, times):
    from beatbook.home import Home

    for number in range(times):
        decide("example", item, "comment", by=name, note=f"{name} {number}", home=Home(root))


def test_two_people_deciding_at_once_lose_nothing(desk):
    context = multiprocessing.get_context("spawn")
    people = [
        context.Process(target=_decide_often, args=(desk.home.root, desk.items["once"], name, 12))
        for name in ("Ann", "Bob")
    ]
    for person in people:
        person.start()
    for person in people:
        person.join(120)
    assert [person.exitcode for person in people] == [0, 0]
    notes = desk.read()["note"]
    assert sorted(notes) == sorted(f"{name} {n}" for name in ("Ann", "Bob") for n in range(12))
    assert desk.read()["decided_at"].is_unique


def test_where_the_feed_is_not_at_hand_nothing_is_corrected(desk, tmp_path):
    text = desk.store.folder / "text"
    kept = tmp_path / "text"
    shutil.move(text, kept)
    try:
        desk.refuses("The feed has changed since", "ordinary", "correct", value="2024-01-01")
        desk.decide("ordinary", "comment", note="still possible")
    finally:
        shutil.move(kept, text)
