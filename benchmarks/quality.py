"""How long the whole quality suite takes on the largest department, and how much memory.

    python -m benchmarks.quality [--department SLUG] [--staging FOLDER]

Cleans the feed (or takes a folder of staged tables), then, each in a process of its own: the suite
as a run calls it (`check_staged`, with the import of Great Expectations); its parts one after the
other; and the same record rules written in plain pandas, as a yardstick. Prints seconds on the
clock, seconds of processor time, and the peak of memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", default="st_louis")
    parser.add_argument("--staging", type=Path)
    parser.add_argument("--only", choices=("whole", "parts", "pandas"))
    chosen = parser.parse_args()
    if chosen.only:
        measured = {"whole": _whole, "parts": _parts, "pandas": _pandas}[chosen.only]
        began, used = time.perf_counter(), time.process_time()
        told = measured(chosen.department, chosen.staging)
        import resource

        told |= {
            "seconds": round(time.perf_counter() - began, 2),
            "processor": round(time.process_time() - used, 2),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(json.dumps(told))
        return
    with tempfile.TemporaryDirectory() as scratch:
        staging = chosen.staging or _stage(chosen.department, Path(scratch))
        print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for name in ("whole", "parts", "pandas"):
            ran = subprocess.run(
                [sys.executable, "-m", "benchmarks.quality", "--only", name,
                 "--department", chosen.department, "--staging", str(staging)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            print(name, json.loads(ran.stdout.splitlines()[-1]))


def _stage(slug: str, scratch: Path) -> Path:
    from beatbook.compstat.counts import daily_counts, weekly_counts
    from beatbook.department import load_department
    from beatbook.feed import take_snapshot
    from beatbook.incidents import clean
    from beatbook.store import write_parquet
    from beatbook.tables import WEEKLY_COUNTS

    department = load_department(slug)
    snapshot = take_snapshot(department, scratch / "text")
    snapshot.save(scratch / "snapshot.json")
    cleaned = clean(department, snapshot, scratch / "staging")
    counts = weekly_counts(daily_counts(cleaned.incidents), department)
    write_parquet(WEEKLY_COUNTS.conform(counts), scratch / "staging" / "weekly_counts.parquet")
    return scratch / "staging"


def _whole(slug: str, staging: Path) -> dict[str, Any]:
    from beatbook.home import find_home
    from expectations.checking import check_staged, findings

    results = check_staged(staging, slug, find_home())
    found = findings(results)
    return {"rules": len(results), "failed": sum(not r.passed for r in results),
            "findings": len(found)}  # fmt: skip


def _parts(slug: str, staging: Path) -> dict[str, Any]:
    from beatbook.department import load_department
    from beatbook.feed import Snapshot
    from beatbook.quality.evidence import EVIDENCE
    from beatbook.quality.staged import open_staged
    from expectations.checking import STAGED
    from expectations.department_rules import suite_for
    from expectations.frames import records_frame
    from expectations.runner import Frame, import_ahead, run_rules

    def since(mark: float) -> float:
        return round(time.perf_counter() - mark, 2)

    told: dict[str, Any] = {}
    mark = time.perf_counter()
    import_ahead().join()
    told["import"] = since(mark)
    department = load_department(slug)
    mark = time.perf_counter()
    with open_staged(
        staging, department, Snapshot.load(staging.parent / "snapshot.json")
    ) as staged:
        frames = {}
        for name, evidence in EVIDENCE.items():
            one = time.perf_counter()
            frames[name] = Frame(evidence(staged), ("record_key",))
            told[f"evidence {name}"] = since(one)
        one = time.perf_counter()
        frames["incidents"] = records_frame(staged)
        told["records read"] = since(one)
        told["evidence"] = since(mark)
        mark = time.perf_counter()
        for table in STAGED:
            rules = suite_for(table, department).rules
            for name, frame in frames.items():
                mine = [rule for rule in rules if (rule.evidence or table) == name]
                if mine:
                    run_rules(mine, frame, table)
        told["rules"] = since(mark)
    return told


def _pandas(_slug: str, staging: Path) -> dict[str, Any]:
    """The rules on records, each as one line of pandas on the whole table."""
    import pandas as pd

    table = pd.read_parquet(staging / "incidents.parquet")
    end = table["known_on"] + pd.Timedelta(days=1)
    age = (table["known_on"] - table["occurred_from"]).dt.days
    broken = [
        table["record_id"].duplicated(keep=False),
        table[["offense_code", "offense", "count", "known_on"]].isna().any(axis=1),
        ~table["count"].isin([1, -1]),
        table["offense"].isin(["Unmapped"]),
        table["occurred_from"] >= end,
        table["known_on"] > pd.Timestamp.now(),
        table["occurred_from"].dt.year < 1990,
        age > 3653,
        table["occurred_to"] < table["occurred_from"],
        table["unread_fields"].notna(),
        table["precinct_source"].isin(["unlisted"]),
        ~table["location_quality"].isin(["exact", "block", "pile_up", "outside", "missing"]),
        table["location_quality"].isin(["outside"]),
        table["precinct_disagrees"],
        table["ucr_code"].isin(["02", "17"]) & table["x"].notna(),
        table["block_address"].str.match(r"^\d*(?:[1-9]\d|\d[1-9]|[1-9]) block of ").fillna(False),
    ]
    return {"rules": len(broken), "findings": sum(int(rows.sum()) for rows in broken)}


if __name__ == "__main__":
    main()
