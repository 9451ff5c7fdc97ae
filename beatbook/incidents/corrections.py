"""The steward's corrections, put in the place of what the feed holds before anything is read.

A correction replaces one field of one record, so that dates, offense, areas and address follow
from it as from any published value. The record keeps its id, which is that of its published
values; the published value is kept beside the corrected one in the table ``corrections``.
"""

from collections.abc import Iterable, Sequence

import duckdb
import pandas as pd

from beatbook.department import FIELDS, Department
from beatbook.incidents import sql
from beatbook.incidents.addresses import ADDRESSES
from beatbook.offenses import UNMAPPED, load_offenses, map_offenses
from beatbook.tables import CORRECTIONS

CORRECTABLE = tuple(field for field in FIELDS if field != "offense_description")
"""What a correction may replace; the description is in no table, its code is."""

PLACE_FIELDS = ("block_address", "x", "y")
"""What is withheld of a sex offense."""

IN_FORCE = (
    "record_id",
    "field",
    "value",
    "published",
    "decided_at",
    "decided_by",
    "note",
    "item",
)
"""Columns of the corrections that :func:`beatbook.incidents.clean` takes, all text, ``""`` for
none: ``value`` is the corrected one, ``published`` what the feed held when it was decided."""


def apply_corrections(
    connection: duckdb.DuckDBPyConnection, department: Department, corrections: pd.DataFrame
) -> tuple[list[str], pd.DataFrame]:
    """Find the records that are corrected, and say which corrections take effect.

    Parameters
    ----------
    connection
        Holds the view ``published`` and the table ``repeats`` of the snapshot; given the table
        ``fixes`` with one row a corrected source row.
    department
        Whose key and offenses.
    corrections
        Columns :data:`IN_FORCE`, one row a record and field.

    Returns
    -------
    list of str
        The fields that any record is corrected in; none of them, no table ``fixes``.
    DataFrame
        The table ``corrections`` as declared. A correction does not take effect where the
        record is no longer in the feed, where the feed holds another value than when it was
        decided, or where the feed holds the corrected value by now; ``reason`` says which.
        Values of a place are missing for a sex offense and for a code that is not mapped, and
        an address stands at its hundred block.
    """
    if corrections.empty:
        return [], _table([])
    rows = _published_rows(connection, department, corrections["record_id"])
    hidden = _hides_place(department, rows, corrections)
    blocks = hundred_blocks(
        [
            *(row["block_address"] or "" for row in rows.values()),
            *corrections.loc[corrections["field"] == "block_address", "value"],
        ]
    )
    told = []
    fixes: dict[str, dict[str, str | None]] = {}
    for asked in corrections.to_dict("records"):
        record, field, value = asked["record_id"], asked["field"], asked["value"]
        row = rows.get(record)
        published = None if row is None else row[field]
        if field == "block_address":
            published, value = blocks.get(published or ""), blocks.get(value, "")
        reason = _why_not(row is not None, field, published or "", asked["published"], value)
        if reason is None:
            fixes.setdefault(record, {})[field] = value or None
        withheld = field in PLACE_FIELDS and hidden.get(record, True)
        told.append(
            {
                "record_id": record,
                "field": field,
                "published_value": None if withheld else published,
                "corrected_value": None if withheld else value or None,
                "decided_at": asked["decided_at"],
                "decided_by": asked["decided_by"],
                "note": asked["note"] or None,
                "item": asked["item"],
                "took_effect": reason is None,
                "reason": "the feed holds another value by now" if reason and withheld else reason,
                "source_file": None if row is None else row["source_file"],
                "source_row": None if row is None else row["source_row"],
            }
        )
    corrected = [field for field in FIELDS if any(field in fix for fix in fixes.values())]
    if corrected:
        _write_fixes(connection, rows, fixes, corrected, _published_sex_offenses(department, rows))
    return corrected, _table(told)


def corrected_source(corrected: Sequence[str]) -> str:
    """A view ``source``: the rows of ``published``, corrections in the place of what they replace.

    ``corrected`` names the fields that the table ``fixes`` corrects; without any there is no such
    table, and the rows pass as they are.
    """
    if not corrected:
        return f"CREATE VIEW source AS SELECT *, {sql.UNCORRECTED} FROM published"
    replaced = ", ".join(
        f"CASE WHEN fixes.{field}_fixed THEN fixes.{field}_to ELSE published.{field} END AS {field}"
        for field in corrected
    )
    flags = ", ".join(
        f"coalesce(fixes.{field}_fixed, false) AS {field}_fixed" for field in corrected
    )
    return f"""
    CREATE VIEW source AS
    SELECT published.* REPLACE ({replaced}), {flags}, fixes.corrected_fields, fixes.published_key,
      coalesce(fixes.place_withheld, false) AS place_withheld
    FROM published LEFT JOIN fixes ON fixes.source_row = published.source_row
      AND fixes.source_file = published.source_file
    """


def hundred_blocks(addresses: Iterable[str]) -> dict[str, str]:
    """Bring addresses to the hundred block, as cleaning does.

    Parameters
    ----------
    addresses
        As published; empty ones are left out.

    Returns
    -------
    dict of str to str
        Each address with its hundred block; one that holds no street with an empty text.
    """
    given = sorted({address for address in addresses if address})
    if not given:
        return {}
    with duckdb.connect() as connection:
        frame = pd.DataFrame({"block_address": pd.Series(given, dtype="str")})
        connection.register("source", frame)
        connection.execute(ADDRESSES)
        return {
            published: block or ""
            for published, block in connection.sql(
                "SELECT published, block_address FROM addresses"
            ).fetchall()
        }


def _why_not(found: bool, field: str, published: str, decided_on: str, value: str) -> str | None:
    if not found:
        return "the feed no longer holds this record as it was: the publisher changed or removed it"
    if published == value:
        return "the feed holds the corrected value by now"
    if published != decided_on:
        return (
            f"the feed holds {published or 'nothing'} as {field} by now; the correction was "
            f"decided when it held {decided_on or 'nothing'}"
        )
    return None


def _published_rows(
    connection: duckdb.DuckDBPyConnection, department: Department, records: Iterable[str]
) -> dict[str, dict[str, str | None]]:
    """The source rows of some records by their ids, values as published."""
    wanted = []
    for record in sorted(set(records)):
        number, _, place = record.partition("-")
        wanted.append((record, int(number, 16), int(place or 1)))
    frame = pd.DataFrame(wanted, columns=["record_id", "wanted_key", "wanted_place"]).astype(
        {"record_id": "str", "wanted_key": "uint64", "wanted_place": "int64"}
    )
    connection.register("wanted", frame)
    key = sql.key_number(department)
    found = connection.sql(
        f"""
        SELECT wanted.record_id, keyed.*
        FROM (SELECT *, {key} AS key_number FROM published) AS keyed
        JOIN wanted ON wanted.wanted_key = keyed.key_number
        LEFT JOIN repeats ON repeats.source_file = keyed.source_file
          AND repeats.source_row = keyed.source_row
        WHERE coalesce(repeats.place, 1) = wanted.wanted_place
        """
    )
    names = found.columns
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    connection.unregister("wanted")
    return {row["record_id"]: row for row in rows}


def _hides_place(
    department: Department,
    rows: dict[str, dict[str, str | None]],
    corrections: pd.DataFrame,
) -> dict[str, bool]:
    """Whether a record's place is withheld: by its published code or by its corrected one."""
    codes = {record: {row["offense_code"] or ""} for record, row in rows.items()}
    for record, code in corrections.loc[
        corrections["field"] == "offense_code", ["record_id", "value"]
    ].itertuples(index=False, name=None):
        codes.setdefault(record, set()).add(code)
    withheld = withheld_codes(department, {code for each in codes.values() for code in each})
    return {record: bool(each & withheld) for record, each in codes.items()}


def withheld_codes(department: Department, codes: Iterable[str]) -> set[str]:
    """The offense codes whose records show no place: sex offenses, and codes not mapped.

    A missing code (``""``) is among them: what it stands for is unknown.
    """
    codes = set(codes)
    meanings = map_offenses((code for code in codes if code), load_offenses(department))
    told = dict(zip(meanings["offense_code"], meanings["sex_offense"], strict=True))
    return {code for code in codes if told.get(code, True)}


def _published_sex_offenses(
    department: Department, rows: dict[str, dict[str, str | None]]
) -> set[str]:
    """Records published as a sex offense; an unmapped code, often mistyped, is not known as one."""
    codes = {row["offense_code"] for row in rows.values() if row["offense_code"]}
    meanings = map_offenses((code for code in codes if code), load_offenses(department))
    sex = meanings["sex_offense"].astype(bool) & (meanings["offense"] != UNMAPPED)
    known = set(meanings.loc[sex, "offense_code"])
    return {record for record, row in rows.items() if row["offense_code"] in known}


def _write_fixes(
    connection: duckdb.DuckDBPyConnection,
    rows: dict[str, dict[str, str | None]],
    fixes: dict[str, dict[str, str | None]],
    corrected: list[str],
    sex_offenses: set[str],
) -> None:
    lines = []
    for record, fix in fixes.items():
        row = rows[record]
        line = {
            "source_file": row["source_file"],
            "source_row": row["source_row"],
            "published_key": row["key_number"],
            "corrected_fields": " ".join(field for field in FIELDS if field in fix),
            # Once published as a sex offense, its place stays withheld whatever the code becomes.
            "place_withheld": record in sex_offenses,
        }
        for field in corrected:
            line[f"{field}_fixed"] = field in fix
            line[f"{field}_to"] = fix.get(field)
        lines.append(line)
    types = {"source_row": "int64", "published_key": "uint64", "place_withheld": "bool"}
    frame = pd.DataFrame(lines)
    frame = frame.astype(
        {
            column: types.get(column, "bool" if column.endswith("_fixed") else "str")
            for column in frame.columns
        }
    )
    connection.register("fixes_given", frame)
    connection.execute("CREATE TABLE fixes AS SELECT * FROM fixes_given")
    connection.unregister("fixes_given")


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=CORRECTIONS.column_names)
    return CORRECTIONS.conform(frame)
