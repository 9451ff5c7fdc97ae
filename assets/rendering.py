"""Run a book's notebook and write what people open: HTML page, PDF, CSV.

Everything is made in a folder of its own and moved into place at the end, so that a book that
fails leaves the last good one where it was.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from beatbook.book import Book
from beatbook.department import load_department
from beatbook.errors import BookError
from beatbook.home import HOME_VARIABLE, Home
from beatbook.store import load_table

CSV_COLUMNS = [
    "department",
    "week_ending",
    "as_of",
    "geography_type",
    "geography",
    "offense",
    "window",
    "comparison",
    "current_start",
    "current_end",
    "prior_start",
    "prior_end",
    "current",
    "prior",
    "percent_change",
    "p_value",
    "q_value",
]


def write_book(department: str, week_ending: str, home: Home) -> list[Path]:
    """Write the book of a week whose ``compstat`` table is published.

    Returns
    -------
    list of Path
        ``reports/<department>/<week-ending>/compstat.html``, ``.pdf`` and ``.csv``.

    Raises
    ------
    BookError
        If the notebook fails; the message names the cell and what it said.
    """
    from beatbook.book.page import render_page
    from beatbook.book.pdf import render_pdf

    folder = home.reports / department / week_ending
    folder.mkdir(parents=True, exist_ok=True)
    table = load_table("compstat", department, week_ending=week_ending, home=home)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=home.reports / department) as name:
        making = Path(name)
        content = making / "book.json"
        executed = run_notebook(
            "compstat.ipynb",
            making,
            {
                "department": department,
                "week_ending": week_ending,
                "as_of": str(table["as_of"].iloc[0].date()),
                "book_file": str(content),
            },
            home,
        )
        book = Book.load(content)
        render_page(executed, book, making / "compstat.html")
        paper = load_department(department, home).book.paper
        render_pdf(book, making / "compstat.pdf", paper=paper)
        write_csv(table, making / "compstat.csv")
        made = []
        for suffix in ("html", "pdf", "csv"):
            target = folder / f"compstat.{suffix}"
            os.replace(making / target.name, target)
            made.append(target)
    return made


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a compstat table as CSV: ISO dates, empty where undefined or not covered."""
    table[CSV_COLUMNS].to_csv(
        path, index=False, date_format="%Y-%m-%d", float_format="%.6g", lineterminator="\n"
    )


def run_notebook(name: str, folder: Path, parameters: dict[str, str], home: Home) -> Path:
    """Execute a parameterized notebook with papermill, and give the executed copy.

    Raises
    ------
    BookError
        If a cell fails; the message names the notebook, the cell and what it said.
    """
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    import papermill
    from papermill.exceptions import PapermillExecutionError

    executed = folder / name
    with _at_home(home):
        try:
            papermill.execute_notebook(
                str(home.notebooks / name),
                str(executed),
                parameters=parameters,
                kernel_name="python3",
                cwd=str(home.notebooks),
                progress_bar=False,
                log_output=False,
                # The kernel warns that its loopback connection is not encrypted; it is loopback.
                extra_arguments=["--log-level=ERROR"],
            )
        except PapermillExecutionError as error:
            kept = home.reports / f"failed-{name}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(executed, kept)
            raise BookError(
                f"notebooks/{name} failed in cell {error.cell_index}: {error.ename}: "
                f"{error.evalue}. The notebook as far as it ran is reports/{kept.name}."
            ) from None
    return executed


@contextmanager
def _at_home(home: Home) -> Iterator[None]:
    """Let the notebook's kernel find the same checkout."""
    before = os.environ.get(HOME_VARIABLE)
    os.environ[HOME_VARIABLE] = str(home.root)
    try:
        yield
    finally:
        if before is None:
            del os.environ[HOME_VARIABLE]
        else:
            os.environ[HOME_VARIABLE] = before
