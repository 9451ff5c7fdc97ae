"""Reports that analysts promoted: every notebook in ``notebooks/reports/``, each week."""

import json
import os
from functools import partial
from pathlib import Path

import dagster as dg

from assets.books import GROUP
from assets.hotspots import TABLES as LAYERS
from assets.house import House, progress, told_plainly
from assets.kernels import NotebookKernel, Task, side_by_side
from assets.partitions import by_department_and_week, department_and_week
from assets.rendering import write_notebook_book
from beatbook.department import load_department
from beatbook.home import Home
from beatbook.store import load_table

FOLDER = "reports"
"""Below ``notebooks/``."""

AT_ONCE = 2


@dg.asset(
    partitions_def=by_department_and_week,
    group_name=GROUP,
    kinds={"jupyter"},
    deps=["compstat", *(table.name for table in LAYERS)],
)
@told_plainly
def promoted_reports(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """The week's extra reports: a page and a PDF of each notebook in notebooks/reports/."""
    slug, week = department_and_week(context)
    home = house.home()
    say = progress(context)
    tasks = report_tasks(slug, week, home)
    outcomes = []
    for outcome in side_by_side(tasks, home, AT_ONCE):
        outcomes.append(outcome)
        say(f"{outcome.name}: {'failed' if outcome.error else 'made'}")
    made = [path for outcome in outcomes for path in outcome.made]
    files = [Path(os.path.relpath(path, home.root)).as_posix() for path in made]
    metadata = {"files": dg.MetadataValue.json(sorted(files))}
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        told = " ".join(f"{outcome.name}: {outcome.error}" for outcome in failed)
        raise dg.Failure(
            description=f"{len(failed)} of {len(outcomes)} promoted reports failed, the others "
            f"are delivered. {told}",
            metadata=metadata,
            allow_retries=False,
        )
    return dg.MaterializeResult(metadata=metadata)


def promoted_notebooks(home: Home, department: str) -> list[Path]:
    """List the promoted notebooks that are for a department, by name.

    A notebook whose metadata name departments (``beatbook.departments``) is for those only.
    """
    return [
        path
        for path in sorted((home.notebooks / FOLDER).glob("*.ipynb"))
        if department in (meant_for(path) or [department])
    ]


def meant_for(notebook: Path) -> list[str]:
    """The departments that a promoted notebook is for; none named means all."""
    metadata = json.loads(notebook.read_text(encoding="utf-8")).get("metadata", {})
    return list(metadata.get("beatbook", {}).get("departments", []))


def report_tasks(department: str, week_ending: str, home: Home) -> list[Task]:
    """List the promoted reports of a week whose tables are published, ready to be made.

    Parameters
    ----------
    department, week_ending, home
        Whose, which week, in which checkout.

    Returns
    -------
    list of Task
        One a notebook: ``reports/<department>/<week-ending>/<name>.html`` and ``.pdf``.
    """
    folder = home.reports / department / week_ending
    return [
        Task(
            f"report {path.stem}",
            partial(write_report, path.stem, department, week_ending, home, folder),
        )
        for path in promoted_notebooks(home, department)
    ]


def write_report(
    name: str,
    department: str,
    week_ending: str,
    home: Home,
    folder: Path,
    kernel: NotebookKernel | None = None,
) -> list[Path]:
    """Write the page and the PDF of one promoted notebook into a folder.

    It is given the day that the week's CompStat table is as of, so that it and the book agree.

    Raises
    ------
    BookError
        If the notebook fails or saves no book; the message names the cell.
    MissingTable
        If the week has not been built.
    """
    table = load_table(
        "compstat", department, week_ending=week_ending, columns=["as_of"], home=home
    )
    return write_notebook_book(
        f"{FOLDER}/{name}.ipynb",
        {
            "department": department,
            "week_ending": week_ending,
            "as_of": str(table["as_of"].iloc[0].date()),
        },
        folder,
        name,
        home,
        load_department(department, home).book.paper,
        kernel,
    )
