"""Reading and publishing tables by name, never by path.

A department's published tables are whole files named by a small index. Publishing writes the
new files first and then replaces the index in one rename, so a reader sees the old tables or
the new ones, never a mixture, and a run that dies leaves the last good ones in place.
"""

import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class Published:
    """One published table: its file, and what it was made from."""

    path: Path
    provenance: dict[str, Any]


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
        return Published(self.folder / entry["file"], entry["provenance"])

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
            for name, content in frames.items():
                suffix = f"-{partition}" if partition else ""
                target = folder / f"{name}{suffix}-{token}.parquet"
                if isinstance(content, Path):
                    os.replace(content, target)
                else:
                    write_parquet(content, target)
                entries[_entry(name, partition)] = {
                    "file": target.relative_to(self.folder).as_posix(),
                    "provenance": dict(provenance),
                }
            after = {**self.index(), **entries}
            write_atomically(
                self.folder / INDEX,
                json.dumps(after, indent=1, sort_keys=True, default=str).encode(),
            )
            self._sweep(after)

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
            return f"There is no table {table!r}. Tables: {', '.join(sorted(TABLES))}."
        week = f" --week-ending {partition}" if partition else ""
        what = f"{self.department}/{table}" + (f" for {partition}" if partition else "")
        return (
            f"{what} has not been built. Run: beatbook report --department {self.department}{week}"
        )


def _entry(table: str, partition: str) -> str:
    return f"{table}@{partition}" if partition else table


def load_table(
    table: str,
    department: str,
    *,
    week_ending: str | None = None,
    columns: Sequence[str] | None = None,
    home: Home | None = None,
) -> pd.DataFrame:
    """Load a published table by name.

    Parameters
    ----------
    table
        Its name, for example ``"incidents"``; :func:`list_tables` lists them.
    department
        The department's short name, for example ``"st_louis"``.
    week_ending
        For a table kept per week (``compstat``): the week's last day, ``"2019-12-29"``; the
        latest published week if not given.
    columns
        Only these columns, read from disk without the others.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    DataFrame
        With the declared columns and types. ``attrs["provenance"]`` says which feed, code and
        parameters made it. Times are local to the department; ``x`` and ``y`` are meters in
        the department's CRS.

    Raises
    ------
    UnknownDepartment
        If there is no such department; the message lists those that exist.
    MissingTable
        If the table has not been built; the message says what to run.
    InvalidInput
        If a column is not in the table, or a week is asked of a table that is not kept per week.
    """
    store = Store(department, home)
    if not (store.home.departments / department / "department.yaml").is_file():
        from beatbook.department import list_departments

        known = ", ".join(list_departments(store.home)) or "none yet"
        raise UnknownDepartment(f"No department {department!r}. Departments here: {known}.")
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
                f"{table} has no column {', '.join(unknown)}. "
                f"Columns: {', '.join(declared.column_names)}."
            )
    wanted = None if columns is None else list(columns)
    while True:
        try:
            frame = pd.read_parquet(published.path, columns=wanted)
            break
        except FileNotFoundError:
            # Published anew since the index was read, and the old file swept.
            newer = store.find(table, partition)
            if newer.path == published.path:
                raise
            published = newer
    frame.attrs["provenance"] = published.provenance
    return frame


def list_tables(department: str, home: Home | None = None) -> pd.DataFrame:
    """List what is published for a department: table, partition, grain, provenance.

    Returns
    -------
    DataFrame
        One row a published table (and week, where it is kept per week), by name.
    """
    rows = []
    for name, entry in sorted(Store(department, home).index().items()):
        table, _, partition = name.partition("@")
        declared: Table | None = TABLES.get(table)
        rows.append(
            {
                "table": table,
                "week_ending": partition,
                "grain": declared.grain if declared else "",
                **entry["provenance"],
            }
        )
    return pd.DataFrame(rows)


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame to Parquet so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        frame.to_parquet(partial, index=False)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
