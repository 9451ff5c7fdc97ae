"""The steward's page: what was checked, what failed, what waits for a decision, what was decided.

One HTML file that loads nothing from anywhere: it opens from a file share, the network off.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from beatbook.book import formatting
from beatbook.book.page import TEMPLATES as BOOK_TEMPLATES
from beatbook.department import Department, load_department
from beatbook.errors import MissingTable, SettingsError
from beatbook.files import write_atomically
from beatbook.home import Home, find_home
from beatbook.incidents.corrections import CORRECTABLE
from beatbook.quality import view
from beatbook.quality.decision_file import read_decisions
from beatbook.quality.queue import ASSIGNED, CORRECTED, NEW, NOT_AN_ERROR, STATES, WAIVED
from beatbook.quality.redaction import without_house_numbers
from beatbook.quality.summary import (
    SEVERITIES,
    QualitySummary,
    load_quality,
    open_items,
    summarize,
)
from beatbook.store import Store

TEMPLATES = Path(__file__).parent / "template"

PAGE = "quality/index.html"
"""Where the page lies within the department's reports."""

#: What a steward can do with an item, the states in which it can be done, and the rest of the
#: command that does it. Double quotes: Windows' command line knows no others.
ACTIONS: tuple[dict[str, Any], ...] = (
    {
        "title": "Correct the record",
        "says": "The next run puts the new value in its place and keeps the published one beside "
        "it. An empty value empties the field.",
        "command": '--action correct --field FIELD --value "NEW VALUE" --note "WHY"',
        "states": (NEW, ASSIGNED),
        "fields": f"FIELD is one of {', '.join(CORRECTABLE)}.",
    },
    {
        "title": "It is not an error",
        "says": "The item is closed and stays closed, however often the rule finds it.",
        "command": '--action not_an_error --note "WHY"',
        "states": (NEW, ASSIGNED, WAIVED),
    },
    {
        "title": "Waive until a day",
        "says": "The item is closed until that day has passed; found again, it opens again.",
        "command": '--action waive --until YYYY-MM-DD --note "WHY"',
        "states": (NEW, ASSIGNED, WAIVED),
    },
    {
        "title": "Give it to somebody",
        "says": "The item stays open, with an owner and a day.",
        "command": '--action assign --owner "WHO" --due YYYY-MM-DD',
        "states": (NEW, ASSIGNED),
    },
    {
        "title": "Open it again",
        "says": "The last decision no longer holds; the next run takes a correction back.",
        "command": '--action reopen --note "WHY"',
        "states": (CORRECTED, WAIVED, NOT_AN_ERROR),
    },
    {
        "title": "Only write a note",
        "says": "Nothing changes but the note.",
        "command": '--action comment --note "NOTE"',
        "states": STATES,
    },
)


def command_start(department: str) -> str:
    """Give the start of every command that decides; the action follows."""
    return f"beatbook quality decide --department {department} --item ITEM"


def write_page(department: str, home: Home | None = None) -> Path:
    """Write a department's quality page.

    Parameters
    ----------
    department
        The department's short name.
    home
        The checkout; found from the current folder if not given.

    Returns
    -------
    Path
        ``reports/<department>/quality/index.html``, written atomically. It holds the first
        :data:`beatbook.quality.view.ITEMS_SHOWN` items of the queue and the last
        :data:`beatbook.quality.history.RUNS_SHOWN` runs of each rule, so that its size stays
        below 3 MB; what is left out is counted. A table that has not been built is named. No
        house number and no place of a sex offense is on it (:mod:`beatbook.quality.redaction`).
        The same tables give the same bytes.

    Raises
    ------
    UnknownDepartment, SettingsError
        If there is no such department or its settings cannot be read.
    """
    home = home or find_home()
    out = home.reports / department / PAGE
    write_atomically(out, render_page(department, home).encode("utf-8"))
    return out


def render_page(department: str, home: Home) -> str:
    """Give the page's HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = formatting.count
    style = (BOOK_TEMPLATES / "style.css").read_text(encoding="utf-8")
    style += (TEMPLATES / "quality.css").read_text(encoding="utf-8")
    return environment.get_template("index.html.j2").render(
        style=style,
        script=(TEMPLATES / "quality.js").read_text(encoding="utf-8"),
        **_content(department, home),
    )


def _content(department: str, home: Home) -> dict[str, Any]:
    settings = load_department(department, home)
    tables = load_quality(department, home)
    clock = view.Clock(settings.timezone)
    decisions, trouble = _decisions(settings)
    # Decided since the last run: the state is as it will be, and the page says that it will.
    tables = tables._replace(queue=view.by_now(tables.queue, decisions))
    pending = view.pending(tables.queue, decisions)
    summary = summarize(department, tables)
    placed = _placed(department, home, view.records_at_fault(tables, pending))
    results = tables.results if tables.results is not None else pd.DataFrame()
    checked = not results.empty
    rules = view.rule_rows(results) if checked else []
    items = (
        view.queue_rows(tables.queue, placed, clock, summary.last_checked)
        if tables.queue is not None
        else []
    )
    corrections = (
        view.correction_rows(tables.corrections, placed, clock)
        if tables.corrections is not None
        else []
    )
    files, rejected = tables.files, tables.rejected
    series = view.plot_series(results) if checked else []
    behavior = {
        # The runs' times once, and in the points their places in that list.
        **_by_time(series, clock),
        "whys": {f"{rule['table']}/{rule['check']}": rule["why"] for rule in rules},
        "start": command_start(department),
        "actions": ACTIONS,
    }
    return {
        "department": department,
        "name": settings.name,
        "facts": _facts(summary, clock, results),
        "summary": summary,
        "holding": view.holding(results) if checked else [],
        "rules": rules,
        "failed": [rule for rule in rules if rule["failed"]],
        "items": items,
        "items_in_all": 0 if tables.queue is None else len(tables.queue),
        "open_in_all": sum(summary.open_items.values()),
        "waiting_by_rule": _waiting(tables.queue),
        "series": series,
        "severities": SEVERITIES,
        "states": sorted({item["state"] for item in items}),
        "checks": sorted({(item["check"], item["name"]) for item in items}),
        "start": command_start(department),
        "trouble": trouble,
        "pending": view.pending_rows(pending, placed, clock),
        "corrections": corrections,
        "corrections_in_all": 0 if tables.corrections is None else len(tables.corrections),
        "decided": [item for item in items if item["state"] in ("waived", "not an error")],
        "files": [] if files is None else view.file_rows(files),
        "files_in_all": 0 if files is None else len(files),
        "rows_refused": 0 if rejected is None else len(rejected),
        "refused": [] if rejected is None else view.refused_rows(rejected),
        "missing": {name: table is None for name, table in tables._asdict().items()},
        "behavior": _json(behavior),
    }


def _decisions(settings: Department) -> tuple[pd.DataFrame | None, str]:
    """Read the decisions; where they cannot be read, say why rather than write no page."""
    try:
        return read_decisions(settings), ""
    except SettingsError as error:
        return None, without_house_numbers(str(error), typed=True)


def _by_time(series: list[dict[str, Any]], clock: view.Clock) -> dict[str, Any]:
    times = sorted({point[0] for line in series for point in line["points"]})
    place = {at: i for i, at in enumerate(times)}
    return {
        "times": [clock.minute(at) for at in times],
        "series": [
            {**line, "points": [[place[at], *rest] for at, *rest in line["points"]]}
            for line in series
        ],
    }


def _facts(summary: QualitySummary, clock: view.Clock, results: pd.DataFrame) -> dict[str, str]:
    waiting = [f"{number:,d} {severity}" for severity, number in summary.open_items.items()]
    facts = {
        "Last checked": clock.minute(summary.last_checked) or "never",
        "Rules": f"{summary.rules:,d} run, {summary.failing:,d} failed",
        "Waiting for a decision": ", ".join(waiting),
    }
    if summary.oldest_open:
        facts["Oldest of them"] = clock.day(summary.oldest_open)
    if not results.empty:
        facts["Runs on record"] = f"{results['run_id'].nunique():,d}"
    return facts


def _waiting(queue: pd.DataFrame | None) -> dict[str, int]:
    """Count the open items of each rule, by its id."""
    if queue is None:
        return {}
    waiting = open_items(queue)
    return {str(check): int(n) for check, n in waiting["check"].value_counts().items()}


def _placed(department: str, home: Home, records: list[str]) -> set[str]:
    """Of some records, those whose place is in the incidents; without incidents, none."""
    if not records:
        return set()
    import duckdb

    store = Store(department, home)
    # As last read, where a hold keeps that from being published: a record's code may be new.
    path = store.staging / "incidents.parquet"
    try:
        path = path if path.is_file() else store.find("incidents").path
    except MissingTable:
        return set()
    wanted = pd.DataFrame({"record_id": records}, dtype="str")
    with duckdb.connect() as connection:
        connection.register("wanted", wanted)
        try:
            rows = connection.execute(
                "SELECT record_id FROM read_parquet(?) SEMI JOIN wanted USING (record_id) "
                "WHERE x IS NOT NULL OR block_address IS NOT NULL",
                [str(path)],
            ).fetchall()
        except duckdb.IOException:
            # Published anew meanwhile: that run writes this page once more.
            return set()
    return {str(record) for (record,) in rows}


def _json(content: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
