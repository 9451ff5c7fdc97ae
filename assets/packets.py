"""What people read of a week: the city's book and the precincts' packets, a notebook each.

They are made in one step, so that the packets are under way while the book is: a step that waits
for one kernel leaves half of a two-core machine idle.
"""

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import dagster as dg

from assets.books import GROUP
from assets.forecasts import LEDGER
from assets.forecasts import TABLES as FORECASTS
from assets.hotspots import TABLES as LAYERS
from assets.house import House, progress, told_plainly
from assets.kernels import NotebookKernel, Outcome, Task, side_by_side
from assets.partitions import by_department_and_week, department_and_week
from assets.rendering import write_book, write_notebook_book
from beatbook.book.packet_names import packet_names
from beatbook.compstat.counts import precincts_in_force
from beatbook.department import load_department
from beatbook.home import Home
from beatbook.store import load_table

AT_ONCE = 2
"""Notebooks run side by side: what two cores and two gigabytes bear."""

BOOK = "compstat_book"
PACKETS = "precinct_packets"
READ = ("compstat", *(table.name for table in (*LAYERS, *FORECASTS, LEDGER)))
"""The tables that the notebooks read; both follow the same ones."""


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            name,
            group_name=GROUP,
            description=description,
            kinds={"jupyter"},
            deps=list(READ),
            partitions_def=by_department_and_week,
        )
        for name, description in {
            BOOK: "The week's book as people read it: HTML page, PDF, and the table as CSV.",
            PACKETS: "The week's packet of each precinct: HTML page and PDF.",
        }.items()
    ],
    can_subset=True,
)
@told_plainly
def week_in_print(
    context: dg.AssetExecutionContext, house: House
) -> Iterator[dg.MaterializeResult]:
    """The week's book and its packets; what fails is named, and the rest is delivered."""
    slug, week = department_and_week(context)
    home = house.home()
    wanted = {key.to_user_string() for key in context.selected_asset_keys}
    tasks = [_book(slug, week, home)] if BOOK in wanted else []
    if PACKETS in wanted:
        tasks += packet_tasks(slug, week, home)
    outcomes = _told(tasks, home, progress(context))
    book = [outcome for outcome in outcomes if outcome.name == BOOK]
    packets = [outcome for outcome in outcomes if outcome.name != BOOK]
    for key, part in ((BOOK, book), (PACKETS, packets)):
        if key in wanted and not any(outcome.error for outcome in part):
            yield dg.MaterializeResult(asset_key=key, metadata=_files(part, home))
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        told = " ".join(f"{outcome.name}: {outcome.error}" for outcome in failed)
        count = f"{len(failed)} of {len(outcomes)} failed, the others are delivered."
        raise dg.Failure(
            description=f"{count} {told}",
            metadata=_files(outcomes, home),
            allow_retries=False,
        )


def packet_tasks(
    department: str, week_ending: str, home: Home, precincts: Sequence[str] | None = None
) -> list[Task]:
    """List the packets of a week whose tables are published, ready to be made.

    Parameters
    ----------
    department, week_ending, home
        Whose, which week, in which checkout.
    precincts
        Only these; by default all that are in force in the week.

    Returns
    -------
    list of Task
        One a precinct: ``reports/<department>/<week-ending>/packets/<precinct>.html`` and
        ``.pdf``. The names of the files are those of
        :func:`beatbook.book.packet_names.packet_names`.
    """
    settings = load_department(department, home)
    table = load_table(
        "compstat", department, week_ending=week_ending, columns=["as_of"], home=home
    )
    codes = precincts_in_force(settings, dt.date.fromisoformat(week_ending))
    names = packet_names(codes)
    folder = home.reports / department / week_ending / "packets"

    def make(code: str, kernel: NotebookKernel) -> list[Path]:
        parameters = {
            "department": department,
            "week_ending": week_ending,
            "precinct": code,
            "as_of": str(table["as_of"].iloc[0].date()),
        }
        return write_notebook_book(
            "precinct_packet.ipynb",
            parameters,
            folder,
            names[code],
            home,
            settings.book.paper,
            kernel,
        )

    label = settings.areas.precinct.label
    return [
        Task(f"packet of {label} {code}", partial(make, code))
        for code in codes
        if precincts is None or code in precincts
    ]


def _book(department: str, week_ending: str, home: Home) -> Task:
    return Task(BOOK, partial(write_book, department, week_ending, home))


def _told(tasks: Sequence[Task], home: Home, say: Callable[[str], None]) -> list[Outcome]:
    """Do the tasks, tell of each as it is done, and give the outcomes in the tasks' order."""
    say(f"Writing {len(tasks)} notebooks")
    done: dict[str, Outcome] = {}
    for outcome in side_by_side(tasks, home, AT_ONCE):
        done[outcome.name] = outcome
        came = "failed" if outcome.error else "made"
        say(f"{outcome.name}: {came} ({len(done)} of {len(tasks)})")
    return [done[task.name] for task in tasks]


def _files(outcomes: Sequence[Outcome], home: Home) -> dict[str, dg.MetadataValue]:
    made = [path for outcome in outcomes for path in outcome.made]
    names = [Path(os.path.relpath(path, home.root)).as_posix() for path in made]
    return {"files": dg.MetadataValue.json(names)}
