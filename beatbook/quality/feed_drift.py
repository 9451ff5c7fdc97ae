"""The files themselves: layouts that change, days that are missing, files that shrink."""

import datetime as dt
from itertools import pairwise
from typing import Any

import pandas as pd

from beatbook.book.formatting import counted
from beatbook.quality.staged import Staged

GAP_HISTORY = 730
"""Days back from the latest record: an older gap has been known for long."""


def layout_changes(staged: Staged) -> pd.DataFrame:
    """The latest files' layouts and columns against those of the file before each.

    Judged are the files that bring records of the latest period, and those whose content has
    changed since the tables were last published. A file is held against its own last published
    version, or if it is new, against the file that came before it, unless the feed was silent
    between the two.

    Returns
    -------
    DataFrame
        One row a file judged: ``record_key`` (its name), ``field, observed, expected,
        source_file, layout, layout_before, columns_added, columns_gone`` (missing where there
        are none).
    """
    columns = [
        "record_key", "field", "observed", "expected", "source_file", "layout", "layout_before",
        "columns_added", "columns_gone",
    ]  # fmt: skip
    if not staged.spans:
        return pd.DataFrame(columns=columns)
    files = staged.ask(
        "SELECT feed_files.*, first_known, last_known FROM feed_files JOIN ("
        "SELECT source_file, min(known_on) AS first_known, max(known_on) AS last_known "
        "FROM file_days GROUP BY source_file) AS days ON days.source_file = feed_files.file "
        "ORDER BY last_known, file"
    )
    before = staged.published_files
    old: dict[str, Any] = {}
    if before is not None:
        old = {str(row["file"]): row for row in before.to_dict("records")}
    span_start = pd.Timestamp(staged.spans[-1].start)
    latest = files["last_known"].max()
    if staged.periods:
        latest = min(latest, pd.Timestamp(staged.latest.start))
    rows = []
    listing: list[Any] = files.to_dict("records")
    for file in listing:
        other = old.get(file["file"])
        now = _columns(staged, file)
        if other is not None and other["sha256"] != file["sha256"]:
            named = "its last published version"
        elif file["last_known"] >= latest:
            earlier = [f for f in listing if span_start <= f["last_known"] < file["last_known"]]
            if not earlier:
                continue
            # Where several files come at a time, each has its own predecessor.
            just_before = [f for f in earlier if f["last_known"] == earlier[-1]["last_known"]]
            other = max(just_before, key=lambda f: len(_columns(staged, f) & now))
            named = other["file"]
        else:
            continue
        then = _columns(staged, other)
        added, gone = sorted(now - then), sorted(then - now)
        rows.append(
            {
                "record_key": file["file"],
                "field": "layout",
                "observed": f"layout {file['layout']!r}; new columns: {', '.join(added) or 'none'};"
                f" columns gone: {', '.join(gone) or 'none'}",
                "expected": f"layout {other['layout']!r} with the columns of {named}",
                "source_file": file["file"],
                "layout": file["layout"],
                "layout_before": other["layout"],
                "columns_added": ", ".join(added) or None,
                "columns_gone": ", ".join(gone) or None,
            }
        )
    return pd.DataFrame(rows, columns=columns)


def _columns(staged: Staged, file: dict[str, Any]) -> set[str]:
    read = {
        column
        for layout in staged.department.feed.layouts
        if layout.name == file["layout"]
        for column in layout.source_columns
    }
    unused = "" if pd.isna(file["unused_columns"]) else str(file["unused_columns"])
    return read | {column for column in unused.split(", ") if column}


def missing_days(staged: Staged) -> pd.DataFrame:
    """Stretches of days within the last two years for which the feed holds no record.

    Returns
    -------
    DataFrame
        One row a stretch between two spans (:func:`beatbook.compstat.coverage.coverage`):
        ``record_key, field, observed, expected, days``.
    """
    rows = []
    spans = staged.spans
    for before, after in pairwise(spans):
        if (spans[-1].end - after.start).days > GAP_HISTORY:
            continue
        first, last = before.end + dt.timedelta(days=1), after.start - dt.timedelta(days=1)
        if (first - spans[-1].end).days < -GAP_HISTORY:
            continue
        rows.append(
            {
                "record_key": f"{first} to {last}",
                "field": "known_on",
                "observed": f"no record known from {first} to {last}",
                "expected": "records in every " + ("month" if staged.word == "month" else "week"),
                "days": (last - first).days + 1,
            }
        )
    return pd.DataFrame(rows, columns=["record_key", "field", "observed", "expected", "days"])


def files_against_published(staged: Staged) -> pd.DataFrame:
    """Each file of the last published tables against what there is of it now.

    Returns
    -------
    DataFrame
        One row a file that was published: ``record_key, field, observed, expected, source_file,
        rows_before, rows_now`` (0 where the file is gone), ``share_left``; and one row ``all
        files`` with the sums. Empty for a first run.
    """
    columns = [
        "record_key", "field", "observed", "expected", "source_file", "rows_before", "rows_now",
        "share_left",
    ]  # fmt: skip
    before = staged.published_files
    if before is None or before.empty:
        return pd.DataFrame(columns=columns)
    now = staged.ask("SELECT file, rows FROM feed_files").set_index("file")["rows"]
    then = before.set_index("file")["rows"]
    table = pd.DataFrame({"rows_before": then, "rows_now": now.reindex(then.index).fillna(0)})
    table.loc["all files"] = [then.sum(), now.sum()]
    table = table.astype("int64").rename_axis("record_key").reset_index()
    table["field"] = "rows"
    table["observed"] = [
        counted(rows, "row") if rows else "the file is gone" for rows in table["rows_now"]
    ]
    table["expected"] = [f"the {rows:,} rows that were published" for rows in table["rows_before"]]
    table["source_file"] = table["record_key"].where(table["record_key"] != "all files", None)
    table["share_left"] = table["rows_now"] / table["rows_before"].clip(lower=1)
    return table[columns]


def shared_records(staged: Staged) -> pd.DataFrame:
    """Records that stand in more than one file.

    Returns
    -------
    DataFrame
        One row a file: ``record_key, field, observed, expected, source_file, records, shared``
        (of its records, how many an earlier file holds too), ``share``. Within one file records
        may repeat (``feed.repeats``); across files a repeat is a file delivered twice.
    """
    table = staged.ask(
        """
        WITH ids AS (
            SELECT left(record_id, 16) AS id FROM incidents WHERE length(record_id) > 16
        ), held AS (
            SELECT left(record_id, 16) AS id, source_file FROM incidents
            WHERE left(record_id, 16) IN (FROM ids)
        ), several AS (
            SELECT id, min(source_file) AS first_file FROM held GROUP BY id
            HAVING count(DISTINCT source_file) > 1
        )
        SELECT days.source_file AS record_key, 'record_id' AS field, days.source_file,
            days.records::BIGINT AS records, coalesce(shared.n, 0)::BIGINT AS shared
        FROM (SELECT source_file, sum(records) AS records FROM file_days GROUP BY 1) AS days
        LEFT JOIN (
            SELECT source_file, count(*) AS n FROM held JOIN several USING (id)
            WHERE source_file <> first_file GROUP BY 1
        ) AS shared USING (source_file) ORDER BY 1
        """
    )
    table["share"] = table["shared"] / table["records"].clip(lower=1)
    table["observed"] = [
        f"{counted(n, 'record')} that an earlier file holds" for n in table["shared"]
    ]
    table["expected"] = "each record in one file"
    return table
