"""The skeleton of ``offenses.csv``: every code with its count, and its class where it is clear."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from beatbook.department import Department
from beatbook.feed import Snapshot
from beatbook.incidents import sql
from beatbook.offenses import COLUMNS
from beatbook.onboarding.offense_guesses import (
    Guess,
    are_nibrs,
    guess_from_nibrs,
    guess_offense,
)

OPEN_FILE = "offenses_undecided.csv"
"""The codes left to a person, in the form of ``offenses.csv``; no reader takes it."""


@dataclass(frozen=True)
class OffenseCounts:
    """How many codes and rows were given a class, and how many were left."""

    codes: int
    rows: int
    guessed_codes: int
    guessed_rows: int
    left: pd.DataFrame
    """Columns ``offense_code, description, rows`` of the codes left, most rows first."""


def count_codes(department: Department, snapshot: Snapshot) -> pd.DataFrame:
    """Count the rows of each offense code, as the feed is cleaned.

    Returns
    -------
    DataFrame
        ``offense_code`` (padded as the settings say), ``rows``, and ``description``: the most
        frequent one of its rows, missing where the feed has none. Most rows first.
    """
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(sql.source(department, snapshot))
        frame: pd.DataFrame = connection.execute(
            "SELECT offense_code, count(*) AS rows, mode(offense_description) AS description "
            "FROM source WHERE offense_code IS NOT NULL GROUP BY ALL "
            "ORDER BY rows DESC, offense_code"
        ).df()
    return frame


def write_skeleton(counts: pd.DataFrame, folder: Path) -> OffenseCounts:
    """Write ``offenses.csv``, and the codes left to a person beside it.

    Parameters
    ----------
    counts
        From :func:`count_codes`.
    folder
        The department's folder.

    Notes
    -----
    A code that is not clear is kept out of ``offenses.csv``: it is then Unmapped, counted and
    listed as such, and its place withheld. A line with an empty class would not load, and one
    with a class made up would count. The count stands in a column of its own, ``rows``, which
    the reader of the map passes over.
    """
    nibrs = are_nibrs([str(code) for code in counts["offense_code"]])
    mapped: list[list[str | int]] = []
    left: list[list[str | int]] = []
    for code, rows, described in counts.itertuples(index=False):
        text = described if isinstance(described, str) else str(code)
        # Every class that the code could be of is asked of the words first, then of the code.
        guess = guess_offense(text) or (guess_from_nibrs(str(code)) if nibrs else None)
        line = _line(str(code), guess, " ".join(text.split()), int(rows))
        (mapped if guess else left).append(line)
    header = [*COLUMNS, "rows"]
    _write(folder / "offenses.csv", header, mapped)
    if left:
        _write(folder / OPEN_FILE, header, left)
    rows_of = int(counts["rows"].sum())
    rest = pd.DataFrame(left, columns=header)[["code", "description", "rows"]]
    return OffenseCounts(
        codes=len(counts),
        rows=rows_of,
        guessed_codes=len(mapped),
        guessed_rows=rows_of - int(rest["rows"].sum()),
        left=rest.rename(columns={"code": "offense_code"}),
    )


def _line(code: str, guess: Guess | None, text: str, rows: int) -> list[str | int]:
    if guess is None:
        return [code, "exact", "", "", "", "", "", "", text, rows]
    return [
        code,
        "exact",
        guess.offense,
        guess.ucr_code,
        guess.nibrs_code,
        guess.against,
        guess.part,
        "yes" if guess.sex_offense else "no",
        text,
        rows,
    ]


def _write(path: Path, header: list[str], lines: list[list[str | int]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
