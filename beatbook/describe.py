"""What a published table holds: its columns, how full they are, how fresh, and what to mind."""

import datetime as dt
import html
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from beatbook.errors import MissingTable
from beatbook.home import Home
from beatbook.store import Store, did_you_mean, require_department
from beatbook.tables import TABLES, Table

COMMONEST = 3
"""How many of a column's values are shown."""

MOST_VALUES = 100
"""A text column with more distinct values than this is no list of words, and shows none."""

LONGEST = 40
"""Longer values are cut at so many letters."""

LEAST_SHOWN = 10
"""A value is shown only where at least so many rows hold it, so that none points at one case."""

_LEFT = 'style="text-align:left;vertical-align:top"'
"""JupyterLab sets every table's text to the right, which is for numbers."""

# A point is a place. Free text of a refused row may hold what its column must not.
_NEVER_SHOWN = ("x", "y", "block_address", "observed", "expected", "note", "record_key")


@dataclass(frozen=True)
class TableDescription:
    """A published table in words; in a notebook it shows itself, and ``print`` gives it as text.

    ``columns`` has a row a column: ``column, type, unit, meaning, missing`` (rows without it),
    ``missing_share`` (0 to 1), ``smallest, largest`` (numbers and times) and ``commonest`` (words).
    ``freshness`` has a fact a line, ``caveats`` a sentence each.
    """

    table: str
    department: str
    grain: str
    key: tuple[str, ...]
    rows: int
    columns: pd.DataFrame
    freshness: dict[str, str]
    caveats: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        listed = []
        for row in self._shown().to_dict("records"):
            unit = f" [{row['unit']}]" if row["unit"] else ""
            listed.append(f"{row['column']} ({row['type']}){unit}: {row['meaning']}")
            listed.append(
                f"    missing: {row['missing']}" + (f"; {row['holds']}" if row["holds"] else "")
            )
        facts = [f"{name}: {value}" for name, value in self.freshness.items()]
        minded = [f"- {line}" for line in self.caveats]
        return "\n".join([self._head(), *facts, "", *listed, "", *minded]).rstrip()

    def _repr_html_(self) -> str:
        facts = "".join(
            f"<li>{html.escape(name)}: {html.escape(value)}</li>"
            for name, value in self.freshness.items()
        )
        minded = "".join(f"<li>{html.escape(line)}</li>" for line in self.caveats)
        shown = self._shown()
        heads = "".join(f'<th scope="col" {_LEFT}>{html.escape(str(name))}</th>' for name in shown)
        rows = "".join(
            "".join(["<tr>", *(f"<td {_LEFT}>{html.escape(str(v))}</td>" for v in row), "</tr>"])
            for row in shown.itertuples(index=False)
        )
        return (
            f"<p><strong>{html.escape(self._head())}</strong></p><ul>{facts}</ul>"
            + (f"<p>To mind:</p><ul>{minded}</ul>" if minded else "")
            + f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _head(self) -> str:
        return (
            f"{self.department}/{self.table}: {self.rows:,} rows, each {self.grain}. "
            f"Unique by {', '.join(self.key)}."
        )

    def _shown(self) -> pd.DataFrame:
        """The columns as text, ready to be read."""
        c = self.columns
        return pd.DataFrame(
            {
                "column": c["column"],
                "type": c["type"],
                "unit": c["unit"],
                "meaning": c["meaning"],
                "missing": [_percent(n, self.rows) for n in c["missing"]],
                "holds": [
                    often or (f"{low} to {high}" if low else "")
                    for often, low, high in zip(
                        c["commonest"], c["smallest"], c["largest"], strict=True
                    )
                ],
            }
        )


def describe_table(
    table: str,
    department: str,
    *,
    week_ending: str | dt.date | None = None,
    home: Home | None = None,
) -> TableDescription:
    """Describe a published table: columns, how full they are, how fresh it is, what to mind.

    Parameters
    ----------
    table
        Its name, for example ``"incidents"``.
    department
        The department's short name, for example ``"st_louis"``.
    week_ending
        For a table kept per week: the week's last day; the latest published week if not given.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    TableDescription
        Shows itself in a notebook. Types, units and meanings are those of the table's
        declaration. Values are shown only for lists of words, and only where ``LEAST_SHOWN``
        rows or more hold them; of places, only the system their coordinates are in.

    Raises
    ------
    UnknownDepartment, MissingTable
        As :func:`beatbook.load_table`; the message says what there is, or what to run.
    """
    store = Store(department, home)
    require_department(store)
    if table not in TABLES:
        raise MissingTable(
            f"There is no table {table!r}.{did_you_mean(table, TABLES)} "
            f"Tables: {', '.join(sorted(TABLES))}."
        )
    # The settings and the caveats bring libraries that loading a table need not wait for.
    from beatbook.department import load_department
    from beatbook.table_caveats import table_caveats

    declared = TABLES[table]
    weeks = store.partitions(table)
    week = str(week_ending or "").removesuffix(" 00:00:00")
    if declared.partition and not week:
        week = (weeks or [""])[-1]
    published = store.find(table, week)
    settings = load_department(department, store.home)
    frame = pd.read_parquet(published.path)
    columns = _columns(frame, declared, settings.crs)
    when = published.published_at
    freshness = {"Published": f"{when.replace('T', ' ').removesuffix('+00:00')} UTC"}
    if declared.partition:
        freshness["Weeks"] = f"{len(weeks)} published, {weeks[0]} to {weeks[-1]}; this is {week}"
    if "known_on" in frame and len(frame):
        freshness["Last record known on"] = str(frame["known_on"].max())[:10]
    labels = {"as_of": "As of", "feed_sha256": "Feed sha256", "code_version": "Code version"}
    for name, label in labels.items():
        if value := str(published.provenance.get(name, "")):
            freshness[label] = value[:12] if name == "feed_sha256" else value
    return TableDescription(
        table=table,
        department=department,
        grain=declared.grain,
        key=declared.key,
        rows=len(frame),
        columns=columns,
        freshness=freshness,
        caveats=table_caveats(table, frame, settings, store),
    )


def _columns(frame: pd.DataFrame, declared: Table, crs: str) -> pd.DataFrame:
    rows = []
    for column in declared.columns:
        # A table published under an older declaration may lack a column.
        values = frame.get(column.name, pd.Series(dtype="float64", index=frame.index))
        smallest, largest = _range(column.name, values)
        rows.append(
            {
                "column": column.name,
                "type": column.dtype,
                "unit": column.unit,
                "meaning": column.meaning,
                "missing": int(values.isna().sum()),
                "missing_share": float(values.isna().mean()) if len(values) else 0.0,
                "smallest": smallest,
                "largest": largest,
                "commonest": f"meters in {crs}"
                if column.name in ("x", "y")
                else _commonest(column.name, values),
            }
        )
    return pd.DataFrame(rows)


def _range(name: str, values: pd.Series) -> tuple[str, str]:
    known = values.dropna()
    if name in _NEVER_SHOWN or known.empty or pd.api.types.is_bool_dtype(known):
        return "", ""
    if pd.api.types.is_datetime64_any_dtype(known):
        days = known.eq(known.dt.normalize()).all()
        low, high = str(known.min()), str(known.max())
        return (low[:10], high[:10]) if days else (low[:16], high[:16])
    if pd.api.types.is_numeric_dtype(known):
        return _number(known.min()), _number(known.max())
    return "", ""


def _commonest(name: str, values: pd.Series) -> str:
    words = pd.api.types.is_string_dtype(values) or pd.api.types.is_bool_dtype(values)
    if name in _NEVER_SHOWN or not words:
        return ""
    import pyarrow as pa
    import pyarrow.compute as pc

    # Arrow counts half a million strings ten times as fast as pandas does.
    tally = pc.value_counts(pa.array(values, from_pandas=True).drop_null())
    if len(tally) > MOST_VALUES:
        return f"{len(tally):,} different"
    counts = dict(zip(*(tally.field(part).to_pylist() for part in (0, 1)), strict=True))
    often = [value for value in counts if counts[value] >= LEAST_SHOWN]
    often.sort(key=lambda value: (-counts[value], str(value)))
    shown = [f"{_word(value)} ({counts[value]:,})" for value in often[:COMMONEST]]
    if shown and len(counts) > len(shown):
        shown.append(f"{len(counts) - len(shown)} more")
    return ", ".join(shown)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value) or "(empty)"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _number(value: Any) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def _percent(missing: int, rows: int) -> str:
    if not missing:
        return "none"
    if missing == rows:
        return "all"
    share = 100 * missing / rows
    return f"{missing:,} ({'under 0.1' if share < 0.1 else f'{share:.1f}'} %)"
