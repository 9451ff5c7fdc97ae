"""Pile-ups by hand: a station's point is one, a busy crossing and a mall are none."""

import duckdb
import pandas as pd
import pytest

from beatbook.quality.pile_ups import pile_ups, point_statistics

NAMES = ["OAK", "ELM", "PINE", "MAPLE", "CEDAR", "BIRCH", "WALNUT", "ASH", "LINDEN", "POPLAR",
         "CHERRY", "SPRUCE", "HAZEL", "ALDER", "YEW", "FIR", "LARCH", "BEECH", "PLUM"]  # fmt: skip
KINDS = ["Fraud", "Larceny", "Simple Assault", "Vandalism", "Burglary", "Robbery"]


def statistics(rows):
    records = pd.DataFrame(rows, columns=["x", "y", "offense", "address"]).astype(
        {"x": "float64", "y": "float64", "offense": "str", "address": "str"}
    )
    with duckdb.connect() as connection:
        connection.register("records", records)
        return point_statistics(connection, "records")


def around(x, y, number=25):
    """Ordinary addresses nearby, one record each."""
    return [(x + 10 * i, y + 5, "Larceny", f"{100 * i} block of ELM ST") for i in range(1, number)]


def at(x, y, number, addresses, kinds=KINDS):
    return [(x, y, kinds[i % len(kinds)], addresses[i % len(addresses)]) for i in range(number)]


def flagged(rows):
    found = pile_ups(statistics(rows))
    return found[found["pile_up"]]


def test_what_a_point_holds_is_counted_by_hand():
    rows = [
        (0, 0, "Larceny", "100 block of N MAIN ST"),
        (0, 0, "Larceny", "MAIN ST / OAK AVE"),
        (0, 0, "Fraud", "PINE ST & OAK AVE"),
    ] * 7 + [(0, 0, "Arson", "900 block of FAR RD"), (0, 0, "Arson", None)]
    (row,) = statistics(rows).to_dict("records")
    assert row["records"] == 23 and row["unrelated"] == 9 and row["addressed"] == 22
    # MAIN, OAK and PINE are its streets; FAR RD is not.
    assert row["strangers"] == 1
    # exp of the entropy of 14, 7 and 2 of 23.
    assert row["offenses"] == pytest.approx(2.4027, abs=1e-3)


def test_a_station_that_holds_the_whole_citys_reports_is_a_pile_up():
    streets = [f"{100 * i} block of {name} ST" for i, name in enumerate(NAMES[:12])]
    found = flagged(around(0, 0) + at(0, 0, 36, streets))
    assert list(found["records"]) == [36]
    assert found["strangers"].iloc[0] == 27 and found["around"].iloc[0] == 0


@pytest.mark.parametrize(
    ("addresses", "kinds"),
    [
        # A mall: many records of one address.
        (["3400 block of GRAND BLVD"], KINDS),
        # A crossing and its ramp: three streets in any order.
        (["A ST / B AVE", "B AVE / A ST", "RAMP / A ST", "200 block of B AVE"], KINDS),
        # One offense alone is a hot spot, wherever the addresses are.
        ([f"{100 * i} block of {name} ST" for i, name in enumerate(NAMES[:12])], ["Larceny"]),
    ],
)
def test_a_busy_place_is_none(addresses, kinds):
    assert flagged(around(0, 0) + at(0, 0, 200, addresses, kinds)).empty


def test_nineteen_records_are_too_few_to_tell():
    streets = [f"{100 * i} block of {name} ST" for i, name in enumerate(NAMES)]
    assert flagged(around(0, 0) + at(0, 0, 19, streets)).empty


def test_without_addresses_only_a_singular_point_is_one():
    city = [(50.0 * i, 900.0, KINDS[i % 6], None) for i in range(400) for _ in range(5)]
    assert list(flagged(city + at(-500, 0, 300, [None]))["records"]) == [300]
    # Ten points as busy as that one: it is not singular.
    busy = [row for i in range(12) for row in at(-5000 - 900 * i, 0, 300, [None])]
    assert flagged(city + busy).empty


def test_no_points_are_no_pile_ups():
    assert pile_ups(statistics([])).empty
