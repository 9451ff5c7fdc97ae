"""Decide on an item of the queue: everything is looked at before a line is written.

What has been decided is read with :func:`read_decisions`; the file and its lines are those of
:mod:`beatbook.quality.decision_file`.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd

from beatbook.department import Department, load_department
from beatbook.errors import BeatbookError, InvalidInput, MissingTable
from beatbook.home import Home, find_home
from beatbook.incidents.corrections import PLACE_FIELDS, hundred_blocks, withheld_codes
from beatbook.quality.decision_file import (
    ACTIONS,
    COLUMNS,
    RECORD_ID,
    SETTLING,
    DecisionRefused,
    append_line,
    corrections_in_force,
    decisions_path,
    decisions_sha256,
    line_problem,
    read_decisions,
)
from beatbook.quality.queue import ASSIGNED, CORRECTED, FIXED, NEW, NOT_AN_ERROR, WAIVED
from beatbook.quality.records import Record, find_record
from beatbook.quality.values import corrected_value, refuse_place_outside, refuse_revealing
from beatbook.store import Store, load_table

__all__ = [
    "ACTIONS",
    "DecisionRefused",
    "corrections_in_force",
    "decide",
    "decisions_path",
    "decisions_sha256",
    "read_decisions",
    "state_by_now",
]

WAIT_SECONDS = 30
"""How long a decision waits for another that is being written."""

_STATES = {
    "assign": (NEW, ASSIGNED),
    "correct": (NEW, ASSIGNED, WAIVED, CORRECTED),
    "waive": (NEW, ASSIGNED, WAIVED),
    "not_an_error": (NEW, ASSIGNED, WAIVED),
    "reopen": (CORRECTED, WAIVED, NOT_AN_ERROR),
    "comment": (NEW, ASSIGNED, FIXED, CORRECTED, WAIVED, NOT_AN_ERROR),
}
_BECOMES = {"correct": CORRECTED, "waive": WAIVED, "not_an_error": NOT_AN_ERROR, "reopen": NEW}


def decide(
    department: str,
    item: str,
    action: str,
    *,
    by: str,
    field: str = "",
    value: str = "",
    until: dt.date | str = "",
    owner: str = "",
    due: dt.date | str = "",
    note: str = "",
    home: Home | None = None,
    now: dt.datetime | None = None,
) -> dict[str, str]:
    """Decide on an item of the queue; the next run applies it.

    Parameters
    ----------
    department
        Its short name.
    item
        The item's id, or its first characters where they name one item only.
    action
        ``assign`` (needs ``owner``; ``due`` if wished), ``correct`` (``field``, by default the
        item's own, and ``value``; an empty value empties the field), ``waive`` (needs
        ``until``, its last day), ``not_an_error``, ``reopen``, ``comment`` (needs ``note``).
    by
        Who decides.
    field, value, until, owner, due, note
        As the action needs them; ``note`` goes with any.
    home
        The checkout; found from the current folder if not given.
    now
        The time of the decision; the present if not given.

    Returns
    -------
    dict of str to str
        The line as written, by column. It is on the disk, and nobody else's line is lost.

    Raises
    ------
    DecisionRefused
        If there is no such item or record, the item's state allows no such action, the field
        cannot be corrected, the value is impossible, or the text would tell a house number or
        the place of a sex offense. Nothing is written, and the message says why.
    """
    home = home or find_home()
    settings = load_department(department, home)
    now = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    given = {
        "decided_by": by,
        "action": action,
        "field": field,
        "value": value,
        "until": str(until or ""),
        "owner": owner,
        "due": str(due or ""),
        "note": note,
    }
    given = {name: " ".join(str(text).split()) for name, text in given.items()}
    with _lock(department, home):
        # A torn or bad line is told before another is written behind it.
        decisions = read_decisions(settings)
        try:
            row = _checked(settings, home, item, given, decisions, now)
        except DecisionRefused:
            raise
        except BeatbookError as error:
            raise DecisionRefused(str(error)) from None
        append_line(decisions_path(settings), row)
    return row


def state_by_now(item: "pd.Series[Any]", decisions: pd.DataFrame) -> str:
    """The state of a queue item with the decisions made since the last run.

    Parameters
    ----------
    item
        A row of ``quality_queue``.
    decisions
        From :func:`read_decisions`.
    """
    since = "" if pd.isna(item["decided_at"]) else str(item["decided_at"])
    made = decisions[(decisions["item"] == item["item"]) & (decisions["decided_at"] > since)]
    settling = made[made["action"].isin(SETTLING)]
    state = str(item["state"]) if settling.empty else _BECOMES[settling["action"].iloc[-1]]
    assigned = not pd.isna(item["owner"]) or bool((made["action"] == "assign").any())
    return ASSIGNED if state == NEW and assigned else state


@contextmanager
def _lock(department: str, home: Home) -> Iterator[None]:
    from filelock import FileLock, Timeout

    folder = Store(department, home).folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".decisions.lock", timeout=WAIT_SECONDS):
            yield
    except Timeout:
        raise DecisionRefused(
            "Somebody else has been writing a decision for "
            f"{WAIT_SECONDS} seconds. Nothing was written; try again."
        ) from None


def _checked(
    department: Department,
    home: Home,
    item: str,
    given: dict[str, str],
    decisions: pd.DataFrame,
    now: dt.datetime,
) -> dict[str, str]:
    """The line to write, or the reason why there is none."""
    action = given["action"]
    if action not in ACTIONS:
        raise DecisionRefused(f"{action!r} is no action; there are {', '.join(ACTIONS)}.")
    if not given["decided_by"]:
        raise DecisionRefused("Say who decides.")
    asked = _find_item(department.slug, item, home)
    state = state_by_now(asked, decisions)
    if state not in _STATES[action]:
        raise DecisionRefused(
            f"Item {asked['item']} is {state}"
            + (
                "; it opens by itself if it is found again."
                if state == FIXED
                else f", which allows {', '.join(a for a in ACTIONS if state in _STATES[a])}."
            )
        )
    # Strictly later than the last line, also where a clock was set back.
    if len(decisions):
        last = dt.datetime.fromisoformat(decisions["decided_at"].max())
        now = max(now, last + dt.timedelta(microseconds=1))
    used = {
        "correct": ("field", "value"),
        "waive": ("until",),
        "assign": ("owner", "due"),
    }.get(action, ())
    surplus = [
        name
        for name in ("field", "value", "until", "owner", "due")
        if given[name] and name not in used
    ]
    if surplus:
        raise DecisionRefused(f"{action} takes no {', '.join(surplus)}.")
    row = dict.fromkeys(COLUMNS, "")
    row |= given
    row |= {
        "decided_at": now.isoformat(timespec="microseconds"),
        "item": asked["item"],
        "record_key": asked["record_key"],
        "check": asked["check"],
    }
    record = None
    if RECORD_ID.fullmatch(asked["record_key"]):
        record = _record(department, home, asked["record_key"], needed=action == "correct")
    if action == "correct":
        row["field"] = given["field"] or asked["field"]
        row["value"] = corrected_value(department, row["field"], given["value"])
    if action == "waive" and given["until"] and given["until"] < now.date().isoformat():
        raise DecisionRefused(f"A waiver until {given['until']} has ended already.")
    problem = line_problem(row, department)
    if problem:
        raise DecisionRefused(problem[0].upper() + problem[1:].rstrip(".") + ".")
    if record is not None:
        _refuse_place(department, record, row, decisions)
        if action == "correct":
            _refuse_impossible(department, record, row, decisions, now)
            row["published"] = _published(record, row["field"])
    return row


def _find_item(department: str, item: str, home: Home) -> "pd.Series[Any]":
    try:
        queue = load_table("quality_queue", department, home=home)
    except MissingTable:
        raise DecisionRefused(
            f"There is no queue yet. Run: beatbook report --department {department}"
        ) from None
    item = item.strip().lower()
    found = queue[queue["item"].str.startswith(item)] if len(item) >= 4 else queue.iloc[:0]
    if len(found) != 1:
        raise DecisionRefused(
            f"No item {item!r} in the queue. List them with: beatbook quality list "
            f"--department {department}"
            if found.empty
            else f"{len(found)} items begin with {item!r}; give more of the id."
        )
    return found.iloc[0]


def _record(department: Department, home: Home, record_id: str, needed: bool) -> Record | None:
    try:
        record = find_record(department, record_id, home)
    except InvalidInput:
        if needed:
            raise
        return None
    if record is None and needed:
        raise DecisionRefused(f"No record {record_id} is in the incidents or the refused rows.")
    return record


def _published(record: Record, field: str) -> str:
    """What the feed holds, as it may be kept in a file that is shared."""
    text = record.published[field]
    return hundred_blocks([text]).get(text, "") if field == "block_address" else text


def _refuse_place(
    department: Department, record: Record, row: dict[str, str], decisions: pd.DataFrame
) -> None:
    """Keep the place of a sex offense, and of an unmapped code, out of the file."""
    earlier = corrections_in_force(decisions)
    earlier = earlier[earlier["record_id"] == record.record_id]
    codes = {record.published["offense_code"]}
    codes |= set(earlier.loc[earlier["field"] == "offense_code", "value"])
    if row["field"] == "offense_code" and row["action"] == "correct":
        placed = earlier[earlier["field"].isin(PLACE_FIELDS)]
        if len(placed) and withheld_codes(department, {row["value"]}):
            raise DecisionRefused(
                "The place of this record was corrected earlier, and as a sex offense it must not "
                "stand in decisions.csv. Take those lines out of the file first: item "
                f"{', '.join(sorted(set(placed['item'])))}."
            )
        codes.add(row["value"])
    if not withheld_codes(department, codes):
        return
    if row["action"] == "correct" and row["field"] in PLACE_FIELDS:
        raise DecisionRefused(
            "The place of this record is withheld (a sex offense, or a code that offenses.csv "
            f"does not list), so its {row['field']} cannot be corrected here."
        )
    point = (record.published["x"], record.published["y"])
    refuse_revealing(
        f"{row['note']} {row['owner']}", address=record.published["block_address"], point=point
    )


def _refuse_impossible(
    department: Department,
    record: Record,
    row: dict[str, str],
    decisions: pd.DataFrame,
    now: dt.datetime,
) -> None:
    """Refuse a value that is well formed, but not possible in this record."""
    field, value = row["field"], row["value"]
    columns = record.layout.columns
    if field not in columns:
        raise DecisionRefused(
            f"The feed publishes no {field} for this record (layout {record.layout.name!r})."
        )
    if field == "reported_at" and not value and "known_on" not in columns:
        raise DecisionRefused("Without reported_at nobody could say when the record was known.")
    if field in ("x", "y"):
        refuse_place_outside(department, field, value)
    earlier = corrections_in_force(decisions)
    mine = earlier[earlier["record_id"] == record.record_id]
    current = dict(zip(mine["field"], mine["value"], strict=True))
    if value == current.get(field, _published(record, field)):
        raise DecisionRefused(f"{field} is {value or 'empty'} already.")

    def moment(name: str) -> pd.Timestamp | None:
        read = record.read.get(name)
        known = current.get(name, read if isinstance(read, pd.Timestamp) else None)
        if known is None or known == "" or pd.isna(known):
            return None
        at = pd.Timestamp(known)
        monthly = name == "known_on" and department.feed.publishes == "monthly"
        return at + pd.offsets.MonthEnd(0) if monthly else at

    if field not in ("occurred_from", "occurred_to", "reported_at", "known_on") or not value:
        return
    at = pd.Timestamp(value)
    # A day of grace: the department's own date may be ahead of UTC's.
    if at > pd.Timestamp(now.replace(tzinfo=None)) + pd.Timedelta(days=1):
        raise DecisionRefused(f"{value} lies in the future.")
    known_on, start = moment("known_on"), moment("occurred_from")
    if field == "occurred_from" and known_on is not None and at.normalize() > known_on:
        raise DecisionRefused(
            f"An offense of {value} cannot have been known on {known_on:%Y-%m-%d} already. "
            "If the known date is wrong too, correct that first."
        )
    if field == "occurred_to" and start is not None and at < start:
        raise DecisionRefused(f"It would end before it began ({start:%Y-%m-%d %H:%M}).")
