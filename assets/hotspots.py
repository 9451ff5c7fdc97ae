"""The hotspot layers of one department and week."""

from collections.abc import Iterator

import dagster as dg

from assets.declared import week_tables
from assets.house import House, progress, told_plainly
from assets.partitions import department_and_week
from assets.publishing import check_specs, publish_checked
from beatbook import version
from beatbook.department import load_department
from beatbook.hotspots.weekly import weekly_layers
from beatbook.store import load_table
from beatbook.tables import (
    HOTSPOTS,
    NEAR_REPEAT_ZONES,
    NEAR_REPEATS,
    PLACE_CONCENTRATION,
    REPEAT_PLACES,
    SPACE_TIME_CLUSTERS,
)

TABLES = (
    HOTSPOTS,
    NEAR_REPEATS,
    NEAR_REPEAT_ZONES,
    REPEAT_PLACES,
    PLACE_CONCENTRATION,
    SPACE_TIME_CLUSTERS,
)
SPECS = check_specs([table.name for table in TABLES])


@dg.multi_asset(
    specs=week_tables(TABLES),
    check_specs=SPECS,
)
@told_plainly
def hotspot_layers(
    context: dg.AssetExecutionContext, house: House
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Where offenses gather, repeat and return, on the department's fixed grid."""
    slug, week = department_and_week(context)
    home = house.home()
    department = load_department(slug, home)
    compstat = load_table("compstat", slug, week_ending=week, home=home)
    week_ending, as_of = (compstat[name].iloc[0].date() for name in ("week_ending", "as_of"))
    incidents = load_table("incidents", slug, home=home)
    layers = weekly_layers(incidents, department, week_ending, as_of, progress(context))
    yield from publish_checked(
        context,
        home,
        slug,
        layers._asdict(),
        {
            **compstat.attrs["provenance"],
            "code_version": version.code_version(),
            "run_id": context.run.run_id,
        },
        partition=week,
        specs=SPECS,
    )
    for name, frame in layers._asdict().items():
        yield dg.MaterializeResult(asset_key=name, metadata={"rows": len(frame)})
