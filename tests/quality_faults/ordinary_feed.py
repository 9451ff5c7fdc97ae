"""Two ordinary years of a made-up city: the feed that the faults are put into.

As a feed of a real department it has late records, times that stand for unknown ones, records
without a point, a busy shop, cancellations of earlier records, and sex offenses with an address.
"""

import datetime as dt
from collections.abc import Iterator

import numpy as np

WEST, SOUTH = 700_000, 4_270_000
MONTHS = [f"{2022 + i // 12}-{1 + i % 12:02d}" for i in range(24)]
LATEST = MONTHS[-1]
"""The month that has just come; those before it have been published."""

OFFENSES = {
    # Code and words by offense, and how many come in a month.
    "Homicide": ((("010000", "HOMICIDE"),), 2),
    "Rape": ((("020000", "RAPE"),), 5),
    "Robbery": ((("031000", "ROBBERY-STREET"), ("032000", "ROBBERY-COMMERCIAL")), 24),
    "Aggravated Assault": ((("041000", "ASSAULT-AGGRAVATED"),), 44),
    "Burglary": ((("051000", "BURGLARY-RESIDENCE"), ("052000", "BURGLARY-BUSINESS")), 44),
    "Larceny": ((("061000", "LARCENY-SHOPLIFTING"), ("063000", "LARCENY-FROM VEHICLE")), 150),
    "Motor Vehicle Theft": ((("071000", "AUTO THEFT"),), 52),
    "Arson": ((("080000", "ARSON"),), 5),
    "Vandalism": ((("141000", "VANDALISM"),), 34),
}
PRECINCTS = {"1": 0.31, "2": 0.27, "3": 0.23, "4": 0.19}
STREETS = ["OAK", "ELM", "PINE", "MAPLE", "CEDAR", "WALNUT", "CHERRY", "BIRCH", "ASH", "POPLAR"]
SHOP = (WEST + 420, SOUTH + 300)

Row = dict[str, str]


def ordinary_months(seed: int = 17) -> dict[str, list[Row]]:
    """The rows of each coded month, in order; the same for the same seed."""
    rng = np.random.default_rng(seed)
    number = iter(range(1, 1_000_000))
    months: dict[str, list[Row]] = {}
    for month in MONTHS:
        rows = list(_month(month, rng, number))
        for earlier in _crimes(months.get(MONTHS[MONTHS.index(month) - 2], []))[5:9]:
            # The records section takes back what it found to be none; each once.
            rows.append({**earlier, "Count": "-1", "Month": month})
        months[month] = [rows[i] for i in rng.permutation(len(rows))]
    return months


def _month(month: str, rng: np.random.Generator, number: Iterator[int]) -> Iterator[Row]:
    first = dt.datetime.fromisoformat(f"{month}-01")
    end = (first + dt.timedelta(days=32)).replace(day=1)
    days = (end - first).days
    for offense, (codes, usual) in OFFENSES.items():
        for precinct, share in PRECINCTS.items():
            for _ in range(rng.poisson(usual * share * days / 30.4)):
                code, words = codes[int(rng.random() < 0.4) % len(codes)]
                at = end - dt.timedelta(days=1) - dt.timedelta(days=_age(days, rng))
                at += dt.timedelta(minutes=_minute(rng))
                ended = at + dt.timedelta(minutes=int(rng.integers(5, 300)))
                reported = ended + dt.timedelta(minutes=int(rng.integers(10, 900)))
                shop = offense == "Larceny" and precinct == "1" and rng.random() < 0.25
                x, y, house, street = _place(precinct, rng, shop)
                lost = rng.random() < 0.02
                recorded = precinct if rng.random() > 0.01 else str(1 + int(precinct) % 4)
                yield {
                    "Case": f"{month[2:4]}-{next(number):06d}",
                    "Code": code,
                    "Words": words,
                    "Month": month,
                    "Date": f"{at:%m/%d/%Y %H:%M}",
                    "Ended": f"{ended:%m/%d/%Y %H:%M}" if rng.random() < 0.95 else "",
                    "Reported": f"{reported:%m/%d/%Y %H:%M}",
                    "Count": "1",
                    "District": recorded,
                    "Area": f"{precinct}0",
                    "Number": str(house),
                    "Street": street,
                    "Source": "citizen" if rng.random() < 0.9 else "officer",
                    "X": "" if lost else str(x),
                    "Y": "" if lost else str(y),
                }


def _age(days: int, rng: np.random.Generator) -> int:
    """Days from occurrence to the month's end: most in the month, some much later."""
    if rng.random() < 0.92:
        return int(rng.integers(0, days))
    return int(rng.integers(days, 46)) if rng.random() < 0.4 else int(rng.integers(46, 150))


def _minute(rng: np.random.Generator) -> int:
    """Minute of the day, with the heaps of times that nobody knew."""
    drawn = rng.random()
    if drawn < 0.10:
        return 0 if drawn < 0.05 else 1 if drawn < 0.07 else 720
    return int(rng.integers(2, 1440))


def _place(precinct: str, rng: np.random.Generator, shop: bool) -> tuple[int, int, int, str]:
    """A point on one of twenty streets of its precinct, and its address."""
    if shop:
        return *SHOP, 1500, "MARKET ST"
    column, row = (int(v) for v in rng.integers(1, 24, 2))
    side, north = (int(precinct) - 1) % 2, (int(precinct) - 1) // 2
    street = f"{'NS'[north]} {STREETS[row % 10]} {'ST' if row < 10 else 'AVE'}"
    return (
        WEST + 1000 * side + 40 * column,
        SOUTH + 1000 * north + 40 * row,
        100 * column + int(rng.integers(1, 99)),
        street,
    )


def _crimes(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["Count"] == "1"]
