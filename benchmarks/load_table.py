"""How long an analyst waits for a table: ``load_table`` beside plain ``pandas.read_parquet``.

Run by hand from the repository's root, after the tables have been built:
    python benchmarks/load_table.py [--department st_louis] [--times 5]

Each figure is of a process of its own, the best and the median of several; the file has been read
before, so it lies in the system's cache. ``call`` is the call alone, ``with import`` also the
import of the library, which for pandas alone is most of it.
"""

import argparse
import json
import statistics
import subprocess
import sys

from beatbook.store import Store

BEATBOOK = """
import json, time
start = time.perf_counter()
from beatbook import load_table
imported = time.perf_counter()
frame = load_table("incidents", {department!r}{options})
done = time.perf_counter()
print(json.dumps([done - imported, done - start, len(frame), frame.shape[1]]))
"""
PANDAS = """
import json, time
start = time.perf_counter()
import pandas as pd
imported = time.perf_counter()
frame = pd.read_parquet({path!r}{options})
done = time.perf_counter()
print(json.dumps([done - imported, done - start, len(frame), frame.shape[1]]))
"""
TWO = ", columns=['offense', 'occurred_from']"
YEAR = ", where=\"occurred_from >= '2019-01-01' and occurred_from < '2020-01-01'\""
FILTERS = (
    ", filters=[('occurred_from', '>=', pd.Timestamp('2019-01-01')), "
    "('occurred_from', '<', pd.Timestamp('2020-01-01'))]"
)


def main() -> None:
    """Print the table of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", default="st_louis")
    parser.add_argument("--times", type=int, default=5)
    chosen = parser.parse_args()
    path = str(Store(chosen.department).find("incidents").path)
    cases = {
        "all columns and rows": ("", ""),
        "two columns": (TWO, TWO),
        "two columns, one year": (TWO + YEAR, TWO + FILTERS),
    }
    print(f"{'':<24}{'':<12}{'call':>16}{'with import':>18}{'rows':>10}")
    for name, (ours, theirs) in cases.items():
        for library, code in (
            ("beatbook", BEATBOOK.format(department=chosen.department, options=ours)),
            ("pandas", PANDAS.format(path=path, options=theirs)),
        ):
            runs = [measured(code) for _ in range(chosen.times)]
            call, whole = ([run[k] for run in runs] for k in (0, 1))
            print(
                f"{name:<24}{library:<12}"
                f"{min(call):>8.2f} {statistics.median(call):>5.2f} s"
                f"{min(whole):>10.2f} {statistics.median(whole):>5.2f} s{runs[0][2]:>10,}"
            )


def measured(code: str) -> list[float]:
    """Run the code in a new process; give the figures it prints."""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    figures: list[float] = json.loads(ran.stdout)
    return figures


if __name__ == "__main__":
    main()
