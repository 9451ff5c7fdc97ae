"""The steward's queue: what the checks found, from its first sight to its end.

Pure: the queue of the last run, what this run found, and the decisions of people give the queue
of this run. An item's id depends on what is in question, not on the run, so that the same
question met again is the same item.
"""

import datetime as dt
import hashlib
from collections.abc import Collection
from typing import Any, NamedTuple

import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.quality.decision_file import SETTLING
from beatbook.tables import QUALITY_QUEUE

NEW = "new"
ASSIGNED = "assigned"
FIXED = "fixed at source"
CORRECTED = "corrected"
WAIVED = "waived"
NOT_AN_ERROR = "not an error"

STATES = (NEW, ASSIGNED, FIXED, CORRECTED, WAIVED, NOT_AN_ERROR)
OPEN_STATES = (NEW, ASSIGNED)
"""What still waits for somebody."""

ALL_RECORDS = "all"
"""The record key of an item that stands for all records that a rule found."""

FINDING_COLUMNS = (
    "table",
    "check",
    "severity",
    "why",
    "queue",
    "record_key",
    "field",
    "observed",
    "expected",
    "source_file",
    "source_row",
)


def item_id(department: str, table: str, check: str, record_key: str, field: str) -> str:
    """The id of a question: the same in every run and on every machine."""
    said = "\x1f".join((department, table, check, record_key, field))
    # It begins with a letter, so that a spreadsheet does not take it for a number.
    return "q" + hashlib.sha256(said.encode()).hexdigest()[:12]


def update_queue(
    previous: pd.DataFrame | None,
    findings: pd.DataFrame,
    decisions: pd.DataFrame | None,
    now: dt.datetime,
    *,
    department: str,
    today: dt.date | None = None,
    corrections: pd.DataFrame | None = None,
    checked: Collection[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Carry the queue over one run.

    Parameters
    ----------
    previous
        The queue as the last run left it; none at first.
    findings
        One row a failing record, columns :data:`FINDING_COLUMNS`. ``queue`` says what becomes
        of it: ``each`` record is an item, ``once`` all records of the rule are one item with
        their number in ``records``, ``none`` is in no queue. A record named twice counts once.
    decisions
        As :func:`beatbook.quality.decisions.read_decisions` gives them, in the order in which
        they were made; those on items that are not in the queue are left alone.
    now
        When the run checked. The same moment twice is the same run: nothing is counted twice.
    department
        Its short name.
    today
        The department's own date, which waivers expire by; that of ``now`` if not given.
    corrections
        The table ``corrections`` of this run: a question that is gone because its record was
        corrected is ``corrected``, another one that is gone was fixed at source.
    checked
        ``(table, check)`` of the rules that ran. Items of another rule are not found to be gone
        only because nobody looked. All rules, if not given.

    Returns
    -------
    DataFrame
        The table ``quality_queue``, every earlier item in it. An item is ``new`` when first
        found; ``assigned`` once it has an owner; ``waived`` up to and with the last day of its
        waiver; ``not an error`` for as long as nobody opens it again; ``corrected`` when its
        record was corrected and the rule finds it no more; ``fixed at source`` when it is gone
        otherwise. A closed item that is found again (or whose waiver has ended, or whose
        correction did not cure it) is open again, counted in ``reopened``. The order is by
        first sight, then id.

    Raises
    ------
    InvalidInput
        If ``findings`` lacks a column or has another word for ``queue``, or ``now`` has no zone.
    """
    if now.tzinfo is None:
        raise InvalidInput("now needs a time zone: the queue keeps times in UTC.")
    day = (today or now.date()).isoformat()
    moment = now.astimezone(dt.UTC).isoformat(timespec="microseconds")
    found = _items(findings, department)
    items = {} if previous is None else {row["item"]: row for row in _rows(previous)}
    standing = _standing(decisions)
    cured = _cured(corrections)
    ran = None if checked is None else set(checked)
    for item, told in found.items():
        # What the run says of an item holds from now on; what it does not find keeps its words.
        items[item] = {**items.get(item, _UNSEEN), **told, "item": item}
    for item, row in items.items():
        says = standing.get(item, _NOTHING_DECIDED)
        present = item in found
        looked_at = present or ran is None or (row["table"], row["check"]) in ran
        was = row["state"]
        # Times are UTC text of one width, so that they compare as text.
        fresh = says.settled_at > (row["decided_at"] or "")
        row["first_seen"] = row["first_seen"] or moment
        if present and row["last_seen"] != moment:
            row["times_seen"] += 1
            row["last_seen"] = moment
        for name, value in says.told.items():
            row[name] = value or row[name]
        corrects = says.action == "correct"
        mended = row["record_key"] in cured or (corrections is None and corrects)
        state = _state(row, says, present, looked_at, fresh, mended, day)
        is_open = state in OPEN_STATES
        uncured = corrects and fresh and present
        if is_open and was is not None and (was not in OPEN_STATES or uncured):
            row["reopened"] += 1
        row["state"] = state
        row["waived_until"] = says.until if state == WAIVED and says.action == "waive" else None
    out = pd.DataFrame(list(items.values()), columns=QUALITY_QUEUE.column_names, dtype=object)
    out = out.sort_values(["first_seen", "item"], kind="stable", ignore_index=True)
    return QUALITY_QUEUE.conform(out)


class _Standing(NamedTuple):
    """What people last said of an item: what is to become of it, and who it is with."""

    action: str
    until: str
    settled_at: str
    told: dict[str, str]


_NOTHING_DECIDED = _Standing("", "", "", {})
_UNSEEN: dict[str, Any] = {
    **dict.fromkeys(QUALITY_QUEUE.column_names),
    "times_seen": 0,
    "reopened": 0,
}


def _state(
    row: dict[str, Any],
    says: _Standing,
    present: bool,
    looked_at: bool,
    fresh: bool,
    mended: bool,
    day: str,
) -> str:
    """The state of an item after this run; ``row`` still holds that before it."""
    was = row["state"]
    if says.action == "not_an_error":
        return NOT_AN_ERROR
    if not looked_at:
        if was in (FIXED, CORRECTED) or says.action == "correct":
            # Nobody has looked whether the correction cured it.
            return str(was)
        present = True
    if present:
        if says.action == "waive" and says.until >= day:
            return WAIVED
        return ASSIGNED if row["owner"] else NEW
    if was == FIXED and not (fresh and says.action == "correct"):
        return FIXED
    return CORRECTED if mended else FIXED


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows with missing values as None."""
    names = [str(name) for name in frame.columns]
    columns = []
    for name in names:
        plain = frame[name].astype(object)
        columns.append(plain.where(plain.notna(), None).tolist())
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _items(findings: pd.DataFrame, department: str) -> dict[str, dict[str, Any]]:
    """What this run found, one entry an item, by id."""
    lacking = [column for column in FINDING_COLUMNS if column not in findings.columns]
    if lacking:
        raise InvalidInput(f"The findings lack {', '.join(lacking)}.")
    strange = set(findings["queue"]) - {"each", "once", "none"}
    if strange:
        raise InvalidInput(f"queue is each, once or none, not {', '.join(map(str, strange))}.")
    items: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for row in _rows(findings.loc[findings["queue"] != "none", list(FINDING_COLUMNS)]):
        once = row.pop("queue") == "once"
        table, check = row["table"], row["check"]
        key, field = row["record_key"] or "", row["field"] or ""
        item = record = item_id(department, table, check, key, field)
        if once:
            # The fields that its records name may differ from run to run; its id must not.
            item = item_id(department, table, check, ALL_RECORDS, "")
            key, field = ALL_RECORDS, ""
            row |= {"source_file": None, "source_row": None}
        if record in seen:
            continue
        seen.add(record)
        if item in items:
            items[item]["records"] += 1
            continue
        items[item] = {
            **row,
            "department": department,
            "record_key": key,
            "field": field,
            "records": 1,
        }
    for told in items.values():
        if told["record_key"] == ALL_RECORDS and told["field"] == "":
            said = f"{told['records']:,} {'record' if told['records'] == 1 else 'records'}"
            such_as = f", such as {told['observed']}" if told["observed"] else ""
            told["observed"] = said + such_as
    return items


def _standing(decisions: pd.DataFrame | None) -> dict[str, _Standing]:
    """What was last said of each item."""
    out: dict[str, _Standing] = {}
    if decisions is None:
        return out
    for row in _rows(decisions):
        before = out.get(row["item"], _NOTHING_DECIDED)
        told = {**before.told, "decided_by": row["decided_by"], "decided_at": row["decided_at"]}
        if row["action"] == "assign":
            told |= {"owner": row["owner"], "due": row["due"]}
        if row["note"]:
            told["note"] = row["note"]
        if row["action"] in SETTLING:
            before = _Standing(row["action"], row["until"] or "", row["decided_at"], {})
        out[row["item"]] = before._replace(told=told)
    return out


def _cured(corrections: pd.DataFrame | None) -> set[str]:
    if corrections is None or corrections.empty:
        return set()
    return set(corrections.loc[corrections["took_effect"].astype(bool), "record_id"])
