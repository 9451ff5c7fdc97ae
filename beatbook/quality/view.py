"""What the steward's page says, as plain values: every figure formatted, every text fit to show."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from beatbook.book import formatting
from beatbook.incidents.corrections import CORRECTABLE
from beatbook.quality.decision_file import RECORD_ID
from beatbook.quality.decisions import state_by_now
from beatbook.quality.history import RuleHistory, rule_histories, rules_by_run
from beatbook.quality.queue import OPEN_STATES
from beatbook.quality.redaction import is_place, shown_values, without_house_numbers
from beatbook.quality.summary import SEVERITIES, QualityTables, holding_rules, latest_results

ITEMS_SHOWN = 1_000
"""Items of the queue that a page holds, open ones first; the rest are counted."""

LONGEST_TEXT = 240
"""A value longer than this is cut on the page; the table holds it whole."""

_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class Clock:
    """Run times, which the tables hold in UTC, as the department's clock shows them."""

    def __init__(self, timezone: str) -> None:
        self.zone = ZoneInfo(timezone)

    def local(self, utc: Any) -> dt.datetime | None:
        """Give the local time of an ISO text in UTC; None if there is none."""
        if formatting.is_missing(utc) or not str(utc):
            return None
        try:
            moment = dt.datetime.fromisoformat(str(utc))
        except ValueError:
            return None
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(self.zone)

    def day(self, utc: Any) -> str:
        """Write the local day: ``Jan 6, 2020``."""
        moment = self.local(utc)
        return formatting.day(moment) if moment else ""

    def minute(self, utc: Any) -> str:
        """Write the local day and time: ``Jan 6, 2020, 06:00``."""
        moment = self.local(utc)
        return f"{formatting.day(moment)}, {moment:%H:%M}" if moment else ""

    def days_between(self, earlier: Any, later: Any) -> int | None:
        """Count the local days from one time to another."""
        first, last = self.local(earlier), self.local(later)
        return (last.date() - first.date()).days if first and last else None


def rule_rows(results: pd.DataFrame) -> list[dict[str, Any]]:
    """Lay out the rules of the last checks: those that failed first, the gravest of them first.

    Parameters
    ----------
    results
        ``quality_results``, all runs.
    """
    histories = rule_histories(results)
    latest = latest_results(results).copy()
    latest["failed"] = ~latest["passed"].astype(bool)
    latest["rank"] = latest["severity"].map(_RANK).fillna(len(SEVERITIES))
    latest = latest.sort_values(
        ["failed", "rank", "failing", "table", "check"], ascending=[False, True, False, True, True]
    )
    return [_rule(row, histories) for row in latest.to_dict("records")]


def _rule(row: Mapping[Any, Any], histories: dict[tuple[str, str], RuleHistory]) -> dict[str, Any]:
    history = histories[row["table"], row["check"]]
    share = row["share"]
    return {
        "table": row["table"],
        "check": row["check"],
        "name": named(row["check"]),
        "severity": row["severity"],
        "rank": _RANK.get(row["severity"], len(SEVERITIES)),
        "why": row["why"],
        "failed": bool(row["failed"]),
        "checked": int(row["checked"]),
        "failing": int(row["failing"]),
        "share": None if formatting.is_missing(share) else float(share),
        "share_text": "" if formatting.is_missing(share) else share_text(float(share)),
        "observed": shortened(without_house_numbers(_text(row["observed"]))),
        "compared": history.compared(),
        "sparkline": history.sparkline() if len(history.points) > 1 else "",
        "spoken": history.spoken(),
    }


def plot_series(results: pd.DataFrame) -> list[dict[str, Any]]:
    """Give what the plot can show: the rules that failed by run, then each rule's failures."""
    series = [
        {
            "name": "All rules: how many failed",
            "unit": "rules",
            "key": "",
            "points": rules_by_run(results),
        }
    ]
    series += [
        {
            "name": f"{named(check)} ({table})",
            # Records, files, weeks: a rule may look at any of them.
            "unit": "",
            "key": f"{table}/{check}",
            "points": history.points,
        }
        for (table, check), history in sorted(rule_histories(results).items())
    ]
    return series


def queue_rows(
    queue: pd.DataFrame, placed: set[str], clock: Clock, now: str | None
) -> list[dict[str, Any]]:
    """Lay out the queue: open items first, the gravest and then the oldest of them first.

    Parameters
    ----------
    queue
        ``quality_queue``.
    placed
        Ids of records whose place is published (see :func:`shown_values`).
    clock
        The department's.
    now
        The time (UTC, ISO 8601) by which the age of an item is counted: the last check.

    Returns
    -------
    list of dict
        At most :data:`ITEMS_SHOWN`.
    """
    ordered = queue.assign(
        closed=~queue["state"].isin(OPEN_STATES),
        rank=queue["severity"].map(_RANK).fillna(len(SEVERITIES)),
    ).sort_values(["closed", "rank", "first_seen", "check", "record_key", "field"])
    kept = shown_values(ordered.head(ITEMS_SHOWN), ("observed",), "record_key", placed)
    return [_item(row, clock, now) for row in kept.to_dict("records")]


def _item(row: Mapping[Any, Any], clock: Clock, now: str | None) -> dict[str, Any]:
    field, source_row = _text(row["field"]), row["source_row"]
    is_record = RECORD_ID.fullmatch(_text(row["record_key"])) is not None
    return {
        "item": row["item"],
        "table": row["table"],
        "check": row["check"],
        "name": named(row["check"]),
        "severity": row["severity"],
        "rank": _RANK.get(row["severity"], len(SEVERITIES)),
        "record": shortened(without_house_numbers(_text(row["record_key"]))),
        "records": int(row["records"]) if not formatting.is_missing(row.get("records")) else 1,
        "field": field,
        "observed": shortened(row["observed"]),
        "expected": shortened(without_house_numbers(_text(row["expected"]))),
        "source_file": _text(row["source_file"]),
        "source_row": None if formatting.is_missing(source_row) else int(source_row),
        # None: nothing to correct; "": a record, but which of its fields is for the steward.
        "correct": (field if field in CORRECTABLE else "") if is_record else None,
        "first_seen": clock.day(row["first_seen"]),
        "first_seen_utc": _text(row["first_seen"]),
        "last_seen": clock.day(row["last_seen"]),
        "days_open": clock.days_between(row["first_seen"], now or row["last_seen"]),
        "times_seen": int(row["times_seen"]),
        "open": row["state"] in OPEN_STATES,
        "reopened": int(row["reopened"]),
        **_decision(row, clock),
    }


def _decision(row: Mapping[Any, Any], clock: Clock) -> dict[str, Any]:
    return {
        "state": row["state"],
        "waived_until": _text(row["waived_until"]),
        "owner": _text(row["owner"]),
        "due": _text(row["due"]),
        "note": shortened(without_house_numbers(_text(row["note"]), typed=True)),
        "decided_by": _text(row["decided_by"]),
        "decided_at": clock.day(row["decided_at"]),
    }


def by_now(queue: pd.DataFrame | None, decisions: pd.DataFrame | None) -> pd.DataFrame | None:
    """Bring the states of a queue up to what has been decided since the run that made it."""
    if queue is None or decisions is None or decisions.empty:
        return queue
    touched = queue["item"].isin(set(decisions["item"]))
    out = queue.copy()
    out.loc[touched, "state"] = [
        state_by_now(row, decisions) for _place, row in queue[touched].iterrows()
    ]
    return out


def pending(queue: pd.DataFrame | None, decisions: pd.DataFrame | None) -> pd.DataFrame:
    """Keep the decisions that the last run did not know of, with their item's table and source."""
    if queue is None or decisions is None:
        return pd.DataFrame(columns=["record_key", "field"], dtype="str")
    known = queue[["item", "decided_at", "table", "source_file", "source_row"]]
    made = decisions.merge(
        known.rename(columns={"decided_at": "applied"}), on="item", validate="m:1"
    )
    return made[made["decided_at"] > made["applied"].astype("str").fillna("")]


def pending_rows(made: pd.DataFrame, placed: set[str], clock: Clock) -> list[dict[str, Any]]:
    """Lay out the decisions that wait for the next run, the latest first."""
    if made.empty:
        return []
    latest = made.sort_values("decided_at", ascending=False).head(ITEMS_SHOWN)
    # A correction's field is the one it corrects: that is what its value belongs to.
    shown = shown_values(latest, ("value",), "record_key", placed)
    return [
        {
            "action": named(row["action"]),
            "name": named(row["check"]),
            "record": shortened(without_house_numbers(row["record_key"])),
            "field": row["field"],
            "value": shortened(row["value"]),
            "details": " ".join(
                f"{word} {row[column]}"
                for word, column in (("until", "until"), ("to", "owner"), ("by", "due"))
                if row[column]
            ),
            "by": row["decided_by"],
            "on": clock.minute(row["decided_at"]),
            "note": shortened(without_house_numbers(row["note"], typed=True)),
        }
        for row in shown.to_dict("records")
    ]


def correction_rows(
    corrections: pd.DataFrame, placed: set[str], clock: Clock
) -> list[dict[str, Any]]:
    """Lay out the corrections: those without effect first, then the latest first."""
    ordered = corrections.sort_values(["took_effect", "decided_at"], ascending=[True, False])
    shown = shown_values(
        ordered.head(ITEMS_SHOWN), ("published_value", "corrected_value"), "record_id", placed
    )
    return [
        {
            "record": row["record_id"],
            "field": row["field"],
            "published": shortened(row["published_value"]),
            "corrected": shortened(row["corrected_value"]),
            "took_effect": bool(row["took_effect"]),
            "reason": shortened(without_house_numbers(_text(row.get("reason")))),
            "by": _text(row["decided_by"]),
            "on": clock.day(row["decided_at"]),
            "note": shortened(without_house_numbers(_text(row["note"]), typed=True)),
            "source_file": _text(row["source_file"]),
            "source_row": (
                None if formatting.is_missing(row["source_row"]) else int(row["source_row"])
            ),
        }
        for row in shown.to_dict("records")
    ]


def refused_rows(rejected: pd.DataFrame) -> list[dict[str, Any]]:
    """Count the refused rows by reason and field, with the first of each to look at."""
    rows = []
    for (reason, field), group in rejected.groupby(["reason", "field"], dropna=False):
        ordered = group.sort_values(["source_file", "source_row"])
        first = ordered.head(3)
        rows.append(
            {
                "reason": named(_text(reason)),
                "field": _text(field),
                "expected": shortened(without_house_numbers(_text(first["expected"].iloc[0]))),
                "rows": len(group),
                "files": int(group["source_file"].nunique()),
                # A source row, not its value: what the field held may be an address or a name.
                "first": [
                    f"{file}, row {row:,d}"
                    for file, row in zip(first["source_file"], first["source_row"], strict=True)
                ],
            }
        )
    return sorted(rows, key=lambda row: (-row["rows"], row["reason"]))


def file_rows(files: pd.DataFrame, most: int = 24) -> list[dict[str, Any]]:
    """Lay out the feed's files: those with refused rows first, then the newest by name."""
    newest = files.sort_values("file", ascending=False)
    ordered = pd.concat([newest[newest["rejected"] > 0], newest[newest["rejected"] == 0]])
    return [
        {
            "file": row["file"],
            "layout": row["layout"],
            "rows": int(row["rows"]),
            "accepted": int(row["accepted"]),
            "rejected": int(row["rejected"]),
            "unused": shortened(_text(row["unused_columns"])),
        }
        for row in ordered.head(most).to_dict("records")
    ]


def records_at_fault(tables: QualityTables, decided: pd.DataFrame) -> list[str]:
    """List the records of queue, decisions and corrections whose values include a place."""
    named_records: set[str] = set()
    for frame, record in (
        (tables.queue, "record_key"), (decided, "record_key"), (tables.corrections, "record_id"),
    ):  # fmt: skip
        if frame is not None:
            places = frame["field"].fillna("").map(is_place).astype(bool)
            named_records |= set(frame.loc[places, record].dropna())
    return sorted(named_records)


def holding(results: pd.DataFrame) -> list[str]:
    """Name the rules that keep the tables from being published."""
    return sorted({named(check) for check in holding_rules(latest_results(results))["check"]})


def named(check: str) -> str:
    """Write a rule's id as words."""
    return check.replace("_", " ")


def share_text(share: float) -> str:
    """Write a share: ``0.3 %``; one that rounds to nothing but is not, ``under 0.1 %``."""
    return "under 0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"


def shortened(value: Any) -> str:
    """Cut a text that is too long for a page."""
    text = _text(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1].rstrip()}…"


def _text(value: Any) -> str:
    return "" if formatting.is_missing(value) else str(value)
