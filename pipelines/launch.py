"""Run the real jobs from the command line, so that every run shows in Dagster's UI."""

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from beatbook.compstat.coverage import book_dates
from beatbook.department import load_department
from beatbook.errors import BeatbookError, BookError
from beatbook.files import write_atomically
from beatbook.home import HOME_VARIABLE, Home
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
    """Refresh a department's tables and make one week's book.

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
        The files of the book.

    Raises
    ------
    BeatbookError
        With the sentence for the person, if anything in feed, settings or request is amiss. The
        last published tables and the last book stay.
    """
    settings = load_department(department, home)
    if week_ending is not None:
        _refuse_before_reading(week_ending, as_of)
    os.environ[HOME_VARIABLE] = str(home.root)
    prepare_dagster_home(home)
    import dagster as dg

    from assets.partitions import WEEK_ENDING, book_partition
    from pipelines.definitions import build_definitions

    definitions = build_definitions(str(home.root))
    with dg.DagsterInstance.get() as instance:
        run_job(definitions, "refresh", instance, department)
        known_on = load_table("incidents", department, columns=["known_on"], home=home)["known_on"]
        dates = book_dates(known_on, settings, week_ending, as_of)
        week = dates.week_ending.isoformat()
        instance.add_dynamic_partitions(WEEK_ENDING, [week])
        config = {"ops": {"compstat": {"config": {"as_of": dates.as_of.isoformat()}}}}
        run_job(definitions, "make_book", instance, book_partition(department, week), config)
    folder = home.reports / department / week
    return [folder / f"compstat.{suffix}" for suffix in ("html", "pdf", "csv")]


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
) -> None:
    """Run one job here and now; raise what a person should read if it fails."""
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition,
        run_config={"loggers": {"console": {}}, **(config or {})},
        raise_on_error=False,
    )
    if result.success:
        return
    held = [
        check.check_name
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.blocking
    ]
    if held:
        raise BeatbookError(
            f"Nothing was published: the checks {', '.join(held)} failed. The last good tables "
            "stay. See which records failed in Dagster's UI (make ui): Assets, incidents_staged, "
            "Checks."
        )
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            failure = event.step_failure_data
            # A person's mistake was told as a Failure; anything else is a fault of ours.
            plain = failure.user_failure_data and failure.user_failure_data.description
            raise BeatbookError(
                plain
                or f"The step {event.step_key} broke, which is a fault of Beatbook. "
                f"Please report it with this:\n{failure.error.to_string()}"
            )
    raise BeatbookError(f"The job {job} did not finish; see Dagster's UI (make ui).")
