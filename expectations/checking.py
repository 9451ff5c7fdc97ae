"""Check staged and computed tables: what the assets call, and what the steward's page gets."""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from beatbook.department import Department, load_department
from beatbook.errors import MissingTable, SettingsError
from beatbook.feed import Snapshot
from beatbook.home import Home, find_home
from beatbook.quality.evidence import EVIDENCE
from beatbook.quality.layers import (
    forecast_areas,
    grid_cells,
    hot_cells,
    published_forecasts,
    small_cells,
    zone_centers,
)
from beatbook.quality.staged import Staged, open_staged
from beatbook.quality.sums import NO_SUMS, compstat_sums, weekly_sums
from beatbook.store import load_table
from beatbook.tables import TABLES
from expectations.department_rules import suite_for
from expectations.frames import records_frame, table_frame
from expectations.runner import FINDING, Frame, RuleResult, import_ahead, no_findings, run_rules
from expectations.suite import Rule

STAGED = ("incidents", "rejected_incidents", "feed_files", "weekly_counts")
"""The tables that a refresh stages, checks and publishes together."""

TABLE_EVIDENCE: dict[str, Callable[[pd.DataFrame, Department], pd.DataFrame]] = {
    "compstat_sums": lambda frame, _department: compstat_sums(frame),
    "forecast_areas": forecast_areas,
    "grid_cells": grid_cells,
    "square_cells": lambda frame, department: grid_cells(frame, department, shape="square"),
    "hot_cells": hot_cells,
    "published_forecasts": published_forecasts,
    "small_cells": small_cells,
    "zone_centers": zone_centers,
}
"""Evidence that a weekly table gives by itself."""


_WEEKLY = TABLES["weekly_counts"].column_names


def check_staged(
    staging: Path,
    department: Department | str,
    home: Home | None = None,
    *,
    as_of: dt.date | None = None,
    today: dt.date | None = None,
    snapshot: Snapshot | None = None,
    published_files: pd.DataFrame | None = None,
) -> list[RuleResult]:
    """Run the suites of the staged tables.

    Parameters
    ----------
    staging
        Folder of the staged tables. ``snapshot.json`` beside it says where the feed's text is.
    department, home
        Whose they are; the home is needed for a department given by name.
    as_of
        Only what was known by this day, as if later files had not come; all by default.
    today
        The present day, for dates that lie ahead.
    snapshot, published_files
        Given by tests and benchmarks; by default those beside the staged tables, and the
        manifest that is published.

    Returns
    -------
    list of RuleResult
        One a rule, by table in the order of :data:`STAGED`.
    """
    importing = import_ahead()
    if isinstance(department, str):
        department = load_department(department, home)
    listing = staging.parent / "snapshot.json"
    if snapshot is None and listing.is_file():
        snapshot = Snapshot.load(listing)
    if published_files is None and home is not None and as_of is None:
        published_files = _published_files(department, home)
    rules: list[tuple[str, Rule]] = [
        (table, rule) for table in STAGED for rule in suite_for(table, department).rules
    ]
    with open_staged(staging, department, snapshot, as_of, published_files, today) as staged:
        frames = {
            name: _staged_frame(name, staged, staging, as_of, today)
            for name in dict.fromkeys(rule.evidence or table for table, rule in rules)
        }
        importing.join()
        return _run(rules, frames)


def _published_files(department: Department, home: Home) -> pd.DataFrame | None:
    try:
        return load_table("feed_files", department.slug, home=home)
    except MissingTable:
        return None


def _staged_frame(
    name: str, staged: Staged, staging: Path, as_of: dt.date | None, today: dt.date | None
) -> Frame:
    if name == "incidents":
        return records_frame(staged, today)
    if name == "feed_files":
        files = staged.ask("SELECT * FROM feed_files ORDER BY file")
        files["rejected_share"] = files["rejected"] / files["rows"].clip(lower=1)
        files["source_file"] = files["file"]
        return table_frame(name, files)
    if name == "rejected_incidents":
        rejected = pd.read_parquet(staging / f"{name}.parquet")
        if as_of is not None:
            held = staged.ask("SELECT DISTINCT source_file FROM file_days")["source_file"]
            rejected = rejected[rejected["source_file"].isin(held)].reset_index(drop=True)
        return table_frame(name, rejected)
    if name in ("weekly_counts", "weekly_sums"):
        path = staging / "weekly_counts.parquet"
        # As of an earlier day there are none staged to hold the records against.
        staged_too = as_of is None and path.is_file()
        if name == "weekly_counts":
            counts = pd.read_parquet(path) if staged_too else pd.DataFrame(columns=_WEEKLY)
            return table_frame(name, counts)
        sums = weekly_sums(staged, pd.read_parquet(path)) if staged_too else NO_SUMS
        return Frame(sums, ("record_key",))
    if name in EVIDENCE:
        return Frame(EVIDENCE[name](staged), ("record_key",))
    raise SettingsError(
        f"A rule looks at {name!r}, which is no frame. Frames: "
        f"{', '.join([*STAGED, 'weekly_sums', *EVIDENCE])}."
    )


def check_table(
    name: str, frame: pd.DataFrame, department: Department | str, home: Home | None = None
) -> list[RuleResult]:
    """Run a table's suite on a frame that is about to be published.

    Parameters
    ----------
    name
        A table with a suite in ``expectations/``.
    frame
        With at least the declared columns.
    department, home
        Whose it is: its own rules hold too.
    """
    if isinstance(department, str):
        department = load_department(department, home or find_home())
    rules = [(name, rule) for rule in suite_for(name, department).rules]
    frames = {}
    for on in dict.fromkeys(rule.evidence or name for _, rule in rules):
        if on == name:
            frames[on] = table_frame(name, frame)
        elif on in TABLE_EVIDENCE:
            frames[on] = Frame(TABLE_EVIDENCE[on](frame, department), ("record_key",))
        else:
            raise SettingsError(
                f"A rule of {name} looks at {on!r}; it may look at {name} or at "
                f"{', '.join(TABLE_EVIDENCE)}."
            )
    return _run(rules, frames)


def _run(rules: list[tuple[str, Rule]], frames: dict[str, Frame]) -> list[RuleResult]:
    found: dict[tuple[str, str], RuleResult] = {}
    for name, frame in frames.items():
        for table in dict.fromkeys(
            table for table, rule in rules if (rule.evidence or table) == name
        ):
            mine = [rule for of, rule in rules if of == table and (rule.evidence or of) == name]
            for result in run_rules(mine, frame, table):
                found[table, result.rule.id] = result
    return [found[table, rule.id] for table, rule in rules]


def findings(results: Iterable[RuleResult]) -> pd.DataFrame:
    """All failing records of some results: what the steward's queue takes.

    Returns
    -------
    DataFrame
        ``table, check, severity, why, queue, record_key, field, observed, expected, source_file,
        source_row``, one row a failing record; text, except ``source_row`` (Int64).
    """
    parts = []
    for result in results:
        if result.passed or result.findings.empty:
            continue
        part = result.findings[list(FINDING)].copy()
        rule = result.rule
        told = (result.table, rule.id, rule.severity, rule.why, rule.queued)
        for place, (name, value) in enumerate(
            zip(("table", "check", "severity", "why", "queue"), told, strict=True)
        ):
            part.insert(place, name, pd.Series(value, index=part.index, dtype="str"))
        parts.append(part)
    if not parts:
        none = no_findings()
        for place, name in enumerate(("table", "check", "severity", "why", "queue")):
            none.insert(place, name, pd.Series(dtype="str"))
        return none
    return pd.concat(parts, ignore_index=True)


def result_rows(results: Iterable[RuleResult], feed_sha256: str = "") -> pd.DataFrame:
    """One row a rule: what ``quality_results`` keeps of a run.

    Returns
    -------
    DataFrame
        ``table, check, severity, why, checked, failing, passed, observed, feed_sha256``.
    """
    return pd.DataFrame(
        [
            {
                "table": result.table,
                "check": result.rule.id,
                "severity": result.rule.severity,
                "why": result.rule.why,
                "checked": result.checked,
                "failing": result.failing,
                "passed": result.passed,
                "observed": result.observed or None,
                "feed_sha256": feed_sha256 or None,
            }
            for result in results
        ]
    )
