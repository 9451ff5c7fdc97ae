"""What of the city's layers lies in one precinct of the made-up city."""

import datetime as dt

import pandas as pd
import pytest

from beatbook.compstat.precinct_areas import precinct_outline
from beatbook.errors import InvalidInput
from beatbook.hotspots.precinct_places import (
    blocks_of,
    clusters_on,
    place_names,
    zones_by_place,
    zones_on,
)
from beatbook.hotspots.zones import zone_frame

DAY = dt.date(2024, 1, 14)
WEST, SOUTH = 700_000, 4_270_000


@pytest.fixture
def department(small_department):
    return small_department.load()


@pytest.fixture
def ground(department):
    """Precinct 1: the south-west square kilometer."""
    return precinct_outline(department, pd.DataFrame(), "1", DAY).ground


def zones(department, *centers, offense="Burglary"):
    frame = pd.DataFrame(
        {
            "offense": offense,
            "x": [WEST + x for x, _ in centers],
            "y": [SOUTH + y for _, y in centers],
            "inner_m": 0.0,
            "outer_m": 200.0,
            "opens": pd.Timestamp("2024-01-14"),
            "closes": pd.date_range("2024-01-15", periods=len(centers)),
            "ratio": [2.0 + n for n in range(len(centers))],
        }
    )
    return zone_frame(frame, department.crs)


def test_zones_that_reach_into_the_precinct_are_its_own(department, ground):
    found = zones_on(zones(department, (500, 500), (1100, 500), (1500, 500)), ground)
    assert found["x"].tolist() == [WEST + 500, WEST + 1100]


def test_zones_are_summed_by_the_neighborhood_of_their_center(department):
    found = zones_by_place(zones(department, (500, 500), (600, 500), (1100, 500)), department)
    assert found[["place", "zones", "ratio"]].values.tolist() == [
        ["Quarter 2", 1, 4.0],
        ["Quarter 1", 2, 3.0],
    ]
    assert found["closes"].tolist() == [pd.Timestamp("2024-01-17"), pd.Timestamp("2024-01-16")]


def test_without_a_zone_or_named_areas_nothing_breaks(small_department):
    department = small_department.load()
    assert zones_by_place(zones(department), department).empty
    bare = small_department.set(areas={"neighborhood": None}, book={"map_area": "precinct"}).load()
    assert place_names(pd.DataFrame({"x": [0.0], "y": [0.0]}), bare).tolist() == [""]


def test_clusters_beyond_chance_that_reach_into_the_precinct(department, ground):
    clusters = pd.DataFrame(
        {
            "offense": "Burglary",
            "x": [WEST + 500.0, WEST + 1200.0, WEST + 1600.0, WEST + 500.0],
            "y": SOUTH + 500.0,
            "radius_m": [100.0, 250.0, 250.0, 100.0],
            "ratio": 3.0,
            "p": [0.04, 0.01, 0.01, 0.06],
        }
    )
    found = clusters_on(clusters, ground, department)
    assert found["p"].tolist() == [0.01, 0.04]
    assert found["place"].tolist() == ["Quarter 2", "Quarter 1"]
    assert clusters_on(clusters.iloc[:0], ground, department).empty


def incidents(rows):
    each = [(b, p, o) for b, p, o, count in rows for _ in range(count)]
    frame = pd.DataFrame(each, columns=["block_address", "precinct", "offense"]).astype("str")
    return frame.assign(
        known_on=pd.Timestamp("2024-01-10"),
        occurred_from=pd.Timestamp("2024-01-05"),
        location_quality="block",
        x=1.0,
    )


def ranking(blocks, offense="Total Part I"):
    return pd.DataFrame(
        {
            "offense": offense,
            "block_address": blocks,
            "rank": range(1, len(blocks) + 1),
            "incidents": [20 - n for n in range(len(blocks))],
            "start": pd.Timestamp("2024-01-01"),
        }
    )


def test_a_block_is_the_precincts_that_recorded_most_of_it_and_counts_whole(department):
    records = incidents(
        [("A ST", "1", "Burglary", 2), ("A ST", "2", "Burglary", 3), ("B ST", "1", "Larceny", 4)]
    )
    mine = blocks_of(ranking(["A ST", "B ST", "C ST"]), records, department, "1", DAY)
    assert mine[["rank", "block_address", "incidents"]].values.tolist() == [[1, "B ST", 19]]
    other = blocks_of(ranking(["A ST", "B ST"]), records, department, "2", DAY)
    assert other[["rank", "block_address", "incidents"]].values.tolist() == [[1, "A ST", 20]]


def test_sex_offenses_and_older_records_do_not_say_whose_a_block_is(department):
    rapes = incidents([("A ST", "2", "Rape", 5), ("A ST", "1", "Burglary", 1)])
    old = incidents([("A ST", "2", "Burglary", 9)]).assign(occurred_from=pd.Timestamp("2023-12-31"))
    mine = blocks_of(ranking(["A ST"]), pd.concat([rapes, old]), department, "1", DAY)
    assert len(mine) == 1


def test_a_ranking_of_sex_offenses_is_refused(department):
    with pytest.raises(InvalidInput, match="Rape, which is never placed"):
        blocks_of(ranking(["A ST"], "Rape"), incidents([]), department, "1", DAY)
