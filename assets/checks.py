"""The suites of ``expectations/`` as Dagster asset checks on the staged tables.

One check a rule, so that each has its own history and severity; a critical one that fails keeps
the staged tables from being published, and last week's stay readable. What was found is recorded
here, by the check itself: a step after it would be skipped exactly when it is needed.
"""

from collections.abc import Iterator

import dagster as dg

from assets.house import House, told_plainly
from assets.incidents import incidents_staged
from assets.publishing import check_results, check_specs, quality_page, say_failures
from beatbook.department import load_department
from beatbook.feed import Snapshot
from beatbook.quality.loop import after_checks
from beatbook.store import Store
from expectations.checking import STAGED, check_staged, findings, result_rows
from expectations.suite import list_suites, load_suite

SPECS = check_specs(STAGED, incidents_staged.key)
RULES = [rule for table in list_suites() for rule in load_suite(table).rules]
"""Every rule of every table, as it holds where no department changes it."""


@dg.multi_asset_check(name="staged_checks", specs=SPECS)
@told_plainly
def staged_checks(
    context: dg.AssetCheckExecutionContext, house: House
) -> Iterator[dg.AssetCheckResult]:
    """Run the suites on the staged tables and record what they found."""
    home = house.home()
    slug = context.op_execution_context.partition_key
    department = load_department(slug, home)
    store = Store(slug, home)
    context.log.info(f"Checking the staged tables against {len(SPECS)} rules")
    results = check_staged(store.staging, department, home)
    snapshot = Snapshot.load(store.folder / "snapshot.json")
    after_checks(
        slug, result_rows(results, snapshot.sha256), findings(results), context.run.run_id, home
    )
    say_failures(context, results)
    yield from check_results(results, SPECS, quality_page(home, slug))
