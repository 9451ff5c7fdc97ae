"""A hotspot map cut to one precinct: its cells, zones and areas, and what is said of them."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from beatbook.book.hotspot_maps import hotspot_map
from beatbook.book.map_cut import MapCut
from beatbook.errors import InvalidInput
from beatbook.hotspots.zones import zone_frame

CRS = "EPSG:32615"
WEST, SOUTH = 740_000, 4_280_000
# From the south; the ground is the two columns in the west.
COUNTS = np.array([[0, 4, 9, 0], [12, 1, 0, 0], [0, 0, 8, 0], [5, 0, 0, 7]])


def layer() -> gpd.GeoDataFrame:
    rows, across = COUNTS.shape
    padded = np.pad(COUNTS, 1)
    around = sum(padded[i : i + rows, j : j + across] for i in range(3) for j in range(3))
    places = [(column, row) for row in range(rows) for column in range(across)]
    corners = [(WEST + 250 * column, SOUTH + 250 * row) for column, row in places]
    return gpd.GeoDataFrame(
        {
            "cell": [f"{column}:{row}" for column, row in places],
            "incidents": COUNTS.ravel(),
            "around": np.asarray(around).ravel().astype(float),
            "expected_around": 4.2,
            "q": 0.01,
            "class": "hot",
            "pattern": "",
            "cells_tested": 16,
        },
        geometry=[box(x, y, x + 250, y + 250) for x, y in corners],
        crs=CRS,
    )


def ground(west=0, south=0, east=500, north=1000) -> gpd.GeoDataFrame:
    shape = box(WEST + west, SOUTH + south, WEST + east, SOUTH + north)
    return gpd.GeoDataFrame({"code": ["1"], "name": ["One"]}, geometry=[shape], crs=CRS)


def zones() -> gpd.GeoDataFrame:
    frame = pd.DataFrame(
        {"offense": "Burglary", "x": [WEST + 100.0, WEST + 900.0], "y": SOUTH + 500.0,
         "inner_m": 0.0, "outer_m": 150.0, "opens": pd.Timestamp("2024-01-14"),
         "closes": pd.Timestamp("2024-01-20"), "ratio": [2.0, 3.0]}
    )  # fmt: skip
    return zone_frame(frame, CRS)


def areas() -> gpd.GeoDataFrame:
    shapes = [box(WEST, SOUTH, WEST + 250, SOUTH + 1000),
              box(WEST + 250, SOUTH, WEST + 750, SOUTH + 1000),
              box(WEST + 750, SOUTH, WEST + 1000, SOUTH + 1000)]  # fmt: skip
    return gpd.GeoDataFrame(
        {"code": ["a", "b", "c"], "name": ["Aville", "Btown", "Cton"]}, geometry=shapes, crs=CRS
    )


def cut_map(**changes):
    options = {
        "layers": {"Burglary, 28 days": layer()}, "outline": ground(),
        "areas": {"Quarter": areas()}, "zones": zones(), "title": "Hot", "small_cell_limit": 3,
        "left_out": "None left out.", "within": ground(),
    }  # fmt: skip
    return hotspot_map(**{**options, **changes})


def data_of(map_):
    return json.loads(re.search(r"drawHotspots\(\w+, (\{.*\})\);", map_.html)[1])


def test_only_cells_zones_and_areas_of_the_ground_are_in_the_file():
    data = data_of(cut_map())
    drawn = {data["cells"][row[0]]["name"] for row in data["layers"][0]["rows"]}
    assert drawn == {f"{column}:{row}" for column in (0, 1) for row in range(4)}
    assert [len(kind["shapes"]) for kind in data["zones"]] == [1]
    assert data["areas"][0]["names"] and "Cton" not in str(data["areas"])


def test_the_legend_and_the_words_count_what_is_shown_and_tests_stay_the_citys():
    whole, cut = cut_map(within=None), cut_map()
    assert "16 hot" in whole.alt and "8 hot" in cut.alt
    assert "16 cells tested" in cut.html
    assert "Near-repeat zones: Burglary (1)." in cut.alt


def test_sums_of_a_cell_at_the_border_hold_its_neighbors_across_it():
    data = data_of(cut_map())
    said = [
        "".join(data["phrases"][number] for number in row[2:])
        for row in data["layers"][0]["rows"]
        if data["cells"][row[0]]["name"] == "1:1"
    ]
    # 0+4+9+12+1+0+0+0+8 = 34; the lone incident is hidden, so the sum is a range.
    assert said[0].startswith("fewer than 3 offenses here; 34 to 35 in it and its neighbors")


def test_areas_are_cut_at_the_border():
    cut = MapCut(ground(), CRS, "Hot").areas({"Quarter": areas()})["Quarter"]
    assert cut["name"].tolist() == ["Aville", "Btown"]
    assert cut.area.tolist() == [250_000.0, 250_000.0]


def test_a_ground_without_a_cell_or_a_system_is_refused():
    with pytest.raises(InvalidInput, match="no cell lies on the ground"):
        cut_map(within=ground(5000, 0, 6000, 1000))
    with pytest.raises(InvalidInput, match="has no CRS"):
        cut_map(within=ground().set_crs(None, allow_override=True))
    with pytest.raises(InvalidInput, match="has no area"):
        cut_map(within=ground(0, 0, 0, 1000))


def test_where_no_zone_lies_on_the_ground_none_is_promised():
    found = cut_map(zones=zones().iloc[1:])
    assert "Near repeats" not in found.html and "Near-repeat" not in found.alt
