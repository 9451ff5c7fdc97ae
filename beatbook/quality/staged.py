"""The staged tables of one department as the checks read them: as of a day, cut into periods.

Most evidence compares the latest period with the ones before it. For a feed of months a period is
a coded month; for a feed of days it is a week. Only the last unbroken stretch of the feed is
compared: after a gap there is nothing that a period could be held against.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from beatbook.compstat.coverage import Span, coverage
from beatbook.compstat.windows import week_ending_on_or_before
from beatbook.department import Department
from beatbook.feed.snapshot import Snapshot, quoted
from beatbook.incidents import sql

UNKNOWN = "Unknown"


class Period(NamedTuple):
    """One coded month, or one week: first and last day, and what people call it."""

    start: dt.date
    end: dt.date
    name: str


def periods_of(spans: Sequence[Span], department: Department) -> list[Period]:
    """Cut the last span of a feed into whole periods, in order.

    Parameters
    ----------
    spans
        From :func:`beatbook.compstat.coverage.coverage`.
    department
        ``feed.publishes``: months for ``monthly``, CompStat weeks for ``daily``.
    """
    if not spans:
        return []
    span = spans[-1]
    periods = []
    if department.feed.publishes == "monthly":
        start = span.start
        while start <= span.end:
            after = (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
            periods.append(Period(start, after - dt.timedelta(days=1), f"{start:%Y-%m}"))
            start = after
        return periods
    end = week_ending_on_or_before(span.end, department.week_start)
    while (start := end - dt.timedelta(days=6)) >= span.start:
        periods.append(Period(start, end, f"week ending {end}"))
        end = start - dt.timedelta(days=1)
    return periods[::-1]


class Staged:
    """One department's staged tables, open for questions; use :func:`open_staged`.

    Attributes
    ----------
    connection
        DuckDB, with the views ``incidents``, ``feed_files`` (both as of ``as_of``) and the table
        ``arrivals``: ``period`` (place in ``periods``), ``offense``, ``precinct`` (Unknown where
        missing), ``count``, ``occurred_from``, ``age`` (days from occurrence to the period's end)
        and the flags that :mod:`beatbook.quality.shares` sums.
    periods
        Whole periods of the last unbroken stretch of the feed, the latest last.
    spans
        All stretches of days that the feed speaks for, up to the present: one record with a
        mistyped known day far ahead must not take the place of the latest period.
    published_files
        The manifest (``feed_files``) of the last published tables; None for a first run.
    made_while_cleaning
        The folder of what cleaning left for the checks (``busy_points``, ``swapped_points``);
        None as of an earlier day, for which it must be worked out anew.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        department: Department,
        spans: list[Span],
        periods: list[Period],
        has_text: bool,
        published_files: pd.DataFrame | None,
        made_while_cleaning: Path | None = None,
    ) -> None:
        self.connection = connection
        self.department = department
        self.spans = spans
        self.periods = periods
        self.has_text = has_text
        self.published_files = published_files
        self.made_while_cleaning = made_while_cleaning

    def ask(self, statement: str) -> pd.DataFrame:
        """The answer to a question in SQL."""
        return self.connection.sql(statement).df()

    @property
    def latest(self) -> Period:
        """The period that is judged."""
        return self.periods[-1]

    @property
    def word(self) -> str:
        """What a period of this department is called."""
        return "month" if self.department.feed.publishes == "monthly" else "week"


@contextmanager
def open_staged(
    folder: Path,
    department: Department,
    snapshot: Snapshot | None = None,
    as_of: dt.date | None = None,
    published_files: pd.DataFrame | None = None,
    today: dt.date | None = None,
) -> Iterator[Staged]:
    """Open the staged tables of a department.

    Parameters
    ----------
    folder
        Holds ``incidents.parquet`` and ``feed_files.parquet``.
    department
        Whose they are.
    snapshot
        The feed as text, for evidence on what the incidents table does not hold (descriptions,
        coordinates as published); without it that evidence is empty.
    as_of
        Only what was known by this day, as if the later files had not come; all by default.
    published_files
        The last published manifest, to tell what has changed since.
    today
        The present day if not given.
    """
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET memory_limit = '700MB'")
        known = "" if as_of is None else f" WHERE known_on <= TIMESTAMP '{as_of}'"
        connection.execute(
            "CREATE VIEW incidents AS SELECT *, file_row_number AS place FROM read_parquet("
            f"{quoted(str(folder / 'incidents.parquet'))}, file_row_number = true){known}"
        )
        days = connection.sql(
            "SELECT known_on, source_file, count(*) AS records FROM incidents GROUP BY ALL"
        ).df()
        connection.register("file_days", days)
        # A file none of whose rows were accepted is held to be here: it is told of by its rows.
        until = "" if as_of is None else " WHERE file IN (SELECT source_file FROM file_days)"
        connection.execute(
            f"CREATE VIEW feed_files AS SELECT * FROM "
            f"read_parquet({quoted(str(folder / 'feed_files.parquet'))}){until}"
        )
        spans = coverage(days["known_on"], department, today)
        periods = periods_of(spans, department)
        connection.register(
            "periods",
            pd.DataFrame(
                {
                    "period": range(len(periods)),
                    "first_day": pd.to_datetime([p.start for p in periods]),
                    "last_day": pd.to_datetime([p.end for p in periods]),
                }
            ),
        )
        connection.execute(_arrivals(periods, department.feed.publishes == "monthly"))
        if snapshot is not None:
            connection.execute(sql.published(department, snapshot))
        left = folder if as_of is None else None
        yield Staged(
            connection,
            department,
            spans,
            periods,
            snapshot is not None,
            published_files,
            left,
        )


def _arrivals(periods: Sequence[Period], monthly: bool) -> str:
    """The records of the compared periods, with the flags that the evidence sums.

    Only what repeats little is kept, and as numbers: nearly all evidence is counted from this.
    """
    first = periods[0].start if periods else dt.date(1800, 1, 1)
    last = periods[-1].end if periods else dt.date(1799, 1, 1)
    part, size = ("month", 1) if monthly else ("day", 7)
    return f"""
    CREATE TEMP TABLE arrivals AS
    WITH placed AS (
        SELECT *, date_diff('{part}', DATE '{first}', known_on::DATE) // {size} AS period
        FROM incidents
        WHERE known_on >= DATE '{first}' AND known_on < DATE '{last}' + INTERVAL 1 DAY
    )
    SELECT
        period, offense, coalesce(precinct, '{UNKNOWN}') AS precinct, count, occurred_from,
        date_diff('day', occurred_from, last_day) AS age,
        coalesce(ucr_code IN ('02', '17'), true) AS withheld,
        hour(occurred_from) * 60 + minute(occurred_from) AS minute,
        location_quality, precinct_source, precinct_disagrees, unread_fields IS NOT NULL AS unread,
        length(record_id) > 16 AS repeated,
        incident_number IS NOT NULL AS has_incident_number,
        occurred_to IS NOT NULL AS has_occurred_to, reported_at IS NOT NULL AS has_reported_at,
        beat IS NOT NULL AS has_beat, neighborhood IS NOT NULL AS has_neighborhood,
        block_address IS NOT NULL AS has_block_address, origin <> 'unknown' AS has_origin
    FROM placed JOIN periods USING (period)
    """
