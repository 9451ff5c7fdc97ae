"""What follows by itself, and how old a table may be: policies of the whole graph, in one place.

The city book is made by the job that a schedule starts. Packets, promoted reports and layers to
download follow when a week's tables are new, the shelf when any of them is: Dagster's declarative
automation asks for them, once for each fresh partition.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import dagster as dg

from assets.books import GROUP as BOOKS
from assets.incidents import GROUP as INCIDENTS
from beatbook.tables import TABLES

WHOLE_TAG = "beatbook/makes"
"""On the runs of the job that makes everything of a week: nothing has to follow them."""

PACKETS = "precinct_packets"
REPORTS = "promoted_reports"
LAYERS = "layer_files"
SHELF = "shelf"
FOLLOWS_TAG = "beatbook/follows"
FOLLOWING = dg.AssetSelection.tag(FOLLOWS_TAG, "fresh")
"""The assets that follow by themselves."""


def _after_fresh(deps: dg.AssetSelection, name: str) -> dg.AutomationCondition:
    """True for a partition some of whose ``deps`` are newer than it, all there and none running.

    Unlike ``AutomationCondition.eager()`` it looks at ``deps`` only (a refresh makes the
    incidents of every week new, which must not ask for the packets of twelve years), it asks for
    nothing because a new week was merely added, and a run that makes the whole week asks for
    nothing, whether or not it came to its end: a packet that failed there is told, not tried
    again and again.
    """
    # Made in a run that was to make the target too.
    along = dg.AutomationCondition.executed_with_root_target() | (
        dg.AutomationCondition.executed_with_tags(tag_keys={WHOLE_TAG})
    )
    fresh = dg.AutomationCondition.any_deps_match(
        (dg.AutomationCondition.newly_updated() & ~along)
        | dg.AutomationCondition.will_be_requested()
    ).allow(deps)
    return (
        fresh.since_last_handled()
        & ~dg.AutomationCondition.any_deps_in_progress().allow(deps)
        & ~dg.AutomationCondition.in_progress()
    ).with_label(name)


_AFTER_TABLES = (
    _after_fresh(dg.AssetSelection.groups(BOOKS), "new tables of the week")
    & ~dg.AutomationCondition.any_deps_missing()
)

AUTOMATION = {
    PACKETS: _AFTER_TABLES,
    REPORTS: _AFTER_TABLES,
    LAYERS: _AFTER_TABLES,
    SHELF: _after_fresh(dg.AssetSelection.all(), "new tables, book or packets"),
}

TABLES_ARE_FRESH = dg.FreshnessPolicy.time_window(
    # A weekly refresh, a few hours of grace, and a day for people to mend it.
    warn_window=dt.timedelta(days=7, hours=6),
    fail_window=dt.timedelta(days=8, hours=6),
)
"""For the tables that a refresh publishes. Dagster looks at an asset's newest partition, so it
speaks for the department that was refreshed last; each department's own age is on the shelf."""


def with_policies(assets: Iterable[Any]) -> list[Any]:
    """Give the assets their automation conditions and freshness policies."""

    def given(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        if spec.group_name == INCIDENTS and name in TABLES:
            spec = spec.replace_attributes(freshness_policy=TABLES_ARE_FRESH)
        if name in AUTOMATION:
            spec = spec.replace_attributes(
                automation_condition=AUTOMATION[name], tags={**spec.tags, FOLLOWS_TAG: "fresh"}
            )
        return spec

    return list(dg.map_asset_specs(given, assets))


automation = dg.AutomationConditionSensorDefinition(
    "packets_and_shelf_follow",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    # A run for each week, as everywhere: one that fails is named alone.
    emit_backfills=False,
    description="Makes packets when a week's tables are new, the shelf when a book is.",
)
