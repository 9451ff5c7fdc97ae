"""The suites of ``expectations/`` as Dagster asset checks on the staged records.

One check a rule, so that each has its own history and severity; a critical one that fails keeps
the staged tables from being published, and last week's stay readable.
"""

from collections.abc import Iterator

import dagster as dg
import pandas as pd

from assets.house import House, told_plainly
from assets.incidents import incidents_staged
from beatbook.store import Store
from expectations.runner import RuleResult, files_frame, run_suite, staged_frame
from expectations.suite import Rule, load_suite

SUITES = {"incidents": load_suite("incidents_staged"), "feed_files": load_suite("feed_files")}
RULES: list[Rule] = [rule for suite in SUITES.values() for rule in suite.rules]


@dg.multi_asset_check(
    name="staged_checks",
    specs=[
        dg.AssetCheckSpec(
            name=rule.id,
            asset=incidents_staged.key,
            description=f"{rule.why} ({rule.severity})",
            blocking=rule.blocks,
        )
        for rule in RULES
    ],
)
@told_plainly
def staged_checks(
    context: dg.AssetCheckExecutionContext, house: House
) -> Iterator[dg.AssetCheckResult]:
    """Run the suites on the staged tables."""
    department = context.op_execution_context.partition_key
    staging = Store(department, house.home()).staging
    context.log.info(f"Checking the staged records against {len(RULES)} rules")
    incidents = pd.read_parquet(staging / "incidents.parquet")
    results = [
        *run_suite(
            SUITES["incidents"],
            staged_frame(incidents),
            key=["record_id", "source_file", "source_row"],
        ),
        *run_suite(
            SUITES["feed_files"],
            files_frame(pd.read_parquet(staging / "feed_files.parquet")),
            key=["file", "rows"],
        ),
    ]
    for result in results:
        if not result.passed:
            context.log.info(
                f"{result.rule.severity}: {result.rule.id}: {result.failing:,} records. "
                f"{result.rule.why}"
            )
        yield as_check_result(result)


def as_check_result(result: RuleResult) -> dg.AssetCheckResult:
    """One rule's result, with its first failing records, as Dagster keeps it."""
    metadata: dict[str, dg.MetadataValue | int | str] = {
        "checked": result.checked,
        "failing": result.failing,
        "why": result.rule.why,
    }
    if result.observed:
        metadata["observed"] = result.observed
    if result.records:
        metadata["first failing records"] = dg.MetadataValue.table(
            records=[dg.TableRecord(record) for record in result.records]
        )
    return dg.AssetCheckResult(
        check_name=result.rule.id,
        asset_key=incidents_staged.key,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.ERROR if result.rule.blocks else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
