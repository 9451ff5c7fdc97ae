"""Run a book's notebook and write what people open: HTML page, PDF, CSV.

What a notebook makes is made in a folder of its own and moved into place at the end, so that a
book that fails leaves the last good one where it was.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pandas as pd

from assets.kernels import NotebookKernel
from beatbook.book import Book
from beatbook.department import load_department
from beatbook.errors import BookError
from beatbook.files import write_atomically
from beatbook.home import Home
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


def write_book(
    department: str, week_ending: str, home: Home, kernel: NotebookKernel | None = None
) -> list[Path]:
    """Write the book of a week whose ``compstat`` table is published.

    Parameters
    ----------
    department, week_ending, home
        Whose, which week, in which checkout.
    kernel
        A kernel that runs several notebooks in turn; one of its own if not given.

    Returns
    -------
    list of Path
        ``reports/<department>/<week-ending>/compstat.html``, ``.pdf`` and ``.csv``.

    Raises
    ------
    BookError
        If the notebook fails; the message names the cell and what it said.
    """
    table = load_table("compstat", department, week_ending=week_ending, home=home)
    folder = home.reports / department / week_ending
    made = write_notebook_book(
        "compstat.ipynb",
        {
            "department": department,
            "week_ending": week_ending,
            "as_of": str(table["as_of"].iloc[0].date()),
        },
        folder,
        "compstat",
        home,
        load_department(department, home).book.paper,
        kernel,
    )
    listing = folder / "compstat.csv"
    write_csv(table, listing)
    return [*made, listing]


def write_notebook_book(
    notebook: str,
    parameters: Mapping[str, str],
    folder: Path,
    name: str,
    home: Home,
    paper: Literal["us-letter", "a4"] = "us-letter",
    kernel: NotebookKernel | None = None,
) -> list[Path]:
    """Execute a parameterized notebook that saves a book, and write its page and its paper.

    Both are made in a folder of their own and moved into place at the end, so that a notebook
    that fails, or cannot be rendered, leaves the last good files where they were. The same
    tables and parameters give the same bytes.

    Parameters
    ----------
    notebook
        File name in ``notebooks/``. Its cell of parameters has a ``book_file``, and its last cell
        saves the book there: ``if book_file: book.save(book_file)``.
    parameters
        The notebook's other parameters.
    folder
        Where the two files go; made if it is not there.
    name
        Of the files, without suffix.
    home
        The checkout.
    paper
        Sheet of the PDF: the department's ``book.paper``.
    kernel
        A kernel that runs several notebooks in turn; one of its own if not given.

    Returns
    -------
    list of Path
        ``<folder>/<name>.html`` and ``<folder>/<name>.pdf``.

    Raises
    ------
    BookError
        If the notebook fails (the message names the cell and what it said), saves no book, or
        the book cannot be rendered.
    """
    from beatbook.book.page import render_page
    from beatbook.book.pdf import render_pdf

    home.reports.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=home.reports) as place:
        making = Path(place)
        content = making / "book.json"
        stem = Path(notebook).stem
        executed = run_notebook(
            notebook,
            making,
            {**parameters, "book_file": str(content)},
            home,
            kernel,
            kept_as=stem if stem == name else f"{stem}-{name}",
        )
        if not content.is_file():
            raise BookError(
                f"notebooks/{notebook} saved no book. End it with: "
                "if book_file: book.save(book_file)"
            )
        book = Book.load(content)
        made = [
            render_page(executed, book, making / f"{name}.html"),
            render_pdf(book, making / f"{name}.pdf", paper=paper),
        ]
        folder.mkdir(parents=True, exist_ok=True)
        for path in made:
            os.replace(path, folder / path.name)
    return [folder / path.name for path in made]


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a compstat table as CSV: ISO dates, empty where undefined or not covered."""
    text = table[CSV_COLUMNS].to_csv(
        index=False, date_format="%Y-%m-%d", float_format="%.6g", lineterminator="\n"
    )
    write_atomically(path, text.encode("utf-8"))


def run_notebook(
    name: str,
    folder: Path,
    parameters: Mapping[str, str],
    home: Home,
    kernel: NotebookKernel | None = None,
    kept_as: str = "",
) -> Path:
    """Execute a parameterized notebook with papermill, and give the executed copy.

    Safe to call from several threads at once: each call has a kernel of its own (or is given
    one), and nothing of this process is changed.

    Parameters
    ----------
    name
        File name in ``notebooks/``.
    folder
        Where the executed copy goes.
    parameters
        By name, as the notebook's cell of parameters has them.
    home
        The checkout that the notebook's kernel works in.
    kernel
        A kernel that runs several notebooks in turn; one of its own if not given.
    kept_as
        What a failed notebook is kept as: ``reports/failed-<kept_as>.ipynb``; the notebook's own
        name if not given.

    Raises
    ------
    BookError
        If a cell fails; the message names the notebook, the cell and what it said.
    """
    if kernel is None:
        with NotebookKernel(home) as own:
            return run_notebook(name, folder, parameters, home, own, kept_as)
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    executed = folder / Path(name).name
    try:
        papermill.execute_notebook(
            str(home.notebooks / name),
            str(executed),
            parameters=dict(parameters),
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
            km=kernel.ready(),
        )
    except PapermillExecutionError as error:
        kept = home.reports / f"failed-{kept_as or Path(name).stem}.ipynb"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(executed, kept)
        raise BookError(
            f"notebooks/{name} failed in cell {error.cell_index}: {error.ename}: "
            f"{error.evalue}. The notebook as far as it ran is reports/{kept.name}."
        ) from None
    except DeadKernelError:
        raise BookError(
            f"notebooks/{name} was ended by the system while it ran, most often for want of "
            "memory: close other programs and run it again."
        ) from None
    return executed
