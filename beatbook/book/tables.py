"""Tables of a book: the CompStat table of one geography, and any frame as a plain table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from beatbook.book import formatting
from beatbook.book.blocks import Column, ColumnGroup, Row, Table
from beatbook.errors import InvalidInput

COMPSTAT_COLUMNS = (
    "geography", "offense", "window", "comparison",
    "current_start", "current_end", "prior_start", "prior_end",
    "current", "prior", "percent_change", "q_value", "note",
)  # fmt: skip

WINDOWS = ("week", "28_days", "year_to_date")
_WINDOW_LABELS = {"week": "Week", "28_days": "28 days", "year_to_date": "Year to date"}
_WINDOW_DAYS = {"week": 7, "28_days": 28}

#: A change is marked where its q value is below this: of the marked changes of a book about one
#: in twenty is expected to be noise.
FALSE_DISCOVERY_RATE = 0.05


def compstat_table(
    frame: pd.DataFrame, geography: str, caption: str, level: float = FALSE_DISCOVERY_RATE
) -> Table:
    """Lay out the CompStat table of one geography.

    Parameters
    ----------
    frame : DataFrame
        The ``compstat`` table of one department and week. Needed: ``geography``, ``offense``,
        ``window`` (week, 28_days, year_to_date), ``comparison`` (prior_period, prior_year; the
        year to date has prior_year only), ``current_start`` to ``prior_end`` (datetime64, both
        ends included), ``current`` and ``prior`` (incidents, missing where not covered or not
        comparable), ``percent_change`` (percent; NaN where undefined), ``q_value`` (NaN where
        not tested), ``note`` ("", "not covered", "not comparable"). One row an offense, window
        and comparison; offenses come out in the frame's order.
    geography : str
        The geography's code; "Unknown" for incidents without a usable one.
    caption : str
        Printed above the table.
    level : float
        False-discovery rate below which a change bears a mark.

    Returns
    -------
    Table
        Wide: columns Week and 28 days (This, Prior, Change, Year ago, Change) and Year to date
        (This, Last year, Change), with the dates in the header. Rows named "Total ..." are
        totals. A change beyond noise bears a triangle and is bold; the legend says by what
        test.

    Raises
    ------
    InvalidInput
        Where a column is missing, the geography is not in the frame, a row is there twice, a
        comparison is not there at all, an offense's dates differ from the others', or a week
        or 28-day window is not as long as its name.
    """
    missing = [name for name in COMPSTAT_COLUMNS if name not in frame.columns]
    if missing:
        raise InvalidInput(f"The CompStat frame lacks the columns {formatting.listed(missing)}")
    rows = frame[frame["geography"].astype("string") == str(geography)]
    if rows.empty:
        known = formatting.listed(sorted(frame["geography"].astype("string").unique()))
        raise InvalidInput(f"No CompStat row for geography {geography!r}; there are: {known}")
    keys = ["offense", "window", "comparison"]
    if rows.duplicated(keys).any():
        twice = rows.loc[rows.duplicated(keys), keys].iloc[0].tolist()
        raise InvalidInput(f"Geography {geography!r} has two rows for {' / '.join(twice)}")

    cells = {
        (row["offense"], row["window"], row["comparison"]): row for row in rows.to_dict("records")
    }
    groups = [ColumnGroup("", 1)]
    columns = [Column("Offense", "left")]
    for window in WINDOWS:
        group, labels = _window_header(rows, window)
        groups.append(group)
        columns += [Column(label) for label in labels]

    seen: set[str] = set()
    table_rows = []
    for offense in rows["offense"].drop_duplicates():
        table_rows.append(_offense_row(cells, offense, level, seen))
    return Table(
        caption=caption,
        columns=columns,
        groups=groups,
        rows=table_rows,
        notes=_legend(seen, level),
        wide=True,
    )


def _window_header(rows: pd.DataFrame, window: str) -> tuple[ColumnGroup, list[str]]:
    """Head a window with its dates; the dates must be the same for every offense."""
    spans = {}
    for comparison in ("prior_period", "prior_year"):
        part = rows[(rows["window"] == window) & (rows["comparison"] == comparison)]
        dates = part[["current_start", "current_end", "prior_start", "prior_end"]]
        dates = dates.drop_duplicates()
        if len(dates) > 1:
            raise InvalidInput(f"The {window} window has more than one set of dates in a geography")
        if len(dates):
            spans[comparison] = tuple(dates.iloc[0])
    wanted = {"prior_year"} if window == "year_to_date" else {"prior_period", "prior_year"}
    if set(spans) != wanted:
        raise InvalidInput(
            f"The {window} window needs the comparisons {formatting.listed(sorted(wanted))}, "
            f"and the frame has {formatting.listed(sorted(spans)) or 'none'}"
        )
    start, end = spans["prior_year"][:2]
    days = _WINDOW_DAYS.get(window)
    if days and (end - start).days + 1 != days:
        raise InvalidInput(
            f"The {window} window runs {formatting.day_range(start, end)}: not {days} days with "
            "both ends included"
        )
    year_ago = _span(*spans["prior_year"][2:])
    if window == "year_to_date":
        lines = [formatting.day_range(start, end), f"Last year: {year_ago}"]
        return ColumnGroup(_WINDOW_LABELS[window], 3, lines), ["This", "Last year", "Change"]
    prior = _span(*spans["prior_period"][2:])
    lines = [formatting.day_range(start, end), f"Prior: {prior}", f"Year ago: {year_ago}"]
    labels = ["This", "Prior", "Change", "Year ago", "Change"]
    return ColumnGroup(_WINDOW_LABELS[window], 5, lines), labels


def _span(start: Any, end: Any) -> str:
    if formatting.is_missing(start) or formatting.is_missing(end):
        return formatting.NOT_COVERED
    return formatting.day_range(start, end)


def _offense_row(
    cells: Mapping[tuple[str, str, str], Mapping[Any, Any]],
    offense: str,
    level: float,
    seen: set[str],
) -> Row:
    """Write one offense's row; ``seen`` gathers which symbols the legend must explain."""
    texts: list[str] = [offense]
    strong: list[int] = []
    for window in WINDOWS:
        current_written = False
        comparisons = ["prior_year"] if window == "year_to_date" else ["prior_period", "prior_year"]
        for comparison in comparisons:
            row = cells.get((offense, window, comparison))
            if row is None:
                raise InvalidInput(f"No row for {offense} / {window} / {comparison}")
            note = "" if formatting.is_missing(row["note"]) else str(row["note"])
            if not current_written:
                both = [cells.get((offense, window, c), {}).get("current") for c in comparisons]
                current = next((c for c in both if not formatting.is_missing(c)), row["current"])
                texts.append(formatting.count(current, note))
                current_written = True
            text, marked = formatting.change(
                row["percent_change"], row["q_value"], row["current"], row["prior"], note, level
            )
            texts += [formatting.count(row["prior"], note), text]
            if marked:
                strong.append(len(texts) - 1)
    for text in texts[1:]:
        seen.update(text.split(" "))
    style = "total" if offense.startswith("Total") else "plain"
    return Row(texts, style, strong)  # type: ignore[arg-type]


def _legend(seen: set[str], level: float) -> list[str]:
    tested = (
        f"{formatting.RISE} rise beyond noise, {formatting.FALL} fall beyond noise: Poisson E-test "
        f"of the two counts, false-discovery rate {100 * level:g} % over all tests of this book. "
        "A change without a mark could be chance alone."
    )
    symbols = {
        formatting.UNDEFINED: "no percentage, for the earlier count is not above zero",
        formatting.NOT_COVERED: "not covered by the feed",
        formatting.NOT_COMPARABLE: "not comparable, for the boundaries changed in between",
    }
    used = [f"{symbol} {words}" for symbol, words in symbols.items() if symbol in seen]
    return [tested] + ([". ".join(used) + "."] if used else [])


def frame_table(
    frame: pd.DataFrame,
    caption: str,
    columns: Mapping[str, str] | None = None,
    formats: Mapping[str, Callable[[Any], str]] | None = None,
    notes: Sequence[str] = (),
    totals: Sequence[str] = (),
    wide: bool = False,
) -> Table:
    """Make a plain table of a frame, its numbers written the way of the whole book.

    Parameters
    ----------
    frame : DataFrame
        One row a row; the index is not shown.
    caption : str
        Printed above the table.
    columns : mapping of str to str, optional
        Which columns, in which order, under which headers; without it all, as they are named.
    formats : mapping of str to callable, optional
        Column to the function that writes its values. Without one: whole numbers get
        thousands separators, other numbers two decimals, dates ``Nov 16, 2025``, missing
        values an en dash.
    notes : list of str
        The legend below.
    totals : list of str
        Values of the first column whose rows are totals.
    wide : bool
        Landscape page on paper.

    Raises
    ------
    InvalidInput
        Where a column is not in the frame.
    """
    labels = dict(columns) if columns else {str(name): str(name) for name in frame.columns}
    missing = [name for name in labels if name not in frame.columns]
    if missing:
        raise InvalidInput(
            f"Table {caption!r}: the frame has no column {formatting.listed(missing)}"
        )
    heads, texts = [], []
    for position, (name, label) in enumerate(labels.items()):
        values = frame[name]
        number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        heads.append(Column(label, "right" if number and position else "left"))
        write = (formats or {}).get(name) or _writer(values)
        texts.append([write(value) for value in values])
    rows = [
        Row(list(cells), "total" if cells[0] in totals else "plain")
        for cells in zip(*texts, strict=True)
    ]
    return Table(caption=caption, columns=heads, rows=rows, notes=notes, wide=wide)


def _writer(values: pd.Series) -> Callable[[Any], str]:
    if pd.api.types.is_bool_dtype(values):
        known: Callable[[Any], str] = lambda value: "yes" if value else "no"  # noqa: E731
    elif pd.api.types.is_integer_dtype(values):
        known = formatting.count
    elif pd.api.types.is_numeric_dtype(values):
        known = lambda value: f"{value:,.2f}"  # noqa: E731
    elif pd.api.types.is_datetime64_any_dtype(values):
        known = formatting.day
    else:
        known = str
    return lambda value: formatting.UNDEFINED if formatting.is_missing(value) else known(value)
