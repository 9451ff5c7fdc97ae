"""What is recorded after the checks of a run: results kept, queue carried on, page written."""

import datetime as dt
import threading

import pandas as pd
import pytest

from beatbook.errors import InvalidInput, MissingTable, SettingsError
from beatbook.quality import page
from beatbook.quality.decision_file import decisions_path
from beatbook.quality.loop import after_checks
from beatbook.quality.queue import FINDING_COLUMNS
from beatbook.store import load_table

NOW = dt.datetime(2024, 3, 11, 12, tzinfo=dt.UTC)


def results(passed=False, failing=1, check="a_check", table="incidents"):
    return pd.DataFrame(
        [
            {
                "table": table, "check": check, "severity": "warning", "why": "why",
                "checked": 10, "failing": failing, "passed": passed, "feed_sha256": "ab",
            }
        ]
    )  # fmt: skip


def findings(*records, check="a_check", table="incidents"):
    rows = [
        {
            **dict.fromkeys(FINDING_COLUMNS, "x"),
            "table": table, "check": check, "queue": "each", "record_key": record,
            "severity": "warning", "source_row": None,
        }
        for record in records
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(FINDING_COLUMNS))


@pytest.fixture
def record(small_department, monkeypatch):
    """Record a run's results without writing a page."""
    pages = []
    monkeypatch.setattr(page, "write_page", lambda *given: pages.append(given))

    def record(found=results, records=("a",), run="1", day=0, **options):
        rows = found(**options)
        after_checks(
            small_department.slug, rows, findings(*records), run, small_department.home,
            now=NOW + dt.timedelta(days=day),
        )  # fmt: skip
        return pages

    return record


def table(department, name):
    return load_table(name, department.slug, home=department.home)


def test_each_run_adds_its_rows_and_changes_no_other(small_department, record):
    record(run="1")
    first = table(small_department, "quality_results")
    record(run="2", day=7)
    kept = table(small_department, "quality_results")
    pd.testing.assert_frame_equal(kept[kept["run_id"] == "1"], first)
    assert list(kept["run_id"]) == ["1", "2"]
    (row,) = first.to_dict("records")
    assert (row["share"], row["failing"], row["feed_sha256"]) == (0.1, 1, "ab")
    assert row["checked_at"] == "2024-03-11T12:00:00.000000+00:00"
    assert table(small_department, "quality_queue")["times_seen"].tolist() == [2]


def test_a_step_tried_again_replaces_its_rows_and_counts_once(small_department, record):
    record(run="1")
    pages = record(run="1", day=1, failing=2)
    kept = table(small_department, "quality_results")
    assert kept["failing"].tolist() == [2] and kept["checked_at"].nunique() == 1
    queue = table(small_department, "quality_queue")
    assert queue["times_seen"].tolist() == [1]
    assert pages == [(small_department.slug, small_department.home)] * 2


def test_the_steps_of_one_run_share_its_moment_and_close_only_what_they_checked(
    small_department, record
):
    record(run="1")
    record(run="1", day=1, check="another", records=(), passed=True, failing=0)
    kept = table(small_department, "quality_results")
    assert len(kept) == 2 and kept["checked_at"].nunique() == 1
    assert list(table(small_department, "quality_queue")["state"]) == ["new"]


def test_a_rule_that_failed_without_naming_anything_closes_nothing(small_department, record):
    record(run="1")
    record(run="2", day=1, records=(), failing=0)
    assert list(table(small_department, "quality_queue")["state"]) == ["new"]
    record(run="3", day=2, records=(), failing=0, passed=True)
    assert list(table(small_department, "quality_queue")["state"]) == ["fixed at source"]


def test_what_is_published_says_which_decisions_were_in_force(small_department, record):
    record()
    provenance = table(small_department, "quality_queue").attrs["provenance"]
    assert provenance["run_id"] == "1" and len(provenance["decisions_sha256"]) == 64


def test_a_bad_line_of_decisions_and_bad_results_are_refused(small_department, record):
    with pytest.raises(InvalidInput, match="lack failing"):
        record(found=lambda: results().drop(columns="failing"))
    decisions_path(small_department.load()).write_text("a,b\n", "utf-8")
    with pytest.raises(SettingsError, match="line 1: the columns must be"):
        record()
    with pytest.raises(MissingTable):
        table(small_department, "quality_results")


def test_two_runs_that_end_at_once_lose_nothing(small_department, record):
    failures = []

    def run(mine):
        try:
            for number in mine:
                record(run=str(number), records=(str(number),), check=f"check_{number}")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(range(n, 8, 2),)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(table(small_department, "quality_results")["run_id"]) == list("01234567")
