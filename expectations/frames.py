"""The frames that rules on whole records look at: only the columns they test, as numbers.

A table of a million records holds gigabytes of text. The rules need none of it: names are tested
as categories, dates as days, identities as 64-bit hashes. (Numbers are of 64 bits: Great
Expectations compares only those all at once, others one by one.) The text of a record is read for
those that fail.
"""

import datetime as dt

import pandas as pd

from beatbook.compstat.coverage import last_known_day
from beatbook.quality.staged import Staged
from beatbook.tables import INCIDENTS, TABLES
from expectations.runner import Frame

CATEGORIES = ("offense", "precinct_source", "location_quality")


def records_frame(staged: Staged, today: dt.date | None = None) -> Frame:
    """The staged incidents as the rules test them.

    Parameters
    ----------
    staged
        The staged tables.
    today
        No record may be known later (:func:`beatbook.compstat.coverage.last_known_day`); the
        present day if not given.

    Returns
    -------
    Frame
        ``record_number`` (hash of record_id), ``offense``, ``precinct_source``,
        ``location_quality`` (categories), ``count``, ``occurred_year``, ``age_days`` (days from
        occurrence to the known day), ``known_ahead`` (days that the known day lies ahead),
        ``lasts_minutes`` (occurred_to less occurred_from), ``precinct_disagrees``,
        ``required_missing``, ``unread`` and ``sex_offense_placed``.
    """
    limit = last_known_day(staged.department, today)
    required = [column.name for column in INCIDENTS.columns if column.required]
    missing = " OR ".join(f"{name} IS NULL" for name in required)
    for name in CATEGORIES:
        values = staged.ask(f"SELECT DISTINCT {name} AS v FROM incidents WHERE {name} IS NOT NULL")
        # A value is no identifier: its quotes are doubled.
        listed = ", ".join("'" + str(v).replace("'", "''") + "'" for v in sorted(values["v"]))
        staged.connection.execute(f"DROP TYPE IF EXISTS {name}_names")
        staged.connection.execute(f"CREATE TYPE {name}_names AS ENUM ({listed or chr(39) * 2})")
    categories = ", ".join(f"CAST({name} AS {name}_names) AS {name}" for name in CATEGORIES)
    data = staged.ask(
        f"""
        SELECT place, hash(record_id) AS record_number, {categories}, count,
            year(occurred_from)::BIGINT AS occurred_year,
            date_diff('day', occurred_from, known_on)::BIGINT AS age_days,
            date_diff('day', DATE '{limit}', known_on)::BIGINT AS known_ahead,
            date_diff('minute', occurred_from, occurred_to)::DOUBLE AS lasts_minutes,
            occurred_from IS NOT NULL AS has_occurred_from, known_on IS NOT NULL AS has_known_on,
            precinct_disagrees, ({missing}) AS required_missing,
            unread_fields IS NOT NULL AS unread,
            coalesce(ucr_code IN ('02', '17') AND (x IS NOT NULL OR block_address IS NOT NULL),
                false) AS sex_offense_placed
        FROM incidents
        """
    )

    def describe(rows: list[int], columns: list[str]) -> pd.DataFrame:
        held = [name for name in dict.fromkeys(columns) if name in INCIDENTS.column_names]
        chosen = data.iloc[rows]
        staged.connection.register("wanted", chosen[["place"]])
        found = staged.ask(
            f"SELECT place, {', '.join(held)} FROM incidents SEMI JOIN wanted USING (place)"
        )
        order = found.set_index("place").loc[chosen["place"]].reset_index(drop=True)
        tested = [name for name in dict.fromkeys(columns) if name not in held and name in data]
        for name in tested:
            order[name] = chosen[name].to_numpy()
        return order

    return Frame(data, ("record_id",), describe)


def table_frame(name: str, frame: pd.DataFrame) -> Frame:
    """A whole table, known by its key."""
    return Frame(frame, TABLES[name].key)
