"""The first page's box, the data-quality block and the revisions as blocks."""

import pandas as pd
import pytest

from beatbook.book import Callout, Table
from beatbook.book.first_page import data_in_question, first_page_box, quality_block
from beatbook.book.formatting import UNDEFINED
from beatbook.book.revisions import revisions_table
from beatbook.compstat.first_page import DataInQuestion
from beatbook.compstat.revisions import COLUMNS, SAME_DAY
from beatbook.errors import InvalidInput


def results(*rows):
    names = ("run_id", "checked_at", "table", "check", "severity", "checked", "failing")
    frame = pd.DataFrame(list(rows), columns=names)
    return frame.assign(why="It matters.", passed=frame["failing"] == 0)


def queue(*states):
    return pd.DataFrame(
        {
            "record_key": [f"r{n}" for n in range(len(states))],
            "severity": "warning",
            "state": list(states),
            "records": 1,
        }
    )


OLD = ("run-1", "2024-03-01T11:00:00Z")
NEW = ("run-2", "2024-03-08T11:00:00Z")
ROWS = results(
    (*OLD, "staged", "unique_id", "critical", 900, 90),
    (*NEW, "staged", "unique_id", "critical", 1000, 0),
    (*NEW, "staged", "known_precinct", "warning", 1000, 25),
    (*NEW, "staged", "hour_given", "info", 1000, 400),
    (*NEW, "staged", "occurred_before_known", "critical", 10_000, 2),
)


def test_the_worst_rules_of_the_last_run_by_hand():
    table = quality_block(ROWS, queue("new", "assigned", "waived", "corrected"))
    assert isinstance(table, Table)
    assert [row.cells[:6] for row in table.rows] == [
        ["occurred before known", "staged", "critical", "2", "10,000", "under 0.1 %"],
        ["known precinct", "staged", "warning", "25", "1,000", "2.5 %"],
        ["hour given", "staged", "info", "400", "1,000", "40.0 %"],
    ]
    assert "3 of 4 checks, 2024-03-08" in table.caption
    assert table.notes == ["2 items wait in the steward's queue (2 warning), about 2 records."]


def test_all_met_none_run_and_empty_frames():
    met = quality_block(ROWS[ROWS["check"] == "unique_id"], queue("new"))
    assert isinstance(met, Callout)
    assert met.lines == [
        "The one check of 2024-03-08 is met.",
        "1 item waits in the steward's queue (1 warning), about 1 record.",
    ]
    for empty in (pd.DataFrame(), ROWS.iloc[:0]):
        block = quality_block(empty, pd.DataFrame())
        assert block.lines == [
            "No check has been run yet.",
            "No item waits in the steward's queue.",
        ]
    with pytest.raises(InvalidInput, match="severity"):
        quality_block(ROWS.drop(columns="severity"), pd.DataFrame())


def test_at_most_eight_rules_and_the_rest_counted():
    rows = results(*[(*NEW, "staged", f"rule_{n}", "warning", 100, n + 1) for n in range(10)])
    table = quality_block(rows, pd.DataFrame())
    assert len(table.rows) == 8 and table.rows[0].cells[0] == "rule 9"
    assert table.notes[-1] == "2 further checks found less."


def test_the_summary_counts_open_items_and_a_record_once():
    items = queue("new", "assigned", "fixed at source")
    items["record_key"] = ["r1", "r1", "r2"]
    assert data_in_question(ROWS, items, 5000, 7) == DataInQuestion(5000, 7, 2, 1, 3, 4)
    assert data_in_question(pd.DataFrame(), pd.DataFrame(), 5, 0) == DataInQuestion(
        5, 0, 0, 0, 0, 0
    )


def test_the_box_holds_the_lines():
    box = first_page_box(["One.", "Two."])
    assert (box.title, box.lines) == ("The week in a minute", ["One.", "Two."])
    with pytest.raises(InvalidInput):
        first_page_box([])


def revised(**columns):
    rows = []
    for offense, then, now in (("Robbery", 1200, 1203), ("Total Part I", 3000, 2990)):
        for window in ("week", "28_days", "year_to_date"):
            rows.append(
                (pd.Timestamp("2024-03-10"), pd.Timestamp("2024-03-10"),
                 pd.Timestamp("2024-03-17"), "city", "Example", offense, window,
                 pd.Timestamp("2024-03-04"), pd.Timestamp("2024-03-10"), then, now, now - then, "")
            )  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({name: "Int64" for name in ("then", "now", "difference")}).assign(**columns)


def test_revisions_are_laid_out_with_their_signs():
    frame = revised()
    frame.loc[frame["window"] == "28_days", "then"] = frame["now"]
    frame.loc[frame["window"] == "28_days", "difference"] = 0
    frame.loc[frame["window"] == "year_to_date", ["then", "difference"]] = pd.NA
    table = revisions_table(frame, "Example")
    assert [row.cells for row in table.rows] == [
        ["Robbery", "1,200", "1,203", "+3", "1,203", "1,203", "0", "n/c", "1,203", UNDEFINED],
        ["Total Part I", "3,000", "2,990", "-10", "2,990", "2,990", "0", "n/c", "2,990", UNDEFINED],
    ]
    assert [row.strong for row in table.rows] == [[3], [3]]
    assert "week ending Mar 10, 2024 (as of Mar 10, 2024)" in table.caption
    assert "n/c not covered" in table.notes[0]


def test_no_earlier_book_and_the_same_records():
    assert isinstance(revisions_table(revised().iloc[:0]), Callout)
    same = revisions_table(revised(note=SAME_DAY))
    assert "no figure can have changed" in same.lines[0]
