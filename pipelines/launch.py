"""Run the real jobs from the command line, so that every run shows in Dagster's UI."""

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from beatbook.compstat.coverage import BookDates, asked_as_of, book_dates
from beatbook.compstat.windows import week_ending_on_or_before
from beatbook.department import Department, load_department
from beatbook.errors import BeatbookError, BookError
from beatbook.files import write_atomically
from beatbook.home import HOME_VARIABLE, Home, find_home
from beatbook.store import load_table

DAGSTER_HOME = "DAGSTER_HOME"


def prepare_dagster_home(home: Home) -> Path:
    """Set up Dagster's own folder: SQLite, no telemetry; a ``DAGSTER_HOME`` that is set is kept.

    Returns
    -------
    Path
        The folder, which ``DAGSTER_HOME`` now names.
    """
    folder = Path(os.environ.get(DAGSTER_HOME) or home.root / ".dagster")
    settings = folder / "dagster.yaml"
    if not settings.is_file():
        write_atomically(settings, yaml.safe_dump({"telemetry": {"enabled": False}}).encode())
    os.environ[DAGSTER_HOME] = str(folder)
    return folder


def report(
    home: Home,
    department: str,
    week_ending: dt.date | None = None,
    as_of: dt.date | None = None,
) -> list[Path]:
    """Refresh a department's tables and make everything of one week.

    Parameters
    ----------
    home
        The checkout.
    department
        Its short name.
    week_ending
        Last day of the week; the last one that the feed covers if not given.
    as_of
        Only what was known by then; all that the feed holds if not given.

    Returns
    -------
    list of Path
        What people open, see :func:`files_of_week`.

    Raises
    ------
    BeatbookError
        With the sentence for the person, if anything in feed, settings or request is amiss. The
        last published tables and the last book stay.
    """
    settings = load_department(department, home)
    if week_ending is not None:
        _refuse_before_reading(week_ending, as_of)
    with _dagster(home) as (definitions, instance):
        run_job(definitions, "refresh", instance, department, home=home)
        dates = book_dates(_known_on(settings, home), settings, week_ending, as_of)
        return _make_week(definitions, instance, home, department, dates)


class Backfilled(NamedTuple):
    """What a backfill made, and why it did not make the rest."""

    made: dict[dt.date, list[Path]]
    failed: dict[dt.date, str]


def backfill(
    home: Home,
    department: str,
    first: dt.date,
    last: dt.date,
    say: Callable[[str], None],
    *,
    as_of_then: bool = True,
) -> Backfilled:
    """Refresh once, then make each week that ends between two days, oldest first.

    Parameters
    ----------
    home
        The checkout.
    department
        Its short name.
    first, last
        Weeks ending from the one to the other, both included.
    say
        Told how far it is.
    as_of_then
        Each week as of its own time (:func:`beatbook.compstat.coverage.as_of_then`), as a book
        made that week would have been; else as of all that the feed holds today.

    Returns
    -------
    Backfilled
        A week that fails is named with its reason, and the rest are made.

    Raises
    ------
    BeatbookError
        If no week can be made at all: no week ends between the days, or the refresh failed.
    """
    settings = load_department(department, home)
    weeks = weeks_between(settings.week_start, first, last)
    made: dict[dt.date, list[Path]] = {}
    failed: dict[dt.date, str] = {}
    with _dagster(home) as (definitions, instance):
        run_job(definitions, "refresh", instance, department, home=home)
        known_on = _known_on(settings, home)
        for number, week in enumerate(weeks, start=1):
            say(f"Week {number} of {len(weeks)}: {week}")
            try:
                asked = asked_as_of("then" if as_of_then else "all", known_on, settings, week)
                dates = book_dates(known_on, settings, week, asked)
                made[week] = _make_week(definitions, instance, home, department, dates)
            except BeatbookError as error:
                failed[week] = str(error)
                say(f"The week ending {week} was not made: {error}")
    return Backfilled(made, failed)


def weeks_between(week_start: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """The last days of the weeks that end from one day to another, both included.

    Raises
    ------
    BookError
        If there is none, or the last lies in the future; the message says what to ask for.
    """
    if last > dt.date.today():
        raise BookError(f"{last} lies in the future. Ask for weeks that have ended.")
    end = week_ending_on_or_before(last, week_start)
    weeks = []
    while end >= first:
        weeks.append(end)
        end -= dt.timedelta(days=7)
    if not weeks:
        raise BookError(
            f"No week ends from {first} to {last}; the last before ends on {end}. "
            "Give --from and --to as days, the earlier first."
        )
    return weeks[::-1]


@contextmanager
def _dagster(home: Home) -> Iterator[tuple[Any, Any]]:
    """The definitions of a checkout and Dagster's instance, loaded when first needed."""
    os.environ[HOME_VARIABLE] = str(home.root)
    prepare_dagster_home(home)
    import dagster as dg

    from pipelines.definitions import build_definitions

    with dg.DagsterInstance.get() as instance:
        yield build_definitions(str(home.root)), instance


def _known_on(department: Department, home: Home) -> pd.Series:
    return load_table("incidents", department.slug, columns=["known_on"], home=home)["known_on"]


def _make_week(
    definitions: Any, instance: Any, home: Home, department: str, dates: BookDates
) -> list[Path]:
    from assets.partitions import WEEK_ENDING, book_partition

    week = dates.week_ending.isoformat()
    instance.add_dynamic_partitions(WEEK_ENDING, [week])
    config = {"ops": {"compstat": {"config": {"as_of": dates.as_of.isoformat()}}}}
    partition = book_partition(department, week)
    run_job(definitions, "make_book", instance, partition, config, home=home)
    return files_of_week(home, department, week)


def files_of_week(home: Home, department: str, week: str) -> list[Path]:
    """What people open of a week: book, packets, promoted reports, layers; then the shelf."""
    folder = home.reports / department / week
    book = [folder / f"compstat.{suffix}" for suffix in ("html", "pdf", "csv")]
    others = sorted(
        path
        for place in (folder, folder / "packets")
        for path in place.glob("*")
        if path.suffix in (".html", ".pdf") and path not in book
    )
    layers = sorted(path for path in (folder / "layers").glob("*") if path.is_file())
    return [*book, *others, *layers, home.reports / "index.html"]


def _refuse_before_reading(week_ending: dt.date, as_of: dt.date | None) -> None:
    """Refuse what no feed can answer, before minutes are spent on reading one."""
    if week_ending > dt.date.today():
        raise BookError(
            f"The week ending {week_ending} lies in the future. Ask for a week that has ended."
        )
    if as_of is not None and as_of < week_ending:
        raise BookError(
            f"As of {as_of} the week ending {week_ending} had not ended. "
            "Ask for an as-of day on or after the week's last day."
        )


def run_job(
    definitions: Any,
    job: str,
    instance: Any,
    partition: str,
    config: Mapping[str, Any] | None = None,
    *,
    home: Home | None = None,
) -> None:
    """Run one job here and now, tell whom the settings name, and raise if it failed.

    Parameters
    ----------
    definitions, instance
        Dagster's.
    job
        Its name.
    partition
        Of which department, or department and week.
    config
        Run configuration.
    home
        The checkout; found from the current folder if not given.

    Raises
    ------
    BeatbookError
        What a person should read of the failure. The alert has gone out by then and the shelf
        shows that the book is held; an alert that did not go out is told on stderr.
    """
    from pipelines.alerts import alert_of_run
    from pipelines.watching import rewrite_shelf

    home = home or find_home()
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition,
        run_config={"loggers": {"console": {}}, **(config or {})},
        raise_on_error=False,
    )
    if not result.success:
        rewrite_shelf(home, _warn)
    alert_of_run(instance, result.dagster_run, home, _warn, failed=not result.success)
    if not result.success:
        raise BeatbookError(_why_it_failed(job, result, str(partition).partition("|")[0]))


def _warn(message: str) -> None:
    print(f"beatbook: {message}", file=sys.stderr)


def _why_it_failed(job: str, result: Any, department: str) -> str:
    held = [
        check.check_name
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.blocking and check.severity.value == "ERROR"
    ]
    if held:
        return (
            f"Nothing was published: the checks {', '.join(held)} failed. The last good tables "
            f"and book stay. reports/{department}/quality/index.html lists the records and says "
            f"what to do; beatbook quality --department {department} writes it again."
        )
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            failure = event.step_failure_data
            # A person's mistake was told as a Failure; anything else is a fault of ours.
            plain = failure.user_failure_data and failure.user_failure_data.description
            return str(
                plain
                or f"The step {event.step_key} broke, which is a fault of Beatbook. "
                f"Please report it with this:\n{failure.error.to_string()}"
            )
    return f"The job {job} did not finish; see Dagster's UI (make ui)."
