"""The steward's page says what the tables hold, and nothing that they must not tell."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from beatbook.errors import UnknownDepartment
from beatbook.quality import view
from beatbook.quality.history import RUNS_SHOWN, rule_histories
from beatbook.quality.page import ACTIONS, command_start, write_page
from beatbook.quality.redaction import WITHHELD
from beatbook.quality.summary import latest_results, quality_summary
from beatbook.store import Store
from beatbook.tables import TABLES

DATA = Path(__file__).resolve().parents[2] / "data" / "quality"
NAMES = ("quality_results", "quality_queue", "corrections")


def read(name: str) -> pd.DataFrame:
    """A made-up table; what it holds is in tests/data/quality."""
    frame = pd.read_csv(DATA / f"{name}.csv", dtype="str")
    for column in TABLES[name].columns:
        if column.dtype == "bool":
            frame[column.name] = frame[column.name] == "True"
        elif column.dtype != "string":
            frame[column.name] = pd.to_numeric(frame[column.name])
        elif column.required:
            frame[column.name] = frame[column.name].fillna("")
    return frame


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    return {name: read(name) for name in NAMES}


def publish(department: Any, tables: dict[str, pd.DataFrame]) -> None:
    Store(department.slug, department.home).publish(tables, {"run_id": "made up"})


def text_of(path: Path) -> str:
    """The page's words, without markup, style and script."""
    html = path.read_text(encoding="utf-8")
    html = re.sub(r"<style>.*?</style>|<script[ >].*?</script>", "", html, flags=re.S)
    # An element's end is a break between words, or "12" and "new" would be "12new".
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def page_of(department: Any, tables: dict[str, pd.DataFrame]) -> str:
    publish(department, tables)
    return text_of(write_page(department.slug, department.home))


def test_the_page_lies_with_the_departments_reports(small_department, tables):
    publish(small_department, tables)
    path = write_page("example", small_department.home)
    assert path == small_department.home.reports / "example" / "quality" / "index.html"
    before = path.read_bytes()
    assert write_page("example", small_department.home).read_bytes() == before


def test_it_says_what_was_checked_what_failed_and_that_the_book_is_held(small_department, tables):
    text = page_of(small_department, tables)
    assert "Last checked Jan 22, 2024, 06:00" in text  # 12:00 UTC on Chicago's clock
    assert "HOLD The last check kept the new tables from being published." in text
    assert "1 critical rule failed: few rows of a file are refused." in text
    assert "6 of 9 rules failed in the last check" in text
    assert "A crime cannot be on the books before it happened" in text
    assert "9 of 4,143 failing (0.2 %), 4 more than in the run before; the most in 12 runs." in text
    assert "2 of 4,143 failing (under 0.1 %), as in the run before." in text


def test_without_a_critical_failure_nothing_is_held(small_department, tables):
    results = tables["quality_results"]
    results.loc[results["severity"] == "critical", ["passed", "failing"]] = [True, 0]
    text = page_of(small_department, tables)
    assert "HOLD" not in text and "Not held No critical rule failed" in text


def test_a_rule_that_held_an_earlier_run_does_not_hold_this_one(tables):
    results = tables["quality_results"]
    held = (results["check"] == "record_id_is_unique") & (results["run_id"] == "run-10")
    results.loc[held, "passed"] = False
    assert set(view.holding(results)) == {"few rows of a file are refused"}


def test_tables_checked_in_different_runs_each_have_their_last(tables):
    """A book's tables are checked by another job than the feed's."""
    results = tables["quality_results"]
    late = results[results["run_id"] == "run-11"].query("table == 'weekly_counts'")
    results = results.drop(index=late.index)
    latest = latest_results(results)
    assert latest.groupby("table")["run_id"].unique().map(list).to_dict() == {
        "feed_files": ["run-11"], "incidents": ["run-11"], "weekly_counts": ["run-10"],
    }  # fmt: skip


def test_the_queue_is_gravest_then_oldest_first_and_open_before_closed(tables):
    rows = view.queue_rows(tables["quality_queue"], set(), view.Clock("America/Chicago"), None)
    assert rows[0]["severity"] == "critical"
    closed = [row["open"] for row in rows].index(False)
    assert closed == 12 and not any(row["open"] for row in rows[closed:])
    warnings = [row["first_seen_utc"] for row in rows[1:closed]]
    assert warnings == sorted(warnings)


def test_an_item_tells_its_source_its_value_and_what_was_expected(small_department, tables):
    text = page_of(small_department, tables)
    assert "2024-01.csv, row 127 occurred_from 2024-04-12 02:00 on or before 2024-01-31" in text
    assert "assigned records desk, by 2024-02-01 “asked the precinct for the report”" in text
    assert "63 days ago" in text and "reopened 1 time" in text


def test_more_items_than_a_page_holds_are_counted(small_department, tables):
    one = tables["quality_queue"].query("check == 'occurred_before_known' and state == 'new'")
    many = pd.concat([one.iloc[[0]]] * 2_345, ignore_index=True)
    many["item"] = [f"q{n:012x}" for n in range(len(many))]
    many["observed"], many["note"] = "2032-10-05 14:00 " * 20, "a long note " * 60
    tables["quality_queue"] = many
    publish(small_department, tables)
    path = write_page("example", small_department.home)
    text = text_of(path)
    assert "This page holds the first 1,000 of 2,345 items; 1,345 more are in the table" in text
    assert "beatbook quality list --department example --state all --limit 2345" in text
    assert path.read_text(encoding="utf-8").count('class="bq-item"') == 1_000
    assert path.stat().st_size < 3_000_000


def test_long_histories_and_many_rules_stay_below_three_megabytes(small_department, tables):
    days = pd.date_range("2023-01-01 12:00", periods=100, tz="UTC")
    many = pd.DataFrame({"at": [day.isoformat() for day in days]}).merge(
        pd.DataFrame({"copy": [f"_{n}" for n in range(8)]}), how="cross"
    )
    results = tables["quality_results"].query("run_id == 'run-11'").merge(many, how="cross")
    results["check"], results["run_id"] = results["check"] + results["copy"], results["at"]
    tables["quality_results"] = results.assign(checked_at=results["at"]).drop(
        columns=["at", "copy"]
    )
    histories = rule_histories(tables["quality_results"])
    assert {len(history.points) for history in histories.values()} == {RUNS_SHOWN}
    assert {history.runs for history in histories.values()} == {100}
    publish(small_department, tables)
    assert write_page("example", small_department.home).stat().st_size < 3_000_000


def test_corrections_stand_beside_what_was_published(small_department, tables):
    held = page_of(small_department, tables)
    assert "… when the hold ends" in held and "✓ in the tables" not in held
    tables["quality_results"]["passed"] = True
    text = page_of(small_department, tables)
    assert "✓ in the tables" in text and "10/05/2032 14:00 2023-10-05 14:00:00" in text
    assert "✕ no effect the feed now holds another value: fixed at source" in text
    assert "waived until 2024-06-30 points pile up" in text


def test_a_decision_since_the_last_run_waits_and_its_item_is_no_longer_open(
    small_department, tables
):
    from beatbook.quality.decisions import decide

    publish(small_department, tables)
    item = tables["quality_queue"]["item"].iloc[0]
    decide(
        "example", item, "not_an_error", by="steward", note="looked at", home=small_department.home
    )
    text = text_of(write_page("example", small_department.home))
    assert "Waiting for the next run Decided since the last run" in text
    assert "not an error few rows of a file are refused 2024-01.csv" in text
    assert "Waiting for a decision 0 critical, 11 warning, 0 info" in text
    assert "HOLD" in text  # the tables are held until a run finds the rule met


def test_a_torn_file_of_decisions_is_told_on_the_page(small_department, tables):
    (small_department.folder / "decisions.csv").write_text("decided_at,decided_by\n")
    text = page_of(small_department, tables)
    assert "The file of decisions cannot be read" in text and "decisions.csv, line 1" in text


@pytest.mark.parametrize("missing", [*NAMES, "all"])
def test_a_table_that_is_not_there_is_named(small_department, tables, missing):
    if missing == "all":
        text = text_of(write_page("example", small_department.home))
        assert "No check of this department is on record." in text
        assert all(f"( {name} ) has not been built" in text for name in NAMES)
        return
    del tables[missing]
    assert f"( {missing} ) has not been built" in page_of(small_department, tables)


def test_empty_tables_say_that_they_are(small_department, tables):
    text = page_of(small_department, {name: frame.iloc[:0] for name, frame in tables.items()})
    for said in (
        "The queue is empty",
        "No correction has been made",
        "No check of this department",
    ):
        assert said in text


def test_an_unknown_department_is_refused(small_department):
    with pytest.raises(UnknownDepartment):
        write_page("nowhere", small_department.home)


def test_refused_rows_are_told_by_reason_without_what_they_held(small_department):
    cleaned = small_department.clean([
        small_department.row(),
        small_department.row(Case="24-000002", Date="31/31/2024 10:00", Number="4207"),
    ])  # fmt: skip
    text = page_of(
        small_department, {"rejected_incidents": cleaned.rejected, "feed_files": cleaned.feed_files}
    )
    assert "1 row of the feed as last read could not become an incident" in text
    assert "occurred_from" in text and "2024-01.csv, row 2" in text
    assert "31/31/2024" not in text and "4207" not in text


def test_where_the_tables_are_held_the_page_shows_what_was_read(small_department, tables):
    """The steward decides on the rows that a hold keeps back, not on last week's."""
    read = small_department.clean([
        small_department.row(),
        small_department.row(Case="24-000002", Date="31/31/2024 10:00"),
    ])  # fmt: skip
    empty = {"rejected_incidents": read.rejected.iloc[:0], "feed_files": read.feed_files}
    staging = Store("example", small_department.home).staging
    staging.mkdir(parents=True)
    read.rejected.to_parquet(staging / "rejected_incidents.parquet")
    assert "1 row of the feed as last read" in page_of(small_department, {**tables, **empty})
    (staging / "rejected_incidents.parquet").unlink()
    assert "No row of the feed was refused." in page_of(small_department, tables)


# What must not be told.


def with_incidents(department: Any, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Publish a robbery and a rape at the same house, cleaned as a run does."""
    cleaned = department.clean([
        department.row(Number="4207", Street="BROADWAY"),
        department.row(Case="24-000002", Code="021000", Number="4207", Street="BROADWAY"),
    ])  # fmt: skip
    publish(department, {"incidents": cleaned.incidents, **tables})
    return cleaned.incidents.set_index("offense")


@pytest.mark.parametrize(
    ("field", "observed"),
    [("block_address", "4207 BROADWAY APT 7"), ("x", "700400"), ("x, y", "700400 4270300")],
)
def test_a_robbery_shows_its_block_and_a_rape_no_place(small_department, tables, field, observed):
    queue = tables["quality_queue"]
    places = queue.index[queue["check"] == "address_names_a_street"]
    records = with_incidents(small_department, {})
    queue.loc[places, "record_key"] = records.loc[["Robbery", "Rape"], "record_id"].to_list()
    queue.loc[places, ["field", "observed"]] = [field, observed]
    text = page_of(small_department, tables)
    shown = "4200 block of BROADWAY" if field == "block_address" else observed
    assert text.count(f"{field} {shown} ") == 1
    assert text.count(f"{field} {WITHHELD}") == 1
    assert "4207" not in text


def test_no_text_of_any_table_brings_a_house_number_in(small_department, tables):
    marked = "1 at 4207 Broadway St, rear of 4207 N Elm Ave Apt 7"
    for name, columns in {
        "quality_results": ["observed"],
        "quality_queue": ["observed", "expected", "note", "record_key"],
        "corrections": ["published_value", "corrected_value", "note", "reason"],
    }.items():
        tables[name][columns] = marked
    publish(small_department, tables)
    html = write_page("example", small_department.home).read_text(encoding="utf-8")
    assert "4207" not in html and "Apt 7" not in html and "4200 block of Broadway St" in html


def test_a_number_before_a_name_is_taken_for_a_house_in_what_people_typed(small_department, tables):
    for name in ("quality_queue", "corrections"):
        tables[name]["note"] = "the caller at 4207 Broadway"
    assert "4207" not in page_of(small_department, tables)


def test_markup_in_a_value_stays_text(small_department, tables):
    tables["quality_queue"]["observed"] = "</script><script>alert(1)</script>"
    tables["quality_results"]["why"] = "</script><img src=x onerror=alert(1)>"
    publish(small_department, tables)
    html = write_page("example", small_department.home).read_text(encoding="utf-8")
    assert html.count("<script") == 2 and html.count("</script>") == 2
    assert "<img" not in html
    data = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html, re.S)
    assert data and json.loads(data[1])["whys"]["incidents/offense_is_known"].startswith(
        "</script>"
    )


def test_the_page_names_nothing_outside_itself(small_department, tables):
    publish(small_department, tables)
    html = write_page("example", small_department.home).read_text(encoding="utf-8")
    assert set(re.findall(r'(?:src|href)="([^"#]*)', html)) <= {"data:,", ""}
    assert "@import" not in html and "url(" not in html
    assert set(re.findall(r"https?://[^\"' ]+", html)) == {"http://www.w3.org/2000/svg"}


# The commands.


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action["title"])
def test_every_command_on_the_page_is_one_that_the_command_line_takes(action, monkeypatch):
    import argparse
    import shlex

    from pipelines.commands import quality

    parser = argparse.ArgumentParser()
    quality.add(parser.add_subparsers())
    text = f"{command_start('example')} {action['command']}".replace("YYYY-MM-DD", "2024-06-30")
    words = shlex.split(text.replace("ITEM", "q00").replace("FIELD", "occurred_from"))
    chosen = parser.parse_args(words[1:])
    assert chosen.run is quality._decide and chosen.item == "q00"
    assert chosen.department == "example"


# The summary for the shelf.


def test_the_summary_of_a_held_department(small_department, tables):
    publish(small_department, tables)
    summary = quality_summary("example", small_department.home)
    assert summary.held and summary.held_by == ("few_rows_of_a_file_are_refused",)
    assert summary.open_items == {"critical": 1, "warning": 11, "info": 0}
    assert summary.last_checked == "2024-01-22T12:00:00.000000+00:00"
    assert summary.oldest_open == "2023-11-06T12:00:00.000000+00:00"
    assert (summary.rules, summary.failing) == (9, 6)


def test_the_summary_of_a_department_that_was_never_checked(small_department):
    summary = quality_summary("example", small_department.home)
    assert not summary.held and summary.last_checked is None and summary.oldest_open is None
    assert summary.open_items == {"critical": 0, "warning": 0, "info": 0}
