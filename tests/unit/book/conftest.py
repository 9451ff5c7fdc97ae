"""A small book and the frames that fill it, all made up."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from beatbook.book import (
    Book,
    Callout,
    Chart,
    ChartGrid,
    Heading,
    Map,
    Table,
    Text,
    TitleBlock,
)

HOSTILE = "<script>alert('x')</script> & #strong[x] $x^2$ *b* _i_ @ref \\n `c` [l](u) {{ j }}"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40pt" height="20pt" viewBox="0 0 40 20">'
    '<path d="M0 0L40 20" stroke="#000"/></svg>'
)
OFFENSES = ("Robbery", "Burglary", "Total Violent", "Total Part I")
DATES = {
    ("week", "prior_period"): ("2024-03-04", "2024-03-10", "2024-02-26", "2024-03-03"),
    ("week", "prior_year"): ("2024-03-04", "2024-03-10", "2023-03-06", "2023-03-12"),
    ("28_days", "prior_period"): ("2024-02-12", "2024-03-10", "2024-01-15", "2024-02-11"),
    ("28_days", "prior_year"): ("2024-02-12", "2024-03-10", "2023-02-13", "2023-03-12"),
    ("year_to_date", "prior_year"): ("2024-01-01", "2024-03-10", "2023-01-01", "2023-03-10"),
}


@pytest.fixture
def hostile() -> str:
    """A text that would break out of HTML, typst, markdown and jinja."""
    return HOSTILE


@pytest.fixture
def empty_book() -> Book:
    """A book without a block."""
    return bare()


@pytest.fixture
def compstat() -> pd.DataFrame:
    """Two geographies; every current 1,200 and prior 1,000 until a test says otherwise."""
    rows = []
    for geography in ("3", "Unknown"):
        for offense in OFFENSES:
            for (window, comparison), dates in DATES.items():
                names = ("current_start", "current_end", "prior_start", "prior_end")
                rows.append(
                    {
                        "geography": geography,
                        "offense": offense,
                        "window": window,
                        "comparison": comparison,
                        **dict(zip(names, map(pd.Timestamp, dates), strict=True)),
                        "current": 1200,
                        "prior": 1000,
                        "percent_change": 20.0,
                        "q_value": 0.5,
                        "note": "",
                    }
                )
    frame = pd.DataFrame(rows)
    return frame.astype({"current": "Int64", "prior": "Int64", "note": "string"})


@pytest.fixture
def weeks() -> pd.DataFrame:
    """Twenty flat weeks of 10, of which the 15th is 30 and the 18th 0; history from week 4 on."""
    incidents = np.full(20, 10.0)
    incidents[14], incidents[17] = 30, 0
    frame = pd.DataFrame(
        {
            "week": pd.date_range("2024-01-01", periods=20, freq="7D"),
            "incidents": pd.array(incidents, dtype="Int64"),
            "mean": 10.0,
            "low": 4.0,
            "high": 17.0,
            "outside": False,
        }
    )
    frame.loc[:3, ["mean", "low", "high"]] = np.nan
    frame.loc[[14, 17], "outside"] = True
    return frame


def filled(book: Book) -> Book:
    """Add one block of each kind, with a text meant to break out of either rendering."""
    book.add(TitleBlock())
    book.add(Callout("caveat", f"Late {HOSTILE}", ["one", HOSTILE]))
    book.add(Heading(f"Citywide {HOSTILE}"))
    book.add(Text(f"First {HOSTILE}.\n\nSecond."))
    book.add(
        Table(
            f"Table {HOSTILE}",
            ["Offense", "This", "Change"],
            [["Robbery", "1,234", "▲ +12.3 %"], [HOSTILE, "5", "n/c"]],
            notes=[f"Legend {HOSTILE}"],
        )
    )
    book.add(Heading("Weeks", level=3))
    book.add(ChartGrid([Chart(SVG, f"Alt {HOSTILE}", "Arson", key="Key.")] * 2))
    book.add(Chart(SVG, "A line that falls", "Burglary"))
    book.add(Map("<!DOCTYPE html><p>frame</p>", SVG, "A map", "Where", "None left out."))
    return book


def bare() -> Book:
    return Book(
        title="CompStat",
        department_name="Example & Sons Police",
        week_ending=dt.date(2024, 3, 10),
        as_of=dt.date(2024, 3, 14),
        provenance={"Feed sha256": "ab" * 32, "Code version": "1.2.3"},
        precinct_label="District",
    )


@pytest.fixture
def book() -> Book:
    return filled(bare())


@pytest.fixture
def notebook(tmp_path: Path, book: Book) -> Path:
    """An executed notebook that displayed the book, with code and noise that must not be shown."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    def shown(*blocks):
        return [
            new_output("display_data", data={"text/html": block._repr_html_()}) for block in blocks
        ]

    noise = new_output("stream", name="stderr", text="a warning with secret words")
    blocks = book.blocks
    cells = [
        new_code_cell("secret_code = 1", outputs=[noise, *shown(*blocks[:2], blocks[1])]),
        new_markdown_cell("# Method\n\nSome *words* <script>markdown()</script>"),
        # Blocks 2 and 3 are displayed by no cell.
        new_code_cell("more_code()", outputs=shown(*blocks[4:])),
    ]
    path = tmp_path / "executed.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path
