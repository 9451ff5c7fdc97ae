"""What the quality suite would have said at the end of each month, and how often in vain.

    python -m benchmarks.quality_history [--department SLUG] [--from 2012-01] [--json FILE]

The rules on wholes are run as of each month's end, as if the later files had not come. The rules on
single records say the same of a record in every run, so they are run once; a record counts in the
month in which it was coded. Prints a table in Markdown: each month with the rules of severity
warning or critical that found something new in it, and the number of items for the queue.
"""

import argparse
import calendar
import datetime as dt
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from beatbook.department import load_department
from beatbook.feed import Snapshot
from beatbook.home import find_home
from beatbook.quality.evidence import EVIDENCE
from beatbook.quality.staged import open_staged
from beatbook.store import Store
from expectations.checking import STAGED, findings
from expectations.department_rules import suite_for
from expectations.frames import records_frame
from expectations.runner import Frame, RuleResult, import_ahead, run_rules

ONCE = ("block_addresses", "cancellations", "swapped_points")
"""Evidence of one row a record."""


def main() -> None:
    """Run the suite month by month and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", default="st_louis")
    parser.add_argument("--from", dest="start", default="2012-01")
    parser.add_argument("--to", dest="stop", default="9999-12")
    parser.add_argument("--tables", type=Path, help="folder of staged tables; the published ones")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    home = find_home()
    department = load_department(chosen.department, home)
    store = Store(department.slug, home)
    snapshot = Snapshot.load(store.folder / "snapshot.json")
    folder = chosen.tables or _linked(store)
    import_ahead().join()
    rules = [(table, rule) for table in STAGED for rule in suite_for(table, department).rules]
    wholes = [(t, r) for t, r in rules if r.evidence and r.evidence not in (*ONCE, "weekly_sums")]
    months: dict[str, list[dict[str, Any]]] = {}
    with open_staged(folder, department, snapshot) as staged:
        ends = [p.end for p in staged.periods if chosen.start <= p.name <= chosen.stop]
        manifest = staged.ask(
            "SELECT feed_files.*, known_on FROM feed_files JOIN (SELECT source_file, "
            "max(known_on) AS known_on FROM file_days GROUP BY 1) AS days ON source_file = file"
        )
        coded = manifest.set_index("file")["known_on"].dt.strftime("%Y-%m")
        single = _run([(t, r) for t, r in rules if t == "incidents" and not r.evidence],
                      {"incidents": records_frame(staged)})  # fmt: skip
        single += _run(
            [(t, r) for t, r in rules if r.evidence in ONCE],
            {name: Frame(EVIDENCE[name](staged), ("record_key",)) for name in ONCE},
        )
        for found in findings(single).to_dict("records"):
            months.setdefault(coded.get(found["source_file"], "?"), []).append(found)
    known: set[tuple[str, str]] = set()
    for end in ends:
        begun = time.perf_counter()
        until = pd.Timestamp(end)
        before = manifest[manifest["known_on"] < until.replace(day=1)].drop(columns="known_on")
        with open_staged(folder, department, snapshot, end, before) as staged:
            names = {rule.evidence for _, rule in wholes}
            frames = {name: Frame(EVIDENCE[name](staged), ("record_key",)) for name in names}
            results = _run(wholes, frames)
        for found in findings(results).to_dict("records"):
            item = (found["check"], found["record_key"])
            if item not in known:
                known.add(item)
                months.setdefault(f"{end:%Y-%m}", []).append(found)
        print(f"{end:%Y-%m} {time.perf_counter() - begun:.1f} s", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(months, default=str, indent=1))
    _print(months, ends)


def _run(rules: list[tuple[str, Any]], frames: dict[str, Frame]) -> list[RuleResult]:
    out = []
    for name, frame in frames.items():
        for table in STAGED:
            mine = [rule for of, rule in rules if of == table and (rule.evidence or of) == name]
            if mine:
                out += run_rules(mine, frame, table)
    return out


def _linked(store: Store) -> Path:
    """The published tables under the names that staged ones have."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="beatbook-"))
    for name in STAGED:
        (folder / f"{name}.parquet").symlink_to(store.find(name).path.resolve())
    return folder


def _print(months: dict[str, list[dict[str, Any]]], ends: list[dt.date]) -> None:
    print("\n| month | rules that fired | items |\n|---|---|---|")
    fired = {}
    for end in ends:
        name = f"{end:%Y-%m}"
        found = [row for row in months.get(name, []) if row["severity"] != "info"]
        counts = Counter(row["check"] for row in found)
        fired[name] = counts
        said = ", ".join(f"{check} ({n})" if n > 1 else check for check, n in counts.items())
        print(f"| {name} | {said} | {sum(counts.values())} |")
    sizes = sorted(len(counts) for counts in fired.values())
    whole = [sum(1 for c in counts if c not in _SINGLE) for counts in fired.values()]
    print(f"\nrules fired a month: median {sizes[len(sizes) // 2]}, most {sizes[-1]}")
    print(f"rules on wholes fired a month: {sorted(Counter(whole).items())}")
    print(f"months: {len(ends)} of {calendar.month_name[1]} to December")


_SINGLE = {"occurred_before_known", "occurred_since_1990", "cancellations_cancel_something"}


if __name__ == "__main__":
    main()
