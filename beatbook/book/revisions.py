"""Revisions since the last book, as a table of the book."""

import pandas as pd

from beatbook.book import formatting
from beatbook.book.blocks import Callout, Column, ColumnGroup, Row, Table
from beatbook.compstat.revisions import COLUMNS, SAME_DAY
from beatbook.errors import InvalidInput

_LABELS = {"week": "Week", "28_days": "28 days", "year_to_date": "Year to date"}


def revisions_table(revisions: pd.DataFrame, label: str = "") -> Table | Callout:
    """Lay out what the last book said, what is known now, and the difference.

    Parameters
    ----------
    revisions : DataFrame
        From :func:`beatbook.compstat.revisions.revisions`.
    label : str
        The place, for the caption ("St. Louis", "District 3").

    Returns
    -------
    Table or Callout
        Wide: Week, 28 days and Year to date of the last book, each as Last book, Now,
        Difference; a difference is bold. A note where there is no earlier book, or both were
        made of the same records.

    Raises
    ------
    InvalidInput
        Where a column is missing.
    """
    missing = [name for name in COLUMNS if name not in revisions.columns]
    if missing:
        raise InvalidInput(f"The revisions lack {formatting.listed(missing)}")
    title = "Revisions since the last book"
    if revisions.empty:
        return Callout("note", title, ["There is no earlier book to compare with."])
    first = revisions.iloc[0]
    week, then, now = (
        formatting.day(first[name]) for name in ("book_week_ending", "book_as_of", "as_of")
    )
    if (revisions["note"] == SAME_DAY).all():
        return Callout(
            "note",
            title,
            [f"The book of the week ending {week} and this one were made of the same records, "
             f"those known by {now}: no figure can have changed."],
        )  # fmt: skip
    groups, columns = [ColumnGroup("", 1)], [Column("Offense", "left")]
    for window, name in _LABELS.items():
        days = revisions[revisions["window"] == window].iloc[0]
        groups.append(
            ColumnGroup(name, 3, [formatting.day_range(days["first_day"], days["last_day"])])
        )
        columns += [Column("Last book"), Column("Now"), Column("Difference")]
    rows = [_row(revisions, offense) for offense in revisions["offense"].drop_duplicates()]
    where = f"{label}: " if label else ""
    return Table(
        caption=f"{where}the book of the week ending {week} (as of {then}) and the same days now",
        columns=columns,
        groups=groups,
        rows=rows,
        notes=[
            f"Now: as of {now}. Figures rise as late records are coded, and fall where records "
            "are canceled or coded as another offense."
            + (f" {formatting.NOT_COVERED} not covered by the feed." if _uncovered(rows) else "")
        ],
        wide=True,
    )


def _row(revisions: pd.DataFrame, offense: str) -> Row:
    mine = revisions[revisions["offense"] == offense].set_index("window")
    cells, strong = [str(offense)], []
    for window in _LABELS:
        figures = mine.loc[window]
        cells += [formatting.count(figures[side], "not covered") for side in ("then", "now")]
        change = figures["difference"]
        if formatting.is_missing(change):
            cells.append(formatting.UNDEFINED)
        else:
            cells.append(f"{int(change):+,d}" if change else "0")
            if change:
                strong.append(len(cells) - 1)
    return Row(cells, "total" if str(offense).startswith("Total") else "plain", strong)


def _uncovered(rows: list[Row]) -> bool:
    return any(formatting.NOT_COVERED in row.cells for row in rows)
