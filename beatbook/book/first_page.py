"""The first page's box, and what the quality checks found, as blocks of the book."""

from collections.abc import Sequence

import pandas as pd

from beatbook.book import formatting
from beatbook.book.blocks import Callout, Column, Row, Table
from beatbook.compstat.first_page import DataInQuestion
from beatbook.errors import InvalidInput

CLOSED = ("fixed at source", "corrected", "waived", "not an error")
MOST_RULES = 8
_SEVERITY = ("critical", "warning", "info")


def first_page_box(lines: Sequence[str]) -> Callout:
    """Set the sentences of :func:`beatbook.compstat.first_page.first_page` in a box.

    Parameters
    ----------
    lines : sequence of str
        At least one.
    """
    if not lines:
        raise InvalidInput("The first page has no line: first_page always gives one")
    return Callout("note", "The week in a minute", list(lines))


def data_in_question(
    results: pd.DataFrame, queue: pd.DataFrame, rows: int, refused: int
) -> DataInQuestion:
    """Sum up how much of the data is in question.

    Parameters
    ----------
    results : DataFrame
        The ``quality_results`` table; of it the last run counts. May be empty.
    queue : DataFrame
        The ``quality_queue`` table: ``record_key, state, records``. Open is what is neither fixed
        at source, corrected, waived nor called no error. May be empty.
    rows, refused : int
        Rows of the feed known by the as-of day, and those of them that could not be read.
    """
    last = last_run(results)
    failing = int((~last["passed"].astype(bool)).sum()) if len(last) else 0
    waiting = open_items(queue)
    return DataInQuestion(rows, refused, len(waiting), _records_of(waiting), failing, len(last))


def last_run(results: pd.DataFrame) -> pd.DataFrame:
    """Keep the results of the run that checked last; of each table its own last run.

    Staged tables are checked by one run and published ones by another, so the last run of the
    department need not hold all of them.
    """
    if results.empty:
        return results
    last = results.sort_values("checked_at", kind="stable").groupby("table")["run_id"].last()
    return results[results["run_id"] == results["table"].map(last)]


def open_items(queue: pd.DataFrame) -> pd.DataFrame:
    """Keep the items that wait for the steward."""
    return queue if queue.empty else queue[~queue["state"].isin(CLOSED)]


def quality_block(results: pd.DataFrame, queue: pd.DataFrame) -> Table | Callout:
    """Lay out what the checks found: the rules with most records in question, the open items.

    Parameters
    ----------
    results : DataFrame
        The ``quality_results`` table: ``run_id, checked_at, table, check, severity, why, checked,
        failing, passed``. May be empty; of each table its last run counts.
    queue : DataFrame
        The ``quality_queue`` table: ``record_key, severity, state, records, due``. May be empty.

    Returns
    -------
    Table or Callout
        The rules that are not met, critical ones first and then by share, at most eight, with
        the records in question of those checked. A note where nothing was checked yet, or all
        rules are met. The open items are summed up below either way.

    Raises
    ------
    InvalidInput
        Where a column is missing from a frame that has rows.
    """
    needed = ("run_id", "checked_at", "table", "check", "severity", "why", "checked", "failing",
              "passed")  # fmt: skip
    _require(results, needed, "quality_results")
    _require(queue, ("record_key", "severity", "state"), "quality_queue")
    waiting = _queue_words(queue)
    if results.empty:
        return Callout("note", "Data quality", ["No check has been run yet.", waiting])
    last = last_run(results)
    # A rule that bears a few records in question is met by fewer; its strict twin tells of them.
    found = last[~last["passed"].astype(bool)]
    checks = formatting.counted(len(last), "check")
    day = str(last["checked_at"].max())[:10]
    if found.empty:
        met = (
            f"All {checks} of {day} are met."
            if len(last) > 1
            else f"The one check of {day} is met."
        )
        return Callout("note", "Data quality", [met, waiting])
    order = found.assign(
        grade=found["severity"].map({name: n for n, name in enumerate(_SEVERITY)}).fillna(9),
        part=found["failing"] / found["checked"].clip(lower=1),
    ).sort_values(["grade", "part", "check"], ascending=[True, False, True], kind="stable")
    rows = [
        Row(
            [
                _plain(row["check"]),
                _plain(row["table"]),
                str(row["severity"]),
                formatting.count(row["failing"]),
                formatting.count(row["checked"]),
                _share(row["failing"], row["checked"]),
                str(row["why"]),
            ],
            strong=[2] if row["severity"] == "critical" else [],
        )
        for row in order.head(MOST_RULES).to_dict("records")
    ]
    more = len(order) - len(rows)
    return Table(
        caption=f"Data quality: checks that are not met, {len(found):,} of {checks}, {day}",
        columns=[
            Column("Check", "left"), Column("Table", "left"), Column("Severity", "left"),
            Column("In question"), Column("Of"), Column("Share"), Column("Why it matters", "left"),
        ],
        rows=rows,
        notes=[
            waiting,
            *([f"{formatting.counted(more, 'further check')} found less."] if more else []),
        ],
    )  # fmt: skip


def _queue_words(queue: pd.DataFrame) -> str:
    waiting = open_items(queue)
    if waiting.empty:
        return "No item waits in the steward's queue."
    named = [
        f"{int((waiting['severity'] == grade).sum()):,d} {grade}"
        for grade in _SEVERITY
        if (waiting["severity"] == grade).any()
    ]
    words = (
        f"{formatting.counted(len(waiting), 'item')} "
        f"{'waits' if len(waiting) == 1 else 'wait'} in the steward's queue"
        f"{f' ({formatting.listed(named)})' if named else ''}"
    )
    records = _records_of(waiting)
    return f"{words}, about {formatting.counted(records, 'record')}."


def _records_of(waiting: pd.DataFrame) -> int:
    """Records behind open items; a record that two rules question counts once."""
    if waiting.empty:
        return 0
    if "records" not in waiting:
        return int(waiting["record_key"].nunique())
    return int(waiting.groupby("record_key")["records"].max().sum())


def _share(failing: int, checked: int) -> str:
    if not checked:
        return formatting.UNDEFINED
    if 0 < failing / checked < 0.001:
        return "under 0.1 %"
    return formatting.share(int(failing), int(checked))


def _plain(name: str) -> str:
    return str(name).replace("_", " ")


def _require(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing and len(frame):
        raise InvalidInput(f"{what} lacks {formatting.listed(missing)}")
