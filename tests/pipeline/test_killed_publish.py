"""A run killed at any point of its publish: the old tables or the new, and the next run works."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from beatbook import load_table
from beatbook.incidents import clean
from beatbook.store import Store, write_parquet

TABLES = ("incidents", "rejected_incidents", "feed_files", "weekly_counts", "corrections")

# Publishes what is staged, as the publishing step does, and dies at the call that is asked for:
# at once, as when the power goes, without any handler or finally being run.
PUBLISH = """
import os, sys
from pathlib import Path
from beatbook.home import Home
from beatbook.store import Store
import beatbook.files, beatbook.store

root, die_at, when, run = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
real, calls = os.replace, []

def replace(source, target):
    calls.append(target)
    if len(calls) == die_at and when == "before":
        os._exit(9)
    real(source, target)
    if len(calls) == die_at and when == "after":
        os._exit(9)

os.replace = replace
store = Store("example", Home(root))
staged = {name: store.staging / f"{name}.parquet" for name in sys.argv[5:]}
store.publish(staged, {"run": run})
print(len(calls))
"""


@pytest.fixture
def stage(small_department):
    """Stage the tables of a feed with so many rows, cleaned once; gives the store."""
    kept = small_department.home.root / "kept"

    def stage(rows):
        store = Store("example", small_department.home)
        folder = kept / str(rows)
        if not folder.is_dir():
            small_department.write(
                "2024-01.csv", [small_department.row(Case=str(n)) for n in range(rows)]
            )
            clean(small_department.load(), small_department.snapshot(), folder)
            weeks = pd.date_range("2024-01-01", periods=rows, freq="7D", unit="us")
            counts = {"precinct": "1", "offense": "Robbery", "week": weeks, "incidents": 1}
            write_parquet(pd.DataFrame(counts), folder / "weekly_counts.parquet")
        shutil.copytree(folder, store.staging, dirs_exist_ok=True)
        return store

    return stage


def publish_here(store, run):
    store.publish({name: store.staging / f"{name}.parquet" for name in TABLES}, {"run": run})


def publish(store, run, die_at=0, when="before"):
    return subprocess.run(
        [sys.executable, "-c", PUBLISH, str(store.home.root), str(die_at), when, run, *TABLES],
        capture_output=True, text=True, timeout=120,
        cwd=Path(__file__).resolve().parents[2], env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip


def state(store):
    """What a reader sees: rows and run of each table."""
    seen = {}
    for name in TABLES:
        table = load_table(name, "example", home=store.home)
        seen[name] = (len(table), table.attrs["provenance"]["run"])
    return seen


def test_wherever_a_publish_is_killed_no_mixture_is_seen_and_the_next_works(stage):
    done = publish(stage(3), "old")
    assert done.returncode == 0, done.stderr
    calls = int(done.stdout)
    # Each table's file, and the index.
    assert calls == len(TABLES) + 1
    outcomes = []
    for die_at in range(1, calls + 1):
        for when in ("before", "after"):
            store = stage(3)
            publish_here(store, "old")
            before = state(store)
            killed = publish(stage(5), "new", die_at, when)
            assert killed.returncode == 9, killed.stderr
            seen = state(store)
            assert {run for _, run in seen.values()} in ({"old"}, {"new"})
            outcomes.append(seen["incidents"])
            if seen["incidents"][1] == "old":
                assert seen == before
            # The next run stages anew and publishes, and sweeps what the dead one left.
            publish_here(stage(4), "next")
            assert {run for _, run in state(store).values()} == {"next"}
            assert len(load_table("incidents", "example", home=store.home)) == 4
            files = [path for path in (store.folder / "tables").iterdir() if path.is_file()]
            assert len(files) == len(TABLES)
    # Only the last rename makes the new tables seen.
    assert outcomes == [(3, "old")] * (len(outcomes) - 1) + [(5, "new")]
