"""From the feed to the published incidents: snapshot, stage, check, publish."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from assets.declared import table_metadata
from assets.house import House, progress, told_plainly
from assets.partitions import WEEK_ENDING, by_department
from beatbook import version
from beatbook.compstat.counts import daily_counts, weekly_counts
from beatbook.department import load_department
from beatbook.feed import Snapshot, take_snapshot
from beatbook.incidents import clean
from beatbook.quality.loop import decided, remember, remembered
from beatbook.store import Store, write_parquet
from beatbook.tables import (
    CORRECTIONS,
    FEED_FILES,
    INCIDENTS,
    REJECTED_INCIDENTS,
    WEEKLY_COUNTS,
)

GROUP = "incidents"


@dg.asset(partitions_def=by_department, group_name=GROUP, kinds={"file"})
@told_plainly
def feed(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """The department's feed as it lies there: every file hashed and matched to a layout."""
    home = house.home()
    department = load_department(context.partition_key, home)
    store = Store(department.slug, home)
    context.log.info(f"Reading the feed of {department.name}")
    snapshot = take_snapshot(department, store.folder / "text", progress(context))
    snapshot.save(store.folder / "snapshot.json")
    return dg.MaterializeResult(
        metadata={
            "files": len(snapshot.files),
            "rows": snapshot.rows,
            "feed_sha256": snapshot.sha256,
            "layouts": dg.MetadataValue.json(sorted({file.layout for file in snapshot.files})),
        },
        data_version=dg.DataVersion(snapshot.sha256),
    )


@dg.asset(
    partitions_def=by_department,
    group_name=GROUP,
    kinds={"duckdb"},
    deps=[feed],
    metadata=table_metadata(INCIDENTS),
)
@told_plainly
def incidents_staged(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """Cleaned records, not yet checked: nobody reads them before the blocking checks pass."""
    home = house.home()
    department = load_department(context.partition_key, home)
    store = Store(department.slug, home)
    snapshot = Snapshot.load(store.folder / "snapshot.json")
    made_with = decided(department)
    cleaned = clean(department, snapshot, store.staging, progress(context), made_with.corrections)
    remember(store, made_with)
    counts = weekly_counts(daily_counts(cleaned.incidents), department)
    write_parquet(WEEKLY_COUNTS.conform(counts), store.staging / "weekly_counts.parquet")
    context.log.info(
        f"Cleaned {cleaned.rows:,} rows: {cleaned.accepted:,} accepted, {cleaned.refused:,} refused"
    )
    return dg.MaterializeResult(
        metadata={"rows": cleaned.rows, "accepted": cleaned.accepted, "refused": cleaned.refused}
    )


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            table.name,
            group_name=GROUP,
            description=f"One row: {table.grain}.",
            metadata=table_metadata(table),
            kinds={"parquet"},
            deps=[incidents_staged],
            partitions_def=by_department,
        )
        for table in (INCIDENTS, REJECTED_INCIDENTS, FEED_FILES, WEEKLY_COUNTS, CORRECTIONS)
    ],
)
@told_plainly
def published_tables(
    context: dg.AssetExecutionContext, house: House
) -> Iterator[dg.MaterializeResult]:
    """Publish the staged tables together, all or none, once the blocking checks have passed."""
    home = house.home()
    department = load_department(context.partition_key, home)
    store = Store(department.slug, home)
    snapshot = Snapshot.load(store.folder / "snapshot.json")
    corrections = pq.read_metadata(store.staging / "corrections.parquet").num_rows
    counted = pd.read_parquet(store.staging / "weekly_counts.parquet", columns=["week"])["week"]
    published = pq.read_metadata(store.staging / "incidents.parquet").num_rows
    store.publish(
        {
            "incidents": store.staging / "incidents.parquet",
            "rejected_incidents": store.staging / "rejected_incidents.parquet",
            "feed_files": store.staging / "feed_files.parquet",
            "corrections": store.staging / "corrections.parquet",
            "weekly_counts": store.staging / "weekly_counts.parquet",
        },
        {
            "feed_sha256": snapshot.sha256,
            **remembered(store),
            "code_version": version.code_version(),
            "run_id": context.run.run_id,
        },
    )
    ends = (week.date() + dt.timedelta(days=6) for week in counted.drop_duplicates().sort_values())
    context.instance.add_dynamic_partitions(WEEK_ENDING, [end.isoformat() for end in ends])
    context.log.info(f"Published {published:,} incidents and their weekly counts")
    for name, rows in (
        ("incidents", published),
        ("rejected_incidents", snapshot.rows - published),
        ("feed_files", len(snapshot.files)),
        ("weekly_counts", len(counted)),
        ("corrections", corrections),
    ):
        yield dg.MaterializeResult(asset_key=name, metadata={"rows": rows})
