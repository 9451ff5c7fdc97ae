"""The steward's queue: ids, counts and states, over runs and decisions."""

import datetime as dt
import time

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from beatbook.errors import InvalidInput
from beatbook.quality.queue import (
    ALL_RECORDS,
    FINDING_COLUMNS,
    OPEN_STATES,
    STATES,
    item_id,
    update_queue,
)
from beatbook.tables import QUALITY_QUEUE

MONDAY = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
CHECK = "known_date_is_after_occurrence"


def day(number):
    return MONDAY + dt.timedelta(days=number)


def findings(*records, check=CHECK, queue="each", severity="warning"):
    rows = [
        {
            "table": "incidents",
            "check": check,
            "severity": severity,
            "why": "It cannot be.",
            "queue": queue,
            "record_key": record,
            "field": "occurred_from",
            "observed": f"seen {record}",
            "expected": "a day before",
            "source_file": "a.csv",
            "source_row": number,
        }
        for number, record in enumerate(records, 1)
    ]
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS)).astype({"source_row": "Int64"})


def item(record, check=CHECK, field="occurred_from"):
    return item_id("example", "incidents", check, record, field)


def decided(*lines):
    """Decisions: (day they were made, record, action, further columns)."""
    columns = ["decided_at", "decided_by", "item", "action", "until", "owner", "due", "note"]
    rows = [
        {
            **dict.fromkeys(columns, ""),
            "decided_at": day(when).isoformat(timespec="microseconds"),
            "decided_by": "steward",
            "item": item(record),
            "action": action,
            **more,
        }
        for when, record, action, more in lines
    ]
    return pd.DataFrame(rows, columns=columns, dtype="str")


def corrections(*records, took_effect=True):
    return pd.DataFrame({"record_id": list(records), "took_effect": took_effect})


class Desk:
    """A queue carried over days."""

    def __init__(self):
        self.queue = None

    def run(self, number, found, decisions=None, **options):
        self.queue = update_queue(
            self.queue, found, decisions, day(number), department="example", **options
        )
        return self.queue

    def of(self, record):
        return self.queue.set_index("item").loc[item(record)]

    def state(self, record):
        return self.of(record)["state"]


@pytest.fixture
def desk():
    return Desk()


def test_a_new_item_says_all_that_was_found(desk):
    queue = desk.run(0, findings("a"))
    QUALITY_QUEUE.conform(queue)
    row = desk.of("a")
    assert row["state"] == "new" and row["times_seen"] == 1 and row["reopened"] == 0
    assert row["first_seen"] == row["last_seen"] == "2024-01-01T12:00:00.000000+00:00"
    assert (row["observed"], row["expected"]) == ("seen a", "a day before")
    assert (row["source_file"], row["source_row"], row["records"]) == ("a.csv", 1, 1)


def test_the_id_is_the_same_in_every_run_and_no_number_to_a_spreadsheet():
    assert item("a") == item("a") == "q" + item("a")[1:]
    assert len({item("a"), item("b"), item("a", "other"), item("a", field="x")}) == 4
    # Never changed: decisions.csv names items by it.
    assert item_id("example", "incidents", "c", "r", "f") == "qd8f0b5723aa0"


def test_seen_again_it_counts_and_keeps_its_first_day(desk):
    desk.run(0, findings("a"))
    desk.run(7, findings("a"))
    desk.run(7, findings("a"))
    row = desk.of("a")
    assert row["times_seen"] == 2
    assert row["first_seen"] < row["last_seen"] == day(7).isoformat(timespec="microseconds")


def test_what_is_gone_closes_itself_and_reopens_when_it_comes_back(desk):
    desk.run(0, findings("a"))
    desk.run(1, findings())
    assert desk.state("a") == "fixed at source"
    desk.run(2, findings())
    assert desk.of("a")["reopened"] == 0
    desk.run(3, findings("a"))
    assert desk.state("a") == "new" and desk.of("a")["reopened"] == 1
    assert desk.of("a")["times_seen"] == 2


def test_assigned_it_has_an_owner_and_stays_assigned_when_it_reopens(desk):
    assigned = decided((0, "a", "assign", {"owner": "Records", "due": "2024-02-01"}))
    desk.run(0, findings("a"))
    desk.run(1, findings("a"), assigned)
    assert tuple(desk.of("a")[["state", "owner", "due"]]) == ("assigned", "Records", "2024-02-01")
    desk.run(2, findings(), assigned)
    assert desk.state("a") == "fixed at source"
    desk.run(3, findings("a"), assigned)
    assert desk.state("a") == "assigned" and desk.of("a")["reopened"] == 1


def test_a_waiver_holds_through_its_last_day_and_then_expires(desk):
    waived = decided((0, "a", "waive", {"until": "2024-01-10"}))
    desk.run(0, findings("a"))
    desk.run(1, findings("a"), waived)
    assert desk.state("a") == "waived" and desk.of("a")["waived_until"] == "2024-01-10"
    desk.run(9, findings("a"), waived)
    assert desk.state("a") == "waived" and desk.of("a")["reopened"] == 0
    desk.run(10, findings("a"), waived)
    assert desk.state("a") == "new" and desk.of("a")["reopened"] == 1
    assert pd.isna(desk.of("a")["waived_until"])


def test_the_departments_own_date_ends_a_waiver(desk):
    waived = decided((0, "a", "waive", {"until": "2024-01-10"}))
    desk.run(0, findings("a"))
    desk.run(10, findings("a"), waived, today=dt.date(2024, 1, 10))
    assert desk.state("a") == "waived"


def test_waived_and_gone_is_fixed(desk):
    waived = decided((0, "a", "waive", {"until": "2024-01-10"}))
    desk.run(0, findings("a"))
    desk.run(1, findings("a"), waived)
    desk.run(2, findings(), waived)
    assert desk.state("a") == "fixed at source"


def test_not_an_error_stands_until_it_is_opened_again(desk):
    lines = [(0, "a", "not_an_error", {"note": "two cars"})]
    desk.run(0, findings("a"))
    for number, found in enumerate((findings("a"), findings(), findings("a")), 1):
        desk.run(number, found, decided(*lines))
        assert desk.state("a") == "not an error" and desk.of("a")["note"] == "two cars"
    lines.append((4, "a", "reopen", {}))
    desk.run(5, findings("a"), decided(*lines))
    assert desk.state("a") == "new" and desk.of("a")["reopened"] == 1
    assert desk.of("a")["note"] == "two cars"


def test_a_correction_that_cures_it(desk):
    made = decided((0, "a", "correct", {}))
    desk.run(0, findings("a", "b"))
    desk.run(1, findings("b"), made, corrections=corrections("a"))
    assert desk.state("a") == "corrected" and desk.state("b") == "new"
    desk.run(2, findings("b"), made, corrections=corrections("a"))
    assert desk.state("a") == "corrected"
    # The publisher mended the record: the correction is not applied any more.
    desk.run(3, findings("b"), made, corrections=corrections("a", took_effect=False))
    assert desk.state("a") == "fixed at source"


def test_a_correction_that_does_not_cure_it_opens_it_again_once(desk):
    made = decided((0, "a", "correct", {}))
    desk.run(0, findings("a"))
    for number in (1, 2):
        desk.run(number, findings("a"), made, corrections=corrections("a"))
        assert desk.state("a") == "new" and desk.of("a")["reopened"] == 1
    # A comment is no new correction.
    noted = pd.concat([made, decided((2, "a", "comment", {"note": "asked Records"}))])
    desk.run(3, findings("a"), noted, corrections=corrections("a"))
    assert desk.of("a")["reopened"] == 1 and desk.of("a")["note"] == "asked Records"


def test_a_correction_that_no_longer_fits_opens_it_again(desk):
    made = decided((0, "a", "correct", {}))
    desk.run(0, findings("a"))
    desk.run(1, findings(), made, corrections=corrections("a"))
    desk.run(2, findings("a"), made, corrections=corrections("a", took_effect=False))
    assert desk.state("a") == "new" and desk.of("a")["reopened"] == 1


def test_a_correction_cures_the_other_questions_of_its_record_too(desk):
    both = pd.concat([findings("a"), findings("a", check="implausible_age")])
    desk.run(0, both)
    desk.run(1, findings(), decided((0, "a", "correct", {})), corrections=corrections("a"))
    assert set(desk.queue["state"]) == {"corrected"}


def test_a_rule_that_did_not_run_closes_nothing(desk):
    desk.run(0, findings("a"))
    desk.run(1, findings(), checked=set())
    assert desk.state("a") == "new" and desk.of("a")["times_seen"] == 1
    desk.run(2, findings(), checked={("incidents", "another")})
    assert desk.state("a") == "new"
    desk.run(3, findings(), checked={("incidents", CHECK)})
    assert desk.state("a") == "fixed at source"
    desk.run(4, findings(), checked=set())
    assert desk.state("a") == "fixed at source"


def test_a_waiver_expires_also_where_the_rule_did_not_run(desk):
    waived = decided((0, "a", "waive", {"until": "2024-01-03"}))
    desk.run(0, findings("a"))
    desk.run(1, findings("a"), waived)
    desk.run(5, findings(), waived, checked=set())
    assert desk.state("a") == "new"


def test_a_rule_for_all_gives_one_item_with_its_number():
    desk = Desk()
    many = findings(*(f"r{n}" for n in range(1234)), queue="once")
    desk.run(0, many)
    (row,) = desk.queue.to_dict("records")
    assert row["record_key"] == ALL_RECORDS and row["records"] == 1234 and row["field"] == ""
    assert row["observed"] == "1,234 records, such as seen r0"
    desk.run(1, findings("r9", queue="once"))
    (again,) = desk.queue.to_dict("records")
    assert again["item"] == row["item"] and again["records"] == 1
    assert again["observed"] == "1 record, such as seen r9" and again["times_seen"] == 2


def test_what_goes_into_no_queue_and_what_is_named_twice():
    desk = Desk()
    assert desk.run(0, findings("a", "b", queue="none")).empty
    assert len(desk.run(0, findings("a", "a", "b"))) == 2


def test_decisions_on_items_that_are_not_there_are_left_alone(desk):
    queue = desk.run(0, findings("a"), decided((0, "gone", "waive", {"until": "2030-01-01"})))
    assert list(queue["state"]) == ["new"]


def test_findings_of_another_form_are_refused():
    with pytest.raises(InvalidInput, match="lack queue"):
        Desk().run(0, findings("a").drop(columns="queue"))
    with pytest.raises(InvalidInput, match="each, once or none, not sometimes"):
        Desk().run(0, findings("a", queue="sometimes"))
    with pytest.raises(InvalidInput, match="time zone"):
        update_queue(None, findings(), None, dt.datetime(2024, 1, 1), department="example")


RECORDS = st.sampled_from("abcd")
ACTION = st.tuples(
    RECORDS,
    st.sampled_from(["assign", "correct", "waive", "not_an_error", "reopen", "comment"]),
    st.integers(0, 12),
)
RUN = st.tuples(
    st.sets(RECORDS),
    st.lists(ACTION, max_size=2),
    st.sets(RECORDS),
    st.sampled_from(["all", "none"]),
)


@given(st.lists(RUN, min_size=2, max_size=6))
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_whatever_happens(runs):
    """Over any history: nothing lost, the same run twice changes nothing, states as described."""
    desk, lines, last = Desk(), [], {}
    for number, (present, actions, cured, ran) in enumerate(runs):
        before = desk.queue
        found = findings(*sorted(present))
        options = {
            "corrections": corrections(*sorted(cured)),
            "checked": None if ran == "all" else {("incidents", CHECK)} if present else set(),
        }
        made = decided(*lines) if lines else None
        queue = desk.run(number, found, made, **options)
        pd.testing.assert_frame_equal(desk.run(number, found, made, **options), queue)
        if before is not None:
            assert set(before["item"]) <= set(queue["item"])
            old = before.set_index("item")
            new = queue.set_index("item").loc[old.index]
            assert (new["first_seen"] == old["first_seen"]).all()
            assert ((new["times_seen"] - old["times_seen"]).isin([0, 1])).all()
            opened = new["reopened"] - old["reopened"]
            assert opened.isin([0, 1]).all()
            closed = ~old["state"].isin(OPEN_STATES)
            assert (opened[closed & new["state"].isin(OPEN_STATES)] == 1).all()
            assert (opened[~new["state"].isin(OPEN_STATES)] == 0).all()
        today = day(number).date().isoformat()
        looked = options["checked"] is None or bool(options["checked"])
        for row in queue.to_dict("records"):
            record, action = row["record_key"], last.get(row["record_key"], ("", 0))
            here = record in present
            assert row["state"] in STATES
            if row["state"] == "not an error":
                assert action[0] in ("not_an_error", "correct")
            if row["state"] == "waived" and looked:
                assert action[0] == "waive" and row["waived_until"] >= today and here
            if row["state"] == "assigned":
                assert row["owner"] == "Records"
            if row["state"] == "new" and looked:
                assert here and pd.isna(row["owner"])
            if row["state"] == "corrected" and looked:
                assert record in cured and not here
            if row["state"] == "fixed at source":
                assert not here
            if looked and not here and action[0] != "not_an_error":
                assert row["state"] in ("fixed at source", "corrected")
        # Decisions are made between runs, on what is in the queue.
        for record, action, until in actions:
            if item(record) in set(queue["item"]):
                extra = {
                    "waive": {"until": day(until).date().isoformat()},
                    "assign": {"owner": "Records"},
                }.get(action, {})
                lines.append((number + 0.1 + len(lines) * 1e-4, record, action, extra))
                if action not in ("assign", "comment"):
                    last[record] = (action, until)


def test_fifty_thousand_items_are_fast():
    first = findings(*(f"{n:016x}" for n in range(50_000)))
    second = findings(*(f"{n:016x}" for n in range(25_000, 75_000)))
    desk = Desk()
    desk.run(0, first)
    started = time.process_time()
    queue = desk.run(1, second, decided(*((0, f"{n:016x}", "comment", {}) for n in range(500))))
    # About 2 s of one core.
    assert time.process_time() - started < 10
    assert queue["state"].value_counts().to_dict() == {"new": 50_000, "fixed at source": 25_000}
