"""The CompStat table and the book of one department and week."""

import datetime as dt
import os

import dagster as dg

from assets.hotspots import TABLES as LAYERS
from assets.house import House, told_plainly
from assets.incidents import table_metadata
from assets.partitions import by_department_and_week, department_and_week
from assets.rendering import write_book
from beatbook import version
from beatbook.compstat.coverage import book_dates
from beatbook.compstat.table import compstat_table
from beatbook.department import load_department
from beatbook.store import Store, load_table
from beatbook.tables import COMPSTAT

GROUP = "books"


class BookConfig(dg.Config):
    """As of which day a book is made."""

    as_of: str = ""
    """ISO date; only what was known by then is used. Empty: all that the feed holds."""


@dg.asset(
    partitions_def=by_department_and_week,
    group_name=GROUP,
    kinds={"parquet"},
    deps=["incidents", "weekly_counts"],
    metadata=table_metadata(COMPSTAT),
)
@told_plainly
def compstat(
    context: dg.AssetExecutionContext, config: BookConfig, house: House
) -> dg.MaterializeResult:
    """Counts and changes of one week's windows, for the city and its parts, each with its test."""
    slug, week = department_and_week(context)
    home = house.home()
    department = load_department(slug, home)
    incidents = load_table("incidents", slug, home=home)
    as_of = dt.date.fromisoformat(config.as_of) if config.as_of else None
    dates = book_dates(incidents["known_on"], department, dt.date.fromisoformat(week), as_of)
    table = compstat_table(incidents, department, dates.week_ending, dates.as_of)
    Store(slug, home).publish(
        {"compstat": table},
        {
            **incidents.attrs["provenance"],
            "code_version": version.code_version(),
            "run_id": context.run.run_id,
            "as_of": dates.as_of.isoformat(),
        },
        partition=week,
    )
    context.log.info(f"Worked out the CompStat table, as of {dates.as_of}")
    return dg.MaterializeResult(metadata={"rows": len(table), "as_of": dates.as_of.isoformat()})


@dg.asset(
    partitions_def=by_department_and_week,
    group_name=GROUP,
    kinds={"jupyter"},
    deps=[compstat, *(table.name for table in LAYERS)],
)
@told_plainly
def compstat_book(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """The week's book as people read it: HTML page, PDF, and the table as CSV."""
    slug, week = department_and_week(context)
    context.log.info("Writing the book")
    made = write_book(slug, week, house.home())
    for path in made:
        context.log.info(f"Made {os.path.relpath(path, house.home().root)}")
    return dg.MaterializeResult(
        metadata={path.suffix[1:]: dg.MetadataValue.path(str(path)) for path in made}
    )
