"""Reading and publishing tables by name, never by path.

A department's published tables are whole files named by a small index. Publishing writes the
new files first and then replaces the index in one rename, so a reader sees the old tables or
the new ones, never a mixture, and a run that dies leaves the last good ones in place.
"""

import datetime as dt
import difflib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from beatbook.errors import InvalidInput, MissingTable, UnknownDepartment
from beatbook.files import write_atomically
from beatbook.home import Home, find_home
from beatbook.tables import TABLES, Table

INDEX = "published.json"
LISTED = ("table", "rows", "weeks", "week_ending", "grain", "published_at")
"""The columns of :func:`list_tables` before those of the provenance."""


Change = Callable[[pd.DataFrame | None], pd.DataFrame]


@dataclass(frozen=True)
class Published:
    """One published table: its file, and what it was made from."""

    path: Path
    provenance: dict[str, Any]
    published_at: str = ""
    """UTC, ISO text."""


class Store:
    """The tables of one department.

    Parameters
    ----------
    department
        The department's short name.
    home
        The checkout; found by :func:`beatbook.home.find_home` if not given.
    """

    def __init__(self, department: str, home: Home | None = None) -> None:
        self.department = department
        self.home = home or find_home()
        self.folder = self.home.data / department

    @property
    def staging(self) -> Path:
        """Where unchecked tables and the read feed wait; not readable by name."""
        return self.folder / "staging"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the right to publish; a second run waits for the first."""
        from filelock import FileLock

        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield

    def index(self) -> dict[str, Any]:
        """What is published: the file and provenance of each table."""
        path = self.folder / INDEX
        if not path.is_file():
            return {}
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def find(self, table: str, partition: str = "") -> Published:
        """Find a published table.

        Raises
        ------
        MissingTable
            If it has not been built; the message says what to run.
        """
        entry = self.index().get(_entry(table, partition))
        if entry is None:
            raise MissingTable(self._how_to_build(table, partition))
        path = self.folder / entry["file"]
        return Published(path, entry["provenance"], _published_at(entry, path))

    def partitions(self, table: str) -> list[str]:
        """The partitions of a table that are published, in order."""
        return sorted(
            name.partition("@")[2] for name in self.index() if name.partition("@")[0] == table
        )

    def publish(
        self,
        tables: Mapping[str, pd.DataFrame | Path],
        provenance: Mapping[str, Any],
        partition: str = "",
        changes: Mapping[str, Change] | None = None,
    ) -> None:
        """Publish tables together, all or none.

        Parameters
        ----------
        tables
            Table name to its frame, or to a Parquet file (moved, not copied) that already
            conforms to the declaration.
        provenance
            Feed hash, code version, parameters and run that made them.
        partition
            For a table that is kept per week: the week's last day.
        changes
            Table that is not kept per week to a function from its published frame (None before
            the first) to the next one. Called under the lock, so that of two runs at once the
            second one adds to what the first one wrote.
        """
        frames = {
            name: content if isinstance(content, Path) else TABLES[name].conform(content)
            for name, content in tables.items()
        }
        folder = self.folder / "tables"
        # The lock covers the writing too: another run's sweep must not take these files.
        with self.lock():
            folder.mkdir(parents=True, exist_ok=True)
            token = uuid.uuid4().hex[:8]
            entries: dict[str, Any] = {}
            written = {_entry(name, partition): (name, frames[name]) for name in frames}
            for name, change in (changes or {}).items():
                written[name] = (name, TABLES[name].conform(change(self.held(name))))
            for entry, (name, content) in written.items():
                suffix = entry[len(name) :].replace("@", "-")
                target = folder / f"{name}{suffix}-{token}.parquet"
                if isinstance(content, Path):
                    os.replace(content, target)
                else:
                    write_parquet(content, target)
                entries[entry] = {
                    "file": target.relative_to(self.folder).as_posix(),
                    "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                    "provenance": dict(provenance),
                }
            after = {**self.index(), **entries}
            write_atomically(
                self.folder / INDEX,
                json.dumps(after, indent=1, sort_keys=True, default=str).encode(),
            )
            self._sweep(after)

    def held(self, table: str) -> pd.DataFrame | None:
        """The published frame of a table that is not kept per week; None before the first."""
        entry = self.index().get(table)
        return None if entry is None else pd.read_parquet(self.folder / entry["file"])

    def _sweep(self, index: Mapping[str, Any]) -> None:
        """Delete table files that the index no longer names."""
        kept = {entry["file"] for entry in index.values()}
        for path in (self.folder / "tables").glob("*.parquet"):
            if path.relative_to(self.folder).as_posix() not in kept:
                try:
                    path.unlink(missing_ok=True)
                except PermissionError:
                    # Windows keeps a file that somebody reads; the next publish sweeps it.
                    continue

    def _how_to_build(self, table: str, partition: str) -> str:
        if table not in TABLES:
            return (
                f"There is no table {table!r}.{did_you_mean(table, TABLES)} "
                f"Tables: {', '.join(sorted(TABLES))}."
            )
        week = f" --week-ending {partition}" if partition else ""
        what = f"{self.department}/{table}" + (f" for {partition}" if partition else "")
        return (
            f"{what} has not been built. Run: beatbook report --department {self.department}{week}"
        )


def _entry(table: str, partition: str) -> str:
    return f"{table}@{partition}" if partition else table


def _published_at(entry: Mapping[str, Any], path: Path) -> str:
    """When a table was published; by its file, where the index did not keep it yet."""
    if "published_at" in entry or not path.is_file():
        return str(entry.get("published_at", ""))
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return written.isoformat(timespec="seconds")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say which of the known names is nearest to a mistyped one; nothing where none is near."""
    nearest = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f" Did you mean {nearest[0]}?" if nearest else ""


def load_table(
    table: str,
    department: str,
    *,
    columns: Sequence[str] | None = None,
    where: str | None = None,
    week_ending: str | dt.date | None = None,
    home: Home | None = None,
) -> pd.DataFrame:
    """Load a published table by name.

    Parameters
    ----------
    table
        Its name, for example ``"incidents"``; :func:`list_tables` lists them.
    department
        The department's short name, for example ``"st_louis"``.
    columns
        Only these columns, read from disk without the others.
    where
        Only the rows for which this holds: a condition as after ``WHERE`` in SQL, for example
        ``"offense = 'Burglary' and occurred_from >= '2019-01-01'"``. It is worked out while
        reading, so the other rows never reach memory, and may name columns that are not asked
        for. Text stands in single quotes; a value that is missing fulfills no comparison.
    week_ending
        For a table kept per week (``compstat``): the week's last day, ``"2019-12-29"``; the
        latest published week if not given.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    DataFrame
        With the declared columns and types. ``attrs["provenance"]`` says which feed, code and
        parameters made it, ``attrs["table"]`` and ``attrs["department"]`` what it is. Times are
        local to the department; ``x`` and ``y`` are meters in the department's CRS.

    Raises
    ------
    UnknownDepartment
        If there is no such department; the message lists those that exist.
    MissingTable
        If the table has not been built; the message says what to run.
    InvalidInput
        If a column is not in the table, the condition cannot be read, or a week is asked of a
        table that is not kept per week.
    """
    store = Store(department, home)
    require_department(store)
    declared = TABLES.get(table)
    if declared and declared.partition and week_ending is None:
        week_ending = (store.partitions(table) or [""])[-1]
    elif declared and not declared.partition and week_ending is not None:
        raise InvalidInput(f"{table} is not kept per week; leave week_ending out.")
    partition = str(week_ending or "").removesuffix(" 00:00:00")
    published = store.find(table, partition)
    if columns is not None and declared is not None:
        unknown = [name for name in columns if name not in declared.column_names]
        if unknown:
            raise InvalidInput(
                f"{table} has no column {', '.join(unknown)}."
                f"{did_you_mean(unknown[0], declared.column_names)} "
                f"Columns: {', '.join(declared.column_names)}."
            )
    wanted = None if columns is None else list(columns)
    while True:
        try:
            frame = _read(table, published.path, wanted, where)
            break
        except FileNotFoundError:
            # Published anew since the index was read, and the old file swept.
            newer = store.find(table, partition)
            if newer.path == published.path:
                raise
            published = newer
    frame.attrs.update(provenance=published.provenance, table=table, department=department)
    return frame


def _read(table: str, path: Path, columns: list[str] | None, where: str | None) -> pd.DataFrame:
    if where is None:
        try:
            return pd.read_parquet(path, columns=columns)
        except ValueError:
            import pyarrow.parquet as pq

            held = pq.read_schema(path).names
            lacking = [name for name in columns or [] if name not in held]
            if not lacking:
                raise
            raise MissingTable(
                f"{table} was published before it had the column {', '.join(lacking)}. "
                "Build it again: beatbook report"
            ) from None
    # DuckDB takes a twentieth of a second to import, which a plain load need not wait for.
    from beatbook.query import read_where

    return read_where(table, path, where, columns)


def require_department(store: Store) -> None:
    """Refuse a department that this checkout does not have, naming those that it has."""
    if (store.home.departments / store.department / "department.yaml").is_file():
        return
    from beatbook.department import list_departments

    known = list_departments(store.home)
    raise UnknownDepartment(
        f"No department {store.department!r}.{did_you_mean(store.department, known)} "
        f"Departments here: {', '.join(known) or 'none yet'}."
    )


def list_tables(department: str, home: Home | None = None) -> pd.DataFrame:
    """List what is published for a department.

    Parameters
    ----------
    department
        The department's short name.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    DataFrame
        One row a published table, by name: ``table``; ``rows`` (of the latest week, for a table
        kept per week); ``weeks`` published, missing for one that is not kept per week;
        ``week_ending``, the latest of them, or empty; ``grain``, what one row is;
        ``published_at`` (UTC); then the provenance. Empty, with these columns, if nothing has
        been built.

    Raises
    ------
    UnknownDepartment
        If there is no such department.
    """
    import pyarrow.parquet as pq

    store = Store(department, home)
    require_department(store)
    index = store.index()
    rows: dict[str, dict[str, Any]] = {}
    for name, entry in sorted(index.items()):
        table, _, partition = name.partition("@")
        declared: Table | None = TABLES.get(table)
        # Weeks come in order, so that the latest is the one that stays.
        rows[table] = {
            "table": table,
            "rows": store.folder / entry["file"],
            "weeks": rows.get(table, {"weeks": 0})["weeks"] + 1 if partition else None,
            "week_ending": partition,
            "grain": declared.grain if declared else "",
            "published_at": _published_at(entry, store.folder / entry["file"]),
            **entry["provenance"],
        }
    for row in rows.values():
        row["rows"] = pq.read_metadata(row["rows"]).num_rows
    if not rows:
        return pd.DataFrame(columns=list(LISTED))
    return pd.DataFrame(list(rows.values())).astype({"weeks": "Int64"})


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to Parquet so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        frame.to_parquet(partial, index=False)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
