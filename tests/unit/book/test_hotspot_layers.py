"""From the published tables to what a hotspot map draws: layers in order, zones with shapes."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from beatbook.book.hotspot_maps import layer_frames
from beatbook.errors import InvalidInput
from beatbook.hotspots.grid import Grid, make_grid
from beatbook.hotspots.zones import zone_frame

CRS = "EPSG:32615"
WEST, SOUTH = 740_000, 4_280_000


@pytest.fixture(scope="module")
def outline() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[box(WEST, SOUTH, WEST + 1500, SOUTH + 1500)], crs=CRS)


def hotspots_table(grid: Grid) -> pd.DataFrame:
    numbers = {"incidents": 0, "around": 0.0, "expected_around": 0.0, "q": 1.0}
    words = {"class": "not tested", "pattern": "", "cells_tested": 0}
    one = pd.DataFrame({"cell": grid.cell_id} | numbers | words)
    rows = [
        (p, o) for p in ("365_days", "28_days") for o in ("Burglary", "Robbery", "Total Part I")
    ]
    return pd.concat([one.assign(period=p, offense=o) for p, o in rows], ignore_index=True)


def test_the_table_becomes_layers_in_the_order_of_the_book(outline):
    grid = make_grid(outline, 500.0)
    table = hotspots_table(grid)
    layers = layer_frames(table.sample(frac=1, random_state=1), grid)
    assert list(layers) == [
        "Total Part I, 28 days", "Total Part I, 52 weeks", "Robbery, 28 days", "Robbery, 52 weeks",
        "Burglary, 28 days", "Burglary, 52 weeks",
    ]  # fmt: skip
    robbery = layers["Robbery, 52 weeks"]
    assert len(robbery) == len(grid) and robbery.crs == grid.crs
    assert set(robbery["period"]) == {"365_days"} and set(robbery["offense"]) == {"Robbery"}
    shapes = dict(zip(grid.cell_id, grid.polygons(), strict=True))
    assert all(shapes[row.cell].equals(row.geometry) for row in robbery.itertuples())
    assert layer_frames(table.head(0), grid) == {}


def test_a_table_of_another_grid_or_of_a_sex_offense_is_refused(outline):
    grid = make_grid(outline, 500.0)
    table = hotspots_table(grid)
    with pytest.raises(InvalidInput, match=r"not in the grid.*present grid"):
        layer_frames(table, make_grid(outline, 250.0, origin=(100.0, 0.0)))
    with pytest.raises(InvalidInput, match="never shown below the neighborhood"):
        layer_frames(table.assign(offense="Rape"), grid)
    with pytest.raises(InvalidInput, match="lacks period"):
        layer_frames(table.drop(columns="period"), grid)


def test_zones_are_diamonds_rings_and_the_square_that_hides_a_place():
    table = pd.DataFrame(
        {
            "offense": "Burglary",
            "x": WEST + 500.0,
            "y": SOUTH + 500.0,
            "inner_m": [0.0, 0.1, 100.0],
            "outer_m": [0.1, 100.0, 200.0],
        }
    )
    square, diamond, ring = zone_frame(table, CRS).geometry
    assert square.bounds == (WEST + 450, SOUTH + 450, WEST + 550, SOUTH + 550)
    assert diamond.area == pytest.approx(2 * 100**2)
    assert ring.area == pytest.approx(2 * 200**2 - 2 * 100**2)
    assert zone_frame(table.head(0), CRS).empty
