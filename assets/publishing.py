"""Check, then publish: how every table of a week reaches its readers.

The table is worked out, checked against its suite, and published only if no critical rule is
broken. The results are kept either way, and the last good table stays where it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from beatbook.department import list_departments, load_department
from beatbook.errors import BeatbookError
from beatbook.home import Home
from beatbook.quality.loop import after_checks
from beatbook.store import Change, Store
from expectations.checking import check_table, findings, result_rows
from expectations.department_rules import suite_for
from expectations.runner import RuleResult
from expectations.suite import Rule, load_suite

OTHER_RULES = "department_rules"
"""The check that speaks for rules added after Dagster loaded the code."""


class NotPublished(BeatbookError):
    """A critical rule keeps a table from being published."""


def rules_of(table: str) -> dict[str, list[Rule]]:
    """The rules of a table by name: the suite's, and what any department changes or adds.

    Dagster wants all checks named when it loads the code, so the rules of all departments are
    put together; a rule that a department does not have passes there and says so.
    """
    found: dict[str, list[Rule]] = {rule.id: [rule] for rule in load_suite(table).rules}
    for slug in list_departments():
        try:
            suite = suite_for(table, load_department(slug))
        except BeatbookError:
            # A department whose settings are broken is told so by its own runs.
            continue
        for rule in suite.rules:
            found.setdefault(rule.id, []).append(rule)
    return found


def check_specs(tables: Iterable[str], asset: dg.AssetKey | None = None) -> list[dg.AssetCheckSpec]:
    """One check a rule, for Dagster.

    Parameters
    ----------
    tables
        Tables with a suite.
    asset
        The asset that all of them speak for; each table's own by default.

    Returns
    -------
    list of AssetCheckSpec
        Blocking where the rule is critical for any department (a result that is only a warning
        blocks nothing), and one for rules added later.
    """
    specs: dict[tuple[dg.AssetKey, str], dg.AssetCheckSpec] = {}
    for table in tables:
        key = asset or dg.AssetKey(table)
        for name, rules in rules_of(table).items():
            if (key, name) in specs:
                raise ValueError(f"Two rules on {key.to_user_string()} are named {name}.")
            specs[key, name] = dg.AssetCheckSpec(
                name=name,
                asset=key,
                description=f"{rules[0].why} ({rules[0].severity})",
                blocking=any(rule.blocks for rule in rules),
            )
        specs[key, OTHER_RULES] = dg.AssetCheckSpec(
            name=OTHER_RULES,
            asset=key,
            description="Rules that a department added after the code was loaded.",
            blocking=True,
        )
    return list(specs.values())


def check_results(
    results: Iterable[RuleResult],
    specs: Iterable[dg.AssetCheckSpec],
    page: Path,
) -> Iterator[dg.AssetCheckResult]:
    """The results of some rules as Dagster keeps them: one for each check that was announced.

    Parameters
    ----------
    results
        Of one or several tables whose rules have the checks ``specs``.
    specs
        What was announced.
    page
        The steward's page, to link to.
    """
    specs = list(specs)
    named = {(spec.asset_key.to_user_string(), spec.name): spec for spec in specs}
    single = len({spec.asset_key for spec in specs}) == 1
    told: set[tuple[str, str]] = set()
    others: dict[str, list[RuleResult]] = {}
    for result in results:
        asset = specs[0].asset_key.to_user_string() if single else result.table
        if (asset, result.rule.id) in named:
            told.add((asset, result.rule.id))
            yield _as_check_result(result, named[asset, result.rule.id], page)
        else:
            others.setdefault(asset, []).append(result)
    for (asset, name), spec in named.items():
        if name == OTHER_RULES:
            yield _of_others(others.get(asset, []), spec, page)
        elif (asset, name) not in told:
            yield dg.AssetCheckResult(
                check_name=name,
                asset_key=spec.asset_key,
                passed=True,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"why": "This department does not have this rule."},
            )


def _as_check_result(
    result: RuleResult, spec: dg.AssetCheckSpec, page: Path
) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {
        "checked": result.checked,
        "failing": result.failing,
        "severity": result.rule.severity,
        "why": result.rule.why,
        "quality page": dg.MetadataValue.path(str(page)),
    }
    if result.observed:
        metadata["observed"] = result.observed
    if result.records:
        metadata["first failing records"] = dg.MetadataValue.table(
            records=[dg.TableRecord(record) for record in result.records]
        )
    return dg.AssetCheckResult(
        check_name=spec.name,
        asset_key=spec.asset_key,
        passed=result.passed,
        severity=_severity(result.rule.blocks),
        metadata=metadata,
    )


def _of_others(
    results: list[RuleResult], spec: dg.AssetCheckSpec, page: Path
) -> dg.AssetCheckResult:
    failed = [result for result in results if not result.passed]
    return dg.AssetCheckResult(
        check_name=spec.name,
        asset_key=spec.asset_key,
        passed=not failed,
        severity=_severity(any(result.rule.blocks for result in failed)),
        metadata={
            "rules": ", ".join(result.rule.id for result in results) or "none",
            "failed": ", ".join(result.rule.id for result in failed) or "none",
            "quality page": dg.MetadataValue.path(str(page)),
        },
    )


def _severity(blocks: bool) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN


def quality_page(home: Home, department: str) -> Path:
    """Where the steward's page is."""
    return home.reports / department / "quality" / "index.html"


def say_failures(context: Any, results: Iterable[RuleResult]) -> None:
    """Tell the run's log which rules are broken."""
    for result in results:
        if not result.passed:
            context.log.info(
                f"{result.rule.severity}: {result.table}.{result.rule.id}: "
                f"{result.failing:,} of {result.checked:,}. {result.rule.why}"
            )


def publish_checked(
    context: Any,
    home: Home,
    department: str,
    tables: Mapping[str, pd.DataFrame],
    provenance: Mapping[str, Any],
    partition: str = "",
    specs: Iterable[dg.AssetCheckSpec] = (),
    changes: Mapping[str, Change] | None = None,
) -> Iterator[dg.AssetCheckResult]:
    """Check tables, record what was found, and publish them together unless a critical rule fails.

    Use it with ``yield from`` in an asset whose ``check_specs`` are those of
    :func:`check_specs` for the same tables.

    Parameters
    ----------
    context
        Of the running asset.
    home, department
        Whose tables, and where.
    tables, provenance, partition
        As for :meth:`beatbook.store.Store.publish`. Tables without a suite are only published.
    specs
        The checks that were announced for these tables.
    changes
        As for :meth:`beatbook.store.Store.publish`; what a change would make of the table as it
        is now is checked.

    Raises
    ------
    NotPublished
        If a critical rule is broken; the message names it, and what was published last stays.
    """
    store = Store(department, home)
    changed = {name: change(store.held(name)) for name, change in (changes or {}).items()}
    results = [
        result
        for name, frame in {**tables, **changed}.items()
        for result in check_table(name, frame, department, home)
    ]
    rows = result_rows(results, str(provenance.get("feed_sha256", "")))
    after_checks(department, rows, findings(results), context.run.run_id, home)
    say_failures(context, results)
    yield from check_results(results, specs, quality_page(home, department))
    held = [result for result in results if result.rule.blocks and not result.passed]
    if held:
        worst = held[0]
        first = worst.records[0] if worst.records else {}
        example = f" ({first['record_key']}: {first['observed']})" if first else ""
        raise NotPublished(
            f"{worst.table} was not published: {worst.rule.id} failed{example}. {worst.rule.why} "
            f"The last good tables stay. All of it is in reports/{department}/quality/index.html."
        )
    store.publish(tables, provenance, partition=partition, changes=changes)
