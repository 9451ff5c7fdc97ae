"""Where a department's data stand: held or not, what is open, when it was last checked."""

from typing import NamedTuple

import pandas as pd

from beatbook.errors import MissingTable
from beatbook.home import Home
from beatbook.quality.queue import OPEN_STATES
from beatbook.store import Store, load_table

SEVERITIES = ("critical", "warning", "info")
"""Gravest first."""


class QualityTables(NamedTuple):
    """What the checks left behind; a table that has not been built is None.

    ``corrections``, ``rejected`` and ``files`` are those of the feed as it was last read: where
    a hold keeps them from being published, the staged ones.
    """

    results: pd.DataFrame | None
    queue: pd.DataFrame | None
    corrections: pd.DataFrame | None
    rejected: pd.DataFrame | None
    files: pd.DataFrame | None


class QualitySummary(NamedTuple):
    """A department's data in a line.

    Attributes
    ----------
    department
        Its short name.
    held
        A critical rule failed when its table was last checked: nothing was published since.
    held_by
        The ids of those rules.
    open_items
        Open items of the queue by severity, all three always there.
    oldest_open
        When the oldest of them was first seen (UTC, ISO 8601); None if there is none.
    last_checked
        When any table was last checked (UTC, ISO 8601); None if none ever was.
    rules, failing
        Rules run at the last check of each table, and how many of them failed.
    """

    department: str
    held: bool
    held_by: tuple[str, ...]
    open_items: dict[str, int]
    oldest_open: str | None
    last_checked: str | None
    rules: int
    failing: int


def load_quality(department: str, home: Home | None = None) -> QualityTables:
    """Load what the checks left behind.

    Parameters
    ----------
    department
        The department's short name.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    QualityTables
        A table that has not been built yet is None: a department may be looked at before its
        first run, and after one that was stopped.

    Raises
    ------
    UnknownDepartment
        If there is no such department.
    """

    def built(name: str) -> pd.DataFrame | None:
        try:
            return load_table(name, department, home=home)
        except MissingTable:
            return None

    def last_read(name: str) -> pd.DataFrame | None:
        published = built(name)
        try:
            return pd.read_parquet(Store(department, home).staging / f"{name}.parquet")
        except FileNotFoundError:
            # Publishing moves the staged tables: what is not there has been published.
            return published

    return QualityTables(
        results=built("quality_results"),
        queue=built("quality_queue"),
        corrections=last_read("corrections"),
        rejected=last_read("rejected_incidents"),
        files=last_read("feed_files"),
    )


def latest_results(results: pd.DataFrame) -> pd.DataFrame:
    """Keep of each table the results of the run that checked it last.

    Tables are checked in different jobs (incidents when the feed is read, a book's tables when
    it is made), so there is not one last run but one a table. A rule that has since left the
    suite is not among them.

    Parameters
    ----------
    results
        ``quality_results``: needs ``run_id``, ``checked_at`` (ISO 8601 in UTC, which sorts as
        text), ``table``.

    Returns
    -------
    DataFrame
        Rows of ``results``, in its order.
    """
    if results.empty:
        return results
    last = results.groupby(["table", "run_id"])["checked_at"].max().reset_index()
    last = last.sort_values(["checked_at", "run_id"]).drop_duplicates("table", keep="last")
    run_of = last.set_index("table")["run_id"]
    return results[results["run_id"] == results["table"].map(run_of)]


def holding_rules(latest: pd.DataFrame) -> pd.DataFrame:
    """Keep the critical rules that failed: each keeps the new tables from being published."""
    return latest[~latest["passed"].astype(bool) & (latest["severity"] == "critical")]


def open_items(queue: pd.DataFrame) -> pd.DataFrame:
    """Keep the items of a queue that somebody has yet to look at."""
    return queue[queue["state"].isin(OPEN_STATES)]


def quality_summary(department: str, home: Home | None = None) -> QualitySummary:
    """Say where a department's data stand.

    Parameters
    ----------
    department
        The department's short name.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    QualitySummary
        Of tables that are not there: not held, nothing open, never checked.

    Raises
    ------
    UnknownDepartment
        If there is no such department.
    """
    return summarize(department, load_quality(department, home))


def summarize(department: str, tables: QualityTables) -> QualitySummary:
    """Say where the data stand, from tables that are already loaded."""
    held_by: tuple[str, ...] = ()
    last_checked, rules, failing = None, 0, 0
    if tables.results is not None and not tables.results.empty:
        latest = latest_results(tables.results)
        held_by = tuple(sorted(set(holding_rules(latest)["check"])))
        last_checked = str(tables.results["checked_at"].max())
        rules, failing = len(latest), int((~latest["passed"].astype(bool)).sum())
    counts, oldest = dict.fromkeys(SEVERITIES, 0), None
    if tables.queue is not None:
        waiting = open_items(tables.queue)
        counts |= {
            severity: int(number)
            for severity, number in waiting["severity"].value_counts().items()
            if severity in counts
        }
        oldest = str(waiting["first_seen"].min()) if len(waiting) else None
    return QualitySummary(
        department=department,
        held=bool(held_by),
        held_by=held_by,
        open_items=counts,
        oldest_open=oldest,
        last_checked=last_checked,
        rules=rules,
        failing=failing,
    )
