"""How fast and in how much memory a large feed becomes published incidents.

Builds a feed of 8 million rows (the St. Louis rows repeated with new complaint numbers, one plain
CSV), then measures, each in a process of its own: a bare DuckDB copy of that CSV into Parquet, and
Beatbook from the feed to the published ``incidents``. Prints the ratio and the peaks.

Run by hand: ``.venv/bin/python benchmarks/ingest.py [--rows 8000000] [--folder DIR]``
"""

import argparse
import json
import multiprocessing
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SLUG = "st_louis"


def build_feed(home: Path, rows: int) -> Path:
    """Write a department like St. Louis whose feed is one CSV of so many rows."""
    import duckdb

    from beatbook.department import load_department
    from beatbook.feed import take_snapshot
    from beatbook.home import Home

    shutil.copytree(ROOT / "departments" / SLUG, home / "departments" / SLUG, dirs_exist_ok=True)
    (home / "workspace.yaml").touch()
    department = load_department(SLUG, Home(home))
    snapshot = take_snapshot(department, home / "cache")
    layouts = {layout.name: layout for layout in department.feed.layouts}
    wanted = layouts["monthly from mid-2013"].columns
    flat = {f: c for f, c in wanted.items() if isinstance(c, str) and f != "incident_number"}
    parts = []
    for file in snapshot.files:
        columns = layouts[file.layout].columns
        number, street = columns["block_address"]
        fields = ", ".join(f'"{columns[f]}" AS "{c}"' for f, c in flat.items())
        parts.append(
            f'SELECT {fields}, "{number}" AS ILEADSAddress, "{street}" AS ILEADSStreet '
            f"FROM read_parquet('{file.text_table}')"
        )
    shutil.rmtree(home / "departments" / SLUG / "feed")
    feed = home / "departments" / SLUG / "feed" / "incidents.csv"
    feed.parent.mkdir()
    copies = -(-rows // snapshot.rows)
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"CREATE TABLE months AS {' UNION ALL '.join(parts)}")
        connection.execute(
            "COPY (SELECT printf('%02d-%07d', copy, row_number() OVER ()) AS Complaint, "
            "* EXCLUDE copy, "
            "'Y' AS FlagCrime, '' AS FlagUnfounded, '' AS FlagAdministrative, '' AS FlagCleanup, "
            "'' AS LocationName, '' AS LocationComment, '' AS CADAddress, '' AS CADStreet "
            f"FROM months, range({copies}) AS copies(copy) LIMIT {rows}) "
            f"TO '{feed}' (FORMAT csv, HEADER)"
        )
    settings = home / "departments" / SLUG / "department.yaml"
    text = settings.read_text().replace("feed/*.csv.xz", "feed/*.csv")
    settings.write_text(text)
    shutil.rmtree(home / "cache")
    return feed


def bare_copy(feed: Path, out: Path) -> None:
    """What nobody can beat: DuckDB reads the CSV and writes Parquet, nothing else."""
    import duckdb

    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{feed}', all_varchar = true)) TO '{out}' (FORMAT parquet)"
    )


def publish(home: Path) -> None:
    """Feed to the published tables, with the checks that Dagster runs left out."""
    from beatbook.compstat.counts import daily_counts, weekly_counts
    from beatbook.department import load_department
    from beatbook.feed import take_snapshot
    from beatbook.home import Home
    from beatbook.incidents import clean
    from beatbook.store import Store

    department = load_department(SLUG, Home(home))
    store = Store(SLUG, Home(home))
    start = time.monotonic()
    snapshot = take_snapshot(department, store.folder / "text")
    print(f"    snapshot {time.monotonic() - start:.1f} s", flush=True)

    def say(message: str) -> None:
        print(f"    {time.monotonic() - start:5.1f} s {message}", flush=True)

    cleaned = clean(department, snapshot, store.staging, say)
    counts = weekly_counts(daily_counts(cleaned.incidents), department)
    store.publish(
        {
            "incidents": cleaned.incidents,
            "rejected_incidents": cleaned.rejected,
            "feed_files": cleaned.feed_files,
            "weekly_counts": counts,
        },
        {"feed_sha256": snapshot.sha256},
    )
    say(f"published {cleaned.accepted:,} of {cleaned.rows:,} rows")


def _child(work: Callable[..., None], arguments: tuple[Path, ...], answer: Path) -> None:
    start = time.monotonic()
    work(*arguments)
    seconds = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_SELF)
    answer.write_text(
        json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2])
    )


def measure(work: Callable[..., None], *arguments: Path) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak memory (GiB) of some work in a fresh process."""
    with tempfile.NamedTemporaryFile(suffix=".json") as answer:
        context = multiprocessing.get_context("spawn")
        child = context.Process(target=_child, args=(work, arguments, Path(answer.name)))
        child.start()
        child.join()
        if child.exitcode:
            sys.exit(f"{work.__name__} failed")
        seconds, processor, peak = json.loads(Path(answer.name).read_text())
    return seconds, processor, peak


def _line(what: str, figures: tuple[float, float, float]) -> str:
    return (
        f"{what:18} {figures[0]:6.1f} s, {figures[1]:6.1f} processor s, peak {figures[2]:.2f} GiB"
    )


def main() -> None:
    """Build the feed, measure both, print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8_000_000)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as name:
        home = Path(name)
        feed = build_feed(home, chosen.rows)
        cores = multiprocessing.cpu_count()
        print(f"{platform.platform()}, {cores} cores, Python {platform.python_version()}")
        print(f"feed: {chosen.rows:,} rows, {feed.stat().st_size / 1e9:.2f} GB")
        bare = measure(bare_copy, feed, home / "bare.parquet")
        print(_line("bare DuckDB copy", bare))
        ours = measure(publish, home)
        print(_line("feed -> published", ours))
        print(f"ratio: {ours[0] / bare[0]:.2f} of time, {ours[1] / bare[1]:.2f} of processor time")


if __name__ == "__main__":
    main()
