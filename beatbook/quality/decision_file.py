"""The steward's decisions: one file a department, appended to, never rewritten.

``departments/<slug>/decisions.csv`` lies beside the settings, so that decisions are reviewed and
versioned like everything else that a department decides.
"""

import csv
import datetime as dt
import hashlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from beatbook.department import Department
from beatbook.errors import BeatbookError, InvalidInput, SettingsError
from beatbook.incidents.corrections import IN_FORCE
from beatbook.quality.values import corrected_value, refuse_revealing

FILE = "decisions.csv"
ACTIONS = ("assign", "correct", "waive", "not_an_error", "reopen", "comment")
COLUMNS = (
    "decided_at",
    "decided_by",
    "item",
    "record_key",
    "check",
    "action",
    "field",
    "value",
    "until",
    "owner",
    "due",
    "note",
    "published",
)
"""Columns of the file. ``published`` is what the feed held when a correction was decided."""

SETTLING = ("correct", "waive", "not_an_error", "reopen")
"""Actions that say what is to become of an item; the last one holds."""

LONGEST = 500

RECORD_ID = re.compile(r"[0-9a-f]{16}(-\d+)?")
_ITEM = re.compile(r"q[0-9a-f]{12}")


class DecisionRefused(InvalidInput):
    """A decision that cannot stand; the message says why, and nothing was written."""


def decisions_path(department: Department) -> Path:
    """The file of a department's decisions; it need not exist."""
    return department.folder / FILE


def read_decisions(department: Department) -> pd.DataFrame:
    """Read what has been decided, in the order in which it was.

    Parameters
    ----------
    department
        Whose ``decisions.csv``; without the file nothing has been decided.

    Returns
    -------
    DataFrame
        The columns :data:`COLUMNS` as text, ``""`` for none, times as UTC ISO 8601 with
        microseconds. A byte-order mark and either kind of line end are accepted, as a
        spreadsheet leaves them.

    Raises
    ------
    SettingsError
        If a line says something impossible, or the last line is torn, as by a machine that
        stopped while it was written. The message names each line and what is wrong with it.
    """
    path = decisions_path(department)
    if not path.is_file():
        return pd.DataFrame(columns=list(COLUMNS), dtype="str")
    where = f"{department.slug}/{FILE}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError(f"{where} is not UTF-8; save it as CSV UTF-8.") from None
    if not text:
        return pd.DataFrame(columns=list(COLUMNS), dtype="str")
    if not text.endswith(("\n", "\r")):
        raise SettingsError(
            f"{where}, line {len(text.splitlines())}: the last line has no end; it was probably "
            "cut while it was written. Complete it or take it out, and end the file with a line "
            "break. The decision in it is not in force."
        )
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    kept: list[dict[str, str]] = []
    problems: list[str] = []
    try:
        header = next(rows)
        if tuple(header) != COLUMNS:
            raise SettingsError(
                f"{where}, line 1: the columns must be {','.join(COLUMNS)}; found "
                f"{','.join(header)}."
            )
        for values in rows:
            if not values:
                continue
            problem = None
            if len(values) != len(COLUMNS):
                problem = f"{len(values)} values, not {len(COLUMNS)}"
            else:
                row = {name: value.strip() for name, value in zip(COLUMNS, values, strict=True)}
                problem = line_problem(row, department)
                kept.append(row)
            if problem:
                problems.append(f"{where}, line {rows.line_num}: {problem}")
    except csv.Error as error:
        raise SettingsError(f"{where}, line {rows.line_num}: {error}") from None
    if problems:
        more = f"\n... and {len(problems) - 5} more lines." if len(problems) > 5 else ""
        raise SettingsError("\n".join(problems[:5]) + more)
    frame = pd.DataFrame(kept, columns=list(COLUMNS), dtype="str")
    frame["decided_at"] = [_moment(text) for text in frame["decided_at"]]
    return frame.astype("str")


def line_problem(row: dict[str, str], department: Department) -> str | None:
    """Say what is wrong with one line of the file, or None.

    What needs the tables (whether the item and the record exist) is only asked when it is
    decided: a line stays valid when its record has long gone.
    """
    try:
        if not row["decided_by"]:
            return "decided_by is empty"
        _moment(row["decided_at"])
        if not _ITEM.fullmatch(row["item"]):
            return f"{row['item']!r} is no item of the queue"
        if row["action"] not in ACTIONS:
            return f"action is {row['action']!r}; it is one of {', '.join(ACTIONS)}"
        if not row["record_key"] or not row["check"]:
            return "record_key and check must be given"
        return _ACTION_PROBLEMS[row["action"]](row, department) or _text_problem(row)
    except BeatbookError as error:
        return str(error)


def _assign(row: dict[str, str], _department: Department) -> str | None:
    if not row["owner"]:
        return "assign needs an owner"
    if row["due"]:
        _day("due", row["due"])
    return None


def _waive(row: dict[str, str], _department: Department) -> str | None:
    if not row["until"]:
        return "waive needs until, the last day of the waiver"
    _day("until", row["until"])
    return None


def _correct(row: dict[str, str], department: Department) -> str | None:
    if not RECORD_ID.fullmatch(row["record_key"]):
        return "the item is not about one record, so that there is no field to correct"
    kept = corrected_value(department, row["field"], row["value"])
    if kept != row["value"]:
        return f"write the value as {kept!r}"
    return None


def _comment(row: dict[str, str], _department: Department) -> str | None:
    return None if row["note"] else "comment needs a note"


_ACTION_PROBLEMS: dict[str, Callable[[dict[str, str], Department], str | None]] = {
    "assign": _assign,
    "waive": _waive,
    "correct": _correct,
    "comment": _comment,
    "not_an_error": lambda _row, _department: None,
    "reopen": lambda _row, _department: None,
}


def _text_problem(row: dict[str, str]) -> str | None:
    for name in ("note", "owner", "decided_by"):
        text = row[name]
        if len(text) > LONGEST:
            return f"{name} is longer than {LONGEST} characters"
        if text.startswith(("=", "+", "-", "@")):
            return f"{name} begins with {text[0]}, which a spreadsheet takes for a formula"
        if any(ord(letter) < 32 for letter in text):
            return f"{name} holds a line break or another control character"
        refuse_revealing(text)
    return None


def _moment(text: str) -> str:
    """A time as UTC text of one width, so that times compare as text."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(
            f"decided_at is {text!r}; it is a UTC time such as 2024-05-01T14:30:00+00:00"
        )
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _day(name: str, text: str) -> dt.date:
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise InvalidInput(f"{name} is {text!r}; write the day as 2024-05-01")


def corrections_in_force(decisions: pd.DataFrame) -> pd.DataFrame:
    """List the corrections that nothing later has taken back.

    Parameters
    ----------
    decisions
        From :func:`read_decisions`.

    Returns
    -------
    DataFrame
        Columns :data:`beatbook.incidents.corrections.IN_FORCE`, one row a record and field: the
        last correction of it. A later waive, not_an_error or reopen of its item takes a
        correction back.
    """
    settling = decisions[decisions["action"].isin(SETTLING)]
    # Any other decision on the item, anywhere below, withdraws the corrections above it.
    below = (settling["action"] != "correct")[::-1]
    withdrawn = below.groupby(settling["item"][::-1]).cummax()[::-1].astype(bool)
    made = settling[(settling["action"] == "correct") & ~withdrawn]
    made = made.drop_duplicates(["record_key", "field"], keep="last")
    out = made.rename(columns={"record_key": "record_id"})
    return out[list(IN_FORCE)].reset_index(drop=True)


def decisions_sha256(decisions: pd.DataFrame) -> str:
    """Hash what has been decided: equal decisions, equal hash, whatever the line ends are."""
    said = "\n".join(
        "\x1f".join(row) for row in decisions[list(COLUMNS)].itertuples(index=False, name=None)
    )
    return hashlib.sha256(said.encode()).hexdigest()


def append_line(path: Path, row: dict[str, str]) -> None:
    """Add one decision to the file, and have it on the disk when this returns.

    Only to be called under the lock of the decisions. A new file begins with a byte-order mark,
    without which a spreadsheet misreads accents; an old one keeps its kind of line end.
    """
    old = path.read_bytes() if path.is_file() else b""
    end = "\r\n" if old.partition(b"\n")[0].endswith(b"\r") else "\n"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator=end)
    if not old.removeprefix(b"\xef\xbb\xbf"):
        writer.writeheader()
    writer.writerow(row)
    content = out.getvalue().encode("utf-8")
    if not old:
        content = b"\xef\xbb\xbf" + content
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
