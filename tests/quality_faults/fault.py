"""What a fault is: a small change to an ordinary feed, and what must be found of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.quality_faults.city import TOUCHED, City
from tests.quality_faults.ordinary_feed import Row

REFUSED = "refused"
"""In the place of a severity: the feed is refused while it is read, before any rule runs."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    name
        In plain English, as the documentation lists it.
    run
        Faults of one name are put into one feed, as they would come, and checked in one run.
    check, severity
        The rule that must fire, and how grave it is; no rule for a feed that is refused.
    record
        What the finding must name: ``case ...`` for a record by its case number, else the
        finding's record key; for a refused feed, the file that the message must name.
    sees
        What the steward reads there: the observed value, or a part of the message.
    rows
        Changes the rows of the month that has just come.
    files
        Changes the checkout once that month's file is written.
    staged
        Changes the staged tables, as a mistake in Beatbook itself would.
    table, frame
        A later table, and a change to it before it is checked.
    refused
        How many rows the fault makes refused.
    """

    name: str
    run: str
    check: str
    severity: str
    record: str
    sees: str
    rows: Callable[[list[Row]], None] | None = None
    files: Callable[[City], None] | None = None
    staged: Callable[[Path], None] | None = None
    table: str = ""
    frame: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    refused: int = 0


def on(case: str, **changes: str) -> Callable[[list[Row]], None]:
    """Change one record that no other fault has changed, and give it this case number."""

    def change(rows: list[Row]) -> None:
        untouched = (r for r in rows if r["Code"] == "063000" and r["Count"] == "1")
        row = next(r for r in untouched if not r["Case"].startswith("F-"))
        row.update(Case=case, **changes)

    return change


def some(number: int, change: Callable[[Row], None], **where: str) -> Callable[[list[Row]], None]:
    """Change so many records that no other fault has changed, among those with these values."""

    def changing(rows: list[Row]) -> None:
        chosen = [
            row
            for row in rows
            if TOUCHED not in row
            and row["Count"] == "1"
            and all(row[name] == value for name, value in where.items())
        ][:number]
        assert len(chosen) == number, f"{len(chosen)} records of {number}"
        for row in chosen:
            change(row)
            row[TOUCHED] = "yes"

    return changing


def setting(**values: str) -> Callable[[Row], None]:
    """Set these values of a record."""
    return lambda row: row.update(values)


def then(*changes: Callable[[list[Row]], None]) -> Callable[[list[Row]], None]:
    """One change after the other."""

    def all_of_them(rows: list[Row]) -> None:
        for change in changes:
            change(rows)

    return all_of_them
