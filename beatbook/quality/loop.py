"""What every run does for the steward: apply the decisions, record what the checks found.

Recorded even when a blocking rule has failed and nothing else is published: that is when it is
needed most.
"""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from beatbook import version
from beatbook.department import Department, load_department
from beatbook.errors import InvalidInput, MissingTable
from beatbook.files import write_atomically
from beatbook.home import Home, find_home
from beatbook.quality.decision_file import corrections_in_force, decisions_sha256, read_decisions
from beatbook.quality.queue import update_queue
from beatbook.store import Store, load_table
from beatbook.tables import CORRECTIONS, QUALITY_QUEUE, QUALITY_RESULTS

_IN_STAGING = "decisions.json"


def clock() -> dt.datetime:
    """The present, which tests set."""
    return dt.datetime.now(dt.UTC)


class Decided(NamedTuple):
    """The decisions that a run works with: the corrections in force, and a hash of them all."""

    corrections: pd.DataFrame
    sha256: str


def decided(department: Department) -> Decided:
    """Read the department's decisions for a run.

    Raises
    ------
    SettingsError
        If a line of ``decisions.csv`` cannot stand; the message names it.
    """
    decisions = read_decisions(department)
    return Decided(corrections_in_force(decisions), decisions_sha256(decisions))


def remember(store: Store, made_with: Decided) -> None:
    """Note beside the staged tables which decisions they were made with."""
    content = json.dumps({"decisions_sha256": made_with.sha256})
    write_atomically(store.staging / _IN_STAGING, content.encode())


def remembered(store: Store) -> dict[str, str]:
    """The provenance of the staged tables that comes from decisions: ``decisions_sha256``.

    Decisions may be made between staging and publishing; the tables hold those of the staging.
    """
    path = store.staging / _IN_STAGING
    if not path.is_file():
        return {}
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content


def after_checks(
    department: Department | str,
    results: pd.DataFrame,
    findings: pd.DataFrame,
    run_id: str,
    home: Home | None = None,
    *,
    now: dt.datetime | None = None,
) -> None:
    """Record what a run's checks found, carry the queue on, and write the steward's page.

    Parameters
    ----------
    department
        The department or its short name.
    results
        One row a rule: ``table, check, severity, why, checked, failing, passed``, and
        ``observed`` and ``feed_sha256`` if known.
    findings
        One row a failing record, as :func:`beatbook.quality.queue.update_queue` takes them.
    run_id
        Of the run. A step of it that is tried again replaces its earlier rows, and its other
        steps share its moment; those of other runs are never touched.
    home
        The checkout; found from the current folder if not given.
    now
        When it was checked; the present if not given.

    Raises
    ------
    InvalidInput
        If ``results`` or ``findings`` are not of this form.
    SettingsError
        If a line of ``decisions.csv`` cannot stand; nothing is recorded then.
    """
    home = home or find_home()
    if isinstance(department, str):
        department = load_department(department, home)
    store = Store(department.slug, home)
    decisions = read_decisions(department)
    # Read, add, publish: two runs that end together must not lose each other's rows.
    with _recording(store):
        before = _published(store, QUALITY_RESULTS.name)
        mine = before[before["run_id"] == run_id]
        moment = (now or clock()).astimezone(dt.UTC)
        if len(mine):
            moment = dt.datetime.fromisoformat(mine["checked_at"].iloc[0])
        rows = _result_rows(results, department.slug, run_id, moment)
        again = pd.MultiIndex.from_frame(before[list(QUALITY_RESULTS.key)]).isin(
            pd.MultiIndex.from_frame(rows[list(QUALITY_RESULTS.key)])
        )
        kept = before[~again]
        queue = update_queue(
            _published(store, QUALITY_QUEUE.name),
            findings,
            decisions,
            moment,
            department=department.slug,
            today=moment.astimezone(ZoneInfo(department.timezone)).date(),
            corrections=_corrections(store),
            checked=_checked(rows, findings),
        )
        store.publish(
            {
                QUALITY_RESULTS.name: pd.concat([kept, rows]) if len(kept) else rows,
                QUALITY_QUEUE.name: queue,
            },
            {
                "checked_at": rows["checked_at"].iloc[0] if len(rows) else moment.isoformat(),
                "code_version": version.code_version(),
                "decisions_sha256": decisions_sha256(decisions),
                "run_id": run_id,
            },
        )
    # The page's template and figures are only needed here.
    from beatbook.quality.page import write_page

    write_page(department.slug, home)


@contextmanager
def _recording(store: Store) -> Iterator[None]:
    from filelock import FileLock

    store.folder.mkdir(parents=True, exist_ok=True)
    with FileLock(store.folder / ".quality.lock"):
        yield


def _published(store: Store, table: str) -> pd.DataFrame:
    declared = QUALITY_RESULTS if table == QUALITY_RESULTS.name else QUALITY_QUEUE
    try:
        return load_table(table, store.department, home=store.home)
    except MissingTable:
        return pd.DataFrame(columns=declared.column_names)


def _corrections(store: Store) -> pd.DataFrame:
    """Those that the run just staged; the published ones once they have been moved there."""
    staged = store.staging / f"{CORRECTIONS.name}.parquet"
    if staged.is_file():
        return pd.read_parquet(staged)
    try:
        return load_table(CORRECTIONS.name, store.department, home=store.home)
    except MissingTable:
        return pd.DataFrame(columns=CORRECTIONS.column_names)


def _result_rows(
    results: pd.DataFrame, department: str, run_id: str, moment: dt.datetime
) -> pd.DataFrame:
    needed = ("table", "check", "severity", "why", "checked", "failing", "passed")
    lacking = [column for column in needed if column not in results.columns]
    if lacking:
        raise InvalidInput(f"The results of the checks lack {', '.join(lacking)}.")
    rows = results.reset_index(drop=True).assign(
        run_id=run_id,
        checked_at=moment.isoformat(timespec="microseconds"),
        department=department,
    )
    checked = rows["checked"].astype("float64")
    rows["share"] = (rows["failing"].astype("float64") / checked).where(checked > 0)
    for column in ("observed", "feed_sha256"):
        if column not in rows:
            rows[column] = None
    return QUALITY_RESULTS.conform(rows[QUALITY_RESULTS.column_names])


def _checked(rows: pd.DataFrame, findings: pd.DataFrame) -> set[tuple[str, str]]:
    """The rules that said what is in question, and so also what no longer is.

    A rule that failed without naming anything did not run to its end.
    """
    named = set(zip(findings["table"], findings["check"], strict=True))
    rules = zip(rows["table"], rows["check"], rows["passed"], strict=True)
    return {(table, check) for table, check, passed in rules if passed or (table, check) in named}
