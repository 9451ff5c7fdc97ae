"""Publishing and loading by name: all or none, never a mixture, and every gap explained."""

import datetime as dt
import json
import os
import threading

import numpy as np
import pandas as pd
import pytest

from beatbook import list_tables, load_table, store
from beatbook.errors import InvalidInput, MissingTable, UnknownDepartment
from beatbook.store import Store, write_atomically, write_parquet
from beatbook.tables import COMPSTAT, INCIDENTS, TABLES, WEEKLY_COUNTS, Column, Table


def weekly(*incidents):
    weeks = pd.date_range("2024-01-01", periods=len(incidents), freq="7D", unit="us")
    return pd.DataFrame(
        {"precinct": "1", "offense": "Robbery", "week": weeks, "incidents": list(incidents)}
    )


def feed_files(name="a.csv"):
    return pd.DataFrame(
        {
            "file": [name], "sha256": ["00"], "bytes": [1], "rows": [1], "layout": ["monthly"],
            "unused_columns": [None], "accepted": [1], "rejected": [0],
        }
    )  # fmt: skip


def book(week):
    day = pd.Timestamp(week)
    row = {
        column.name: {
            "string": "x", "datetime64[us]": day, "Int64": pd.NA, "float64": np.nan
        }[column.dtype]
        for column in COMPSTAT.columns
    }  # fmt: skip
    return pd.DataFrame([row]).astype({"current": "Int64", "prior": "Int64"})


@pytest.fixture
def published(small_department):
    """A store in which two tables are published."""
    made = Store("example", small_department.home)
    made.publish({"weekly_counts": weekly(1, 2), "feed_files": feed_files()}, {"run": 1})
    return made


def loaded(made, table="weekly_counts", **options):
    return load_table(table, "example", home=made.home, **options)


def table_files(made):
    return sorted(path.name for path in (made.folder / "tables").iterdir())


# --- loading ---


def test_what_is_published_can_be_loaded_by_name(published):
    frame = loaded(published)
    assert frame["incidents"].tolist() == [1, 2]
    assert list(frame) == WEEKLY_COUNTS.column_names
    types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert types["week"] == "datetime64[us]" and types["incidents"] == "int64"
    assert frame.attrs["provenance"] == {"run": 1}


def test_only_some_columns(published):
    assert list(loaded(published, columns=["incidents", "week"])) == ["incidents", "week"]
    assert loaded(published, columns=[]).shape[1] == 0


def test_an_unknown_column_names_those_there_are(published):
    with pytest.raises(InvalidInput, match=r"no column week_start, n\. .*precinct"):
        loaded(published, columns=["week_start", "incidents", "n"])


def test_an_unknown_department_names_those_that_exist(published):
    with pytest.raises(UnknownDepartment, match=r"No department 'exampel'\..*example"):
        load_table("weekly_counts", "exampel", home=published.home)


def test_a_table_that_is_not_built_says_what_to_run(published):
    with pytest.raises(MissingTable) as missing:
        loaded(published, "incidents")
    assert str(missing.value) == (
        "example/incidents has not been built. Run: beatbook report --department example"
    )


def test_an_unknown_table_names_those_there_are(published):
    with pytest.raises(
        MissingTable, match=r"no table 'incident'\. Did you mean incidents\? Tables:"
    ):
        loaded(published, "incident")


def test_nothing_published_yet(small_department):
    with pytest.raises(MissingTable, match="Run: beatbook report --department example"):
        load_table("incidents", "example", home=small_department.home)
    assert list_tables("example", small_department.home).empty


def test_a_table_kept_per_week(published):
    for week in ("2024-01-14", "2024-01-07", "2024-01-21"):
        published.publish({"compstat": book(week)}, {"week": week}, partition=week)
    assert published.partitions("compstat") == ["2024-01-07", "2024-01-14", "2024-01-21"]
    assert loaded(published, "compstat").attrs["provenance"] == {"week": "2024-01-21"}
    for asked in ("2024-01-07", dt.date(2024, 1, 7), pd.Timestamp("2024-01-07")):
        assert loaded(published, "compstat", week_ending=asked)["week_ending"].tolist() == [
            pd.Timestamp("2024-01-07")
        ]
    with pytest.raises(MissingTable, match=r"Run: .* --week-ending 2020-01-05"):
        loaded(published, "compstat", week_ending="2020-01-05")
    # A week published again replaces only itself.
    published.publish({"compstat": book("2024-01-07")}, {"week": "again"}, partition="2024-01-07")
    assert len(published.partitions("compstat")) == 3
    again = loaded(published, "compstat", week_ending="2024-01-07")
    assert again.attrs["provenance"] == {"week": "again"}


def test_no_week_of_a_table_that_is_not_kept_per_week(published):
    with pytest.raises(InvalidInput, match="weekly_counts is not kept per week"):
        loaded(published, week_ending="2024-01-07")


def test_the_list_of_tables(published):
    published.publish({"compstat": book("2024-01-07")}, {"run": 2}, partition="2024-01-07")
    listed = list_tables("example", published.home).set_index("table")
    assert list(listed.index) == ["compstat", "feed_files", "weekly_counts"]
    assert listed["run"].to_dict() == {"compstat": 2, "feed_files": 1, "weekly_counts": 1}
    assert listed.loc["compstat", "week_ending"] == "2024-01-07"
    assert listed.loc["weekly_counts", "grain"] == WEEKLY_COUNTS.grain


def test_a_reader_is_not_harmed_by_a_publisher(published, monkeypatch):
    """The old file is swept between the look into the index and the reading."""
    real = store.pd.read_parquet
    raced = []

    def read_parquet(path, **options):
        if not raced:
            raced.append(path)
            published.publish({"weekly_counts": weekly(7)}, {"run": 2})
            assert not path.exists()
        return real(path, **options)

    monkeypatch.setattr(store.pd, "read_parquet", read_parquet)
    frame = loaded(published)
    assert frame["incidents"].tolist() == [7]
    assert frame.attrs["provenance"] == {"run": 2}


def test_a_published_file_that_somebody_deleted_is_no_endless_loop(published):
    published.find("weekly_counts").path.unlink()
    with pytest.raises(FileNotFoundError):
        loaded(published)


# --- publishing ---


def test_publishing_replaces_and_sweeps(published):
    before = table_files(published)
    published.publish({"weekly_counts": weekly(3)}, {"run": 2})
    assert loaded(published)["incidents"].tolist() == [3]
    assert loaded(published, "feed_files").attrs["provenance"] == {"run": 1}
    after = table_files(published)
    assert len(after) == len(before) == 2
    assert len(set(after) & set(before)) == 1


def test_provenance_may_hold_dates_and_paths(published, tmp_path):
    given = {"as_of": dt.date(2024, 1, 7), "snapshot": tmp_path, "rows": 3}
    published.publish({"weekly_counts": weekly(3)}, given)
    assert loaded(published).attrs["provenance"] == {
        "as_of": "2024-01-07", "snapshot": str(tmp_path), "rows": 3,
    }  # fmt: skip


def test_a_staged_file_is_moved_in(published, tmp_path):
    staged = tmp_path / "staged.parquet"
    write_parquet(weekly(9), staged)
    published.publish({"weekly_counts": staged}, {"run": 2})
    assert not staged.exists()
    assert loaded(published)["incidents"].tolist() == [9]


@pytest.mark.parametrize("survived", [0, 1, 2])
def test_a_publish_that_dies_changes_nothing(published, monkeypatch, survived):
    """Killed after so many renames: two tables and the index are three."""
    before = {name: loaded(published, name) for name in ("weekly_counts", "feed_files")}
    real, renamed = os.replace, []

    def replace(source, target):
        if len(renamed) == survived:
            raise KeyboardInterrupt
        renamed.append(target)
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(store.os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            published.publish(
                {"weekly_counts": weekly(8, 9), "feed_files": feed_files("new.csv")}, {"run": 2}
            )
    for name, frame in before.items():
        pd.testing.assert_frame_equal(loaded(published, name), frame)
        assert loaded(published, name).attrs["provenance"] == {"run": 1}
    # The next one works, and takes away what the dead one left.
    published.publish({"weekly_counts": weekly(8, 9)}, {"run": 3})
    assert loaded(published)["incidents"].tolist() == [8, 9]
    assert len(table_files(published)) == 2


def test_one_bad_table_keeps_all_from_being_published(published):
    bad = feed_files().drop(columns="rows")
    with pytest.raises(InvalidInput, match=r"feed_files is declared otherwise: lacking .'rows'."):
        published.publish({"weekly_counts": weekly(8), "feed_files": bad}, {"run": 2})
    assert loaded(published)["incidents"].tolist() == [1, 2]
    assert len(table_files(published)) == 2


def test_publishers_at_once_lose_nothing(small_department):
    made = Store("example", small_department.home)
    weeks = [str(day.date()) for day in pd.date_range("2024-01-07", periods=16, freq="7D")]
    failures = []

    def publish(mine):
        try:
            for week in mine:
                Store("example", made.home).publish(
                    {"compstat": book(week)}, {"week": week}, partition=week
                )
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(weeks[n::2],)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert made.partitions("compstat") == weeks
    for week in weeks:
        assert loaded(made, "compstat", week_ending=week).attrs["provenance"] == {"week": week}


def test_the_index_is_text_that_a_person_can_read(published):
    index = json.loads((published.folder / "published.json").read_text("utf-8"))
    assert sorted(index) == ["feed_files", "weekly_counts"]
    assert all(not entry["file"].startswith("/") for entry in index.values())


def test_writing_in_one_step_leaves_no_partial_file(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "file.json"
    write_atomically(path, b"one")
    with monkeypatch.context() as patched:
        patched.setattr(store.os, "fsync", lambda _descriptor: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_atomically(path, b"two")
    assert path.read_bytes() == b"one"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.json"]


# --- declarations ---


def test_a_frame_is_brought_to_the_declared_types_and_order():
    frame = weekly(1, 2)[["incidents", "week", "offense", "precinct"]].astype({"incidents": float})
    conformed = WEEKLY_COUNTS.conform(frame)
    assert list(conformed) == WEEKLY_COUNTS.column_names
    assert str(conformed["incidents"].dtype) == "int64"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.assign(extra=1), "surplus .'extra'."),
        (lambda frame: frame.drop(columns="week"), "lacking .'week'."),
        (lambda frame: frame.assign(precinct=[None, "1"]), "precinct is required"),
        (lambda frame: frame.assign(incidents=[None, 1]), "incidents is required"),
        (lambda frame: frame.assign(incidents=[1.5, 1]), "incidents cannot be held as int64"),
        (lambda frame: frame.assign(incidents=["many", "1"]), "incidents cannot be held"),
        (lambda frame: pd.concat([frame, frame]), "key of weekly_counts .* is not unique"),
    ],
)
def test_a_frame_that_is_not_as_declared_is_refused(change, said):
    with pytest.raises(InvalidInput, match=said):
        WEEKLY_COUNTS.conform(change(weekly(1, 2)))


def test_a_missing_bool_is_not_taken_for_true():
    table = Table("t", "row", (), (Column("sure", "bool", "whether", required=True),))
    with pytest.raises(InvalidInput, match="sure is required"):
        table.conform(pd.DataFrame({"sure": [True, None]}))


def test_every_table_says_what_it_holds():
    for name, table in TABLES.items():
        assert table.name == name and table.grain
        assert len(set(table.column_names)) == len(table.column_names)
        assert set(table.key) <= set(table.column_names)
        assert all(column.meaning for column in table.columns)
        keyed = [column for column in table.columns if column.name in table.key]
        assert all(column.required for column in keyed)


def test_no_table_has_a_column_for_a_person_or_a_house():
    names = {name for table in TABLES.values() for name in table.column_names}
    assert not names & {"address", "house_number", "name", "suspect", "victim", "officer"}
    assert "block_address" in INCIDENTS.column_names
