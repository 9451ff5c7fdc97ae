"""The CompStat table of one department and week."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg

from assets.declared import table_metadata
from assets.house import House, told_plainly
from assets.partitions import by_department_and_week, department_and_week
from assets.publishing import check_specs, publish_checked
from beatbook import version
from beatbook.compstat.coverage import asked_as_of, book_dates
from beatbook.compstat.table import compstat_table
from beatbook.department import load_department
from beatbook.store import load_table
from beatbook.tables import COMPSTAT

GROUP = "books"
BACKFILL_TAG = "dagster/backfill"
"""What Dagster marks every run of a backfill with."""
SPECS = check_specs([COMPSTAT.name])


class BookConfig(dg.Config):
    """As of which day a book is made."""

    as_of: str = ""
    """ISO date; only what was known by then is used. ``then``: the day that a book of the week
    would have been as of at its own time; ``all``: all that the feed holds. Empty: ``then`` in a
    backfill, which makes past weeks, else ``all``."""


@dg.asset(
    partitions_def=by_department_and_week,
    group_name=GROUP,
    kinds={"parquet"},
    deps=["incidents", "weekly_counts"],
    metadata=table_metadata(COMPSTAT),
    check_specs=SPECS,
)
@told_plainly
def compstat(
    context: dg.AssetExecutionContext, config: BookConfig, house: House
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Counts and changes of one week's windows, for the city and its parts, each with its test."""
    slug, week = department_and_week(context)
    home = house.home()
    department = load_department(slug, home)
    incidents = load_table("incidents", slug, home=home)
    asked = config.as_of or ("then" if BACKFILL_TAG in context.run.tags else "all")
    last_day = dt.date.fromisoformat(week)
    as_of = asked_as_of(asked, incidents["known_on"], department, last_day)
    dates = book_dates(incidents["known_on"], department, last_day, as_of)
    table = compstat_table(incidents, department, dates.week_ending, dates.as_of)
    yield from publish_checked(
        context,
        home,
        slug,
        {COMPSTAT.name: table},
        {
            **incidents.attrs["provenance"],
            "code_version": version.code_version(),
            "run_id": context.run.run_id,
            "as_of": dates.as_of.isoformat(),
        },
        partition=week,
        specs=SPECS,
    )
    context.log.info(f"Worked out the CompStat table, as of {dates.as_of}")
    yield dg.MaterializeResult(metadata={"rows": len(table), "as_of": dates.as_of.isoformat()})
