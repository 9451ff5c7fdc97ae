"""The forecasts of one department and week, and the ledger that holds them to what came."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets.declared import week_tables
from assets.house import House, progress, told_plainly
from assets.partitions import department_and_week
from assets.publishing import check_specs, publish_checked
from beatbook import version
from beatbook.department import load_department
from beatbook.forecasts.weekly import keep_entries, weekly_forecasts
from beatbook.store import Store, load_table
from beatbook.tables import (
    FORECAST_SCORECARD,
    FORECAST_SCORES,
    FORECASTS,
    NOWCASTS,
    PLACE_CALIBRATION,
    PLACE_FORECASTS,
)

TABLES = (FORECASTS, NOWCASTS, PLACE_FORECASTS, PLACE_CALIBRATION, FORECAST_SCORECARD)
LEDGER = FORECAST_SCORES
SPECS = check_specs([table.name for table in (*TABLES, LEDGER)])


@dg.multi_asset(
    # The ledger is one table of all weeks; each week's run adds to it and scores what is due.
    specs=week_tables((*TABLES, LEDGER)),
    check_specs=SPECS,
)
@told_plainly
def weekly_forecast_tables(
    context: dg.AssetExecutionContext, house: House
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """How many and where in the coming weeks, and how past forecasts did."""
    slug, week = department_and_week(context)
    home = house.home()
    department = load_department(slug, home)
    compstat = load_table("compstat", slug, week_ending=week, home=home)
    week_ending, as_of = (compstat[name].iloc[0].date() for name in ("week_ending", "as_of"))
    incidents = load_table("incidents", slug, home=home)
    made = weekly_forecasts(
        incidents,
        department,
        week_ending,
        as_of,
        progress(context),
        ledger=Store(slug, home).held(LEDGER.name),
    )

    def kept(ledger: pd.DataFrame | None) -> pd.DataFrame:
        return keep_entries(ledger, made.entries, incidents, department, as_of)

    tables = made.tables()
    yield from publish_checked(
        context,
        home,
        slug,
        tables,
        {
            **compstat.attrs["provenance"],
            "code_version": version.code_version(),
            "run_id": context.run.run_id,
        },
        partition=week,
        specs=SPECS,
        changes={LEDGER.name: kept},
    )
    for name, frame in {**tables, LEDGER.name: made.entries}.items():
        yield dg.MaterializeResult(asset_key=name, metadata={"rows": len(frame)})
