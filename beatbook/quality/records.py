"""One record of the last read feed, as it was published: what a correction would replace."""

import contextlib
from typing import Any, NamedTuple

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from beatbook.department import FIELDS, Department, Layout
from beatbook.errors import InvalidInput, MissingTable
from beatbook.feed import Snapshot
from beatbook.home import Home
from beatbook.incidents import sql
from beatbook.store import Store


class Record(NamedTuple):
    """One record: its text as published, and how the last run read it.

    Attributes
    ----------
    record_id
        Its id.
    published
        Field to its text in the feed, trimmed; missing values as ``""``. It holds the published
        address and point, so it is never shown.
    layout
        The layout of its file, which says what the feed publishes.
    read
        Its row in the incidents, or in the rejected ones.
    """

    record_id: str
    published: dict[str, str]
    layout: Layout
    read: dict[str, Any]


def find_record(department: Department, record_id: str, home: Home) -> Record | None:
    """Find a record by its id.

    Staged tables, which a failed check has kept from being published, are looked at first: the
    steward decides on what that check found.

    Returns
    -------
    Record or None
        None if neither the incidents nor the refused rows hold it.

    Raises
    ------
    InvalidInput
        If the record is there, but the feed it was read from is not at hand as it was then.
    """
    store = Store(department.slug, home)
    read = _read_row(store, record_id)
    if read is None:
        return None
    listing = store.folder / "snapshot.json"
    files = Snapshot.load(listing).files if listing.is_file() else ()
    mine = [file for file in files if file.name == read["source_file"]]
    if not mine or not mine[0].text_table.is_file():
        raise _not_at_hand(record_id, department.slug)
    with duckdb.connect() as connection:
        connection.execute(sql.published(department, Snapshot((mine[0],))))
        rows = connection.execute(
            f"SELECT *, format('{{:016x}}', {sql.key_number(department)}) AS key "
            "FROM published WHERE source_row = ?",
            [int(read["source_row"])],
        )
        names = [column[0] for column in rows.description or ()]
        row = dict(zip(names, rows.fetchone() or (), strict=False))
    if row.get("key") != record_id.partition("-")[0]:
        raise _not_at_hand(record_id, department.slug)
    return Record(
        record_id,
        {field: row[field] or "" for field in FIELDS},
        next(layout for layout in department.feed.layouts if layout.name == mine[0].layout),
        read,
    )


def _not_at_hand(record_id: str, department: str) -> InvalidInput:
    return InvalidInput(
        f"The feed has changed since the record {record_id} was read. Read it again first: "
        f"beatbook report --department {department}"
    )


def _read_row(store: Store, record_id: str) -> dict[str, Any] | None:
    for name in ("incidents", "rejected_incidents"):
        paths = [store.staging / f"{name}.parquet"]
        with contextlib.suppress(MissingTable):
            paths.append(store.find(name).path)
        for path in paths:
            # A table that an older Beatbook made may lack the id.
            if not path.is_file() or "record_id" not in pq.read_schema(path).names:
                continue
            rows = pd.read_parquet(path, filters=[("record_id", "==", record_id)])
            if len(rows):
                return {str(k): v for k, v in rows.iloc[0].items()}
    return None
