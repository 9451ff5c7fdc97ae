"""How complete a department's last weeks are when a month ends: what `book.late_coding` says.

For each month end of the years given: the net Part I count of the last weeks as it was known
then, as a share of what is known of them now. Prints the mean and standard deviation a week.

Run by hand on published tables:
``.venv/bin/python benchmarks/late_coding.py --department st_louis --from 2016 --to 2018``
"""

import argparse

import numpy as np
import pandas as pd

from beatbook import load_table
from beatbook.offenses import PART_ONE


def shares(incidents: pd.DataFrame, month_end: pd.Timestamp, weeks: int) -> list[float]:
    """The share known of each of the last weeks, the latest first."""
    found = []
    for back in range(weeks):
        end = month_end - pd.Timedelta(days=7 * back)
        within = incidents["occurred_from"].dt.normalize().between(end - pd.Timedelta(days=6), end)
        week = incidents[within]
        known = week.loc[week["known_on"] <= month_end, "count"].sum()
        found.append(known / week["count"].sum())
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--department", required=True)
    parser.add_argument("--from", dest="first", type=int, required=True)
    parser.add_argument("--to", dest="last", type=int, required=True)
    parser.add_argument("--weeks", type=int, default=5)
    chosen = parser.parse_args()
    columns = ["occurred_from", "known_on", "offense", "count"]
    incidents = load_table("incidents", chosen.department, columns=columns)
    incidents = incidents[incidents["offense"].isin(PART_ONE)]
    ends = pd.date_range(f"{chosen.first}-01-31", f"{chosen.last}-12-31", freq="ME")
    table = np.array([shares(incidents, end, chosen.weeks) for end in ends])
    print(f"{len(ends)} month ends")
    for back, (mean, spread) in enumerate(
        zip(table.mean(axis=0), table.std(axis=0, ddof=1), strict=True), 1
    ):
        print(f"week {back} back: {mean:.3f}, sd {spread:.3f}")


if __name__ == "__main__":
    main()
