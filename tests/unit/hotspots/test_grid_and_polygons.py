"""The fixed grid, counts and rates, and the point-in-polygon index."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from beatbook import hotspots as hs
from beatbook.errors import InvalidInput

MAIN = shapely.Polygon([(1000, 1000), (4100, 900), (4300, 3900), (2500, 4700), (900, 3000)])
ISLAND = shapely.box(7010, 1010, 7400, 1390)
CITY = shapely.union(MAIN, ISLAND)


@pytest.mark.parametrize("shape", ["square", "hexagonal"])
def test_cells_cover_the_city_exactly_and_keep_every_part(shape):
    grid = hs.make_grid(CITY, 250, shape=shape)
    assert grid.area.sum() == pytest.approx(CITY.area, rel=1e-9)
    assert grid.polygons().area.to_numpy() == pytest.approx(grid.area, abs=1e-3)
    assert (grid.x > 6500).any() and (grid.x < 4500).any()
    assert grid.area.max() <= grid.full_area
    assert grid.polygons().intersects(CITY).all()


@pytest.mark.parametrize("shape", ["square", "hexagonal"])
def test_the_grid_does_not_move_with_the_outline(shape):
    whole = hs.make_grid(CITY, 250, shape=shape)
    part = hs.make_grid(MAIN, 250, shape=shape)
    assert set(part.cell_id) < set(whole.cell_id)


@pytest.mark.parametrize("shape", ["square", "hexagonal"])
def test_a_point_is_located_in_the_cell_that_holds_it(shape):
    grid = hs.make_grid(CITY, 200, shape=shape)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(500, 8000, 5000), rng.uniform(500, 5000, 5000)
    cell = grid.locate(x, y)
    whole = grid.polygons(clipped=False)
    tree = shapely.STRtree(whole.to_numpy())
    point, held = tree.query(shapely.points(x, y), predicate="intersects")
    expected = np.full(x.size, -1)
    expected[point] = held
    assert (cell == expected).all()
    if shape == "hexagonal":
        nearest = cKDTree(np.column_stack([grid.x, grid.y])).query(np.column_stack([x, y]))[1]
        assert (nearest[cell >= 0] == cell[cell >= 0]).all()


def test_edges_belong_to_the_upper_right_cell():
    grid = hs.make_grid(shapely.box(0, 0, 500, 500), 250)
    cell = grid.locate([0, 250, 249.999, 500], [0, 0, 0, 0])
    assert grid.cell_id[cell[:3]].tolist() == ["0:0", "1:0", "0:0"]
    assert cell[3] == -1


@pytest.mark.parametrize(
    ("shape", "kind", "most"),
    [("square", "queen", 8), ("square", "rook", 4), ("hexagonal", "queen", 6)],
)
def test_neighbors_touch(shape, kind, most):
    grid = hs.make_grid(shapely.box(0, 0, 3000, 3000), 250, shape=shape)
    neighbors = grid.neighbors(kind)
    assert (neighbors != neighbors.T).nnz == 0
    assert np.diff(neighbors.indptr).max() == most
    coo = neighbors.tocoo()
    gap = np.hypot(grid.x[coo.row] - grid.x[coo.col], grid.y[coo.row] - grid.y[coo.col])
    assert gap.max() <= (250 * np.sqrt(2) if most == 8 else 250) + 1e-6
    near = hs.distance_band(grid.x, grid.y, 354 if most == 8 else 251)
    assert (near != neighbors).nnz == 0


def test_counts_add_up_and_cancel():
    grid = hs.make_grid(shapely.box(0, 0, 500, 500), 250)
    count = hs.count_by_cell(grid, [10, 20, 300, 9000], [10, 20, 300, 9000], [1, -1, 1, 1])
    assert count.tolist() == [0.0, 0.0, 0.0, 1.0]
    assert hs.count_by_cell(grid, [], []).tolist() == [0.0] * 4


def test_a_cell_without_residents_has_a_status_and_no_rate():
    rate = hs.rates([5, 0, 3], [1000, 0, 0])
    assert rate["rate"].isna().tolist() == [False, True, True]
    assert rate["rate"][0] == 5.0
    assert rate["status"].tolist() == ["rate", "no incidents, no base", "incidents without base"]
    with pytest.raises(InvalidInput, match="not negative"):
        hs.rates([1], [-1])


def precincts() -> gpd.GeoDataFrame:
    cut = [shapely.box(0, 0, 2500, 2600), shapely.box(2500, 0, 9000, 2600)]
    cut.append(shapely.box(0, 2600, 9000, 9000))
    pieces = [shapely.intersection(CITY, c) for c in cut]
    hole = shapely.Point(3300, 1800).buffer(300)
    pieces[1] = shapely.difference(pieces[1], hole)
    return gpd.GeoDataFrame(geometry=[*pieces, hole], crs="EPSG:26996")


@pytest.mark.parametrize("levels", [3, 7, 10])
def test_the_index_answers_as_the_exact_test_does(levels):
    areas = precincts()
    rng = np.random.default_rng(4)
    corners = shapely.get_coordinates(areas.geometry.to_numpy())
    x = np.concatenate([rng.uniform(500, 8000, 20_000), corners[:, 0]])
    y = np.concatenate([rng.uniform(500, 5000, 20_000), corners[:, 1]])
    found = hs.PolygonIndex(areas, levels=levels).locate(x, y)
    expected = np.full(x.size, -1)
    for k in range(len(areas) - 1, -1, -1):
        expected[shapely.intersects_xy(areas.geometry.iloc[k], x, y)] = k
    assert (found == expected).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=3, max_size=9))
def test_the_index_is_exact_for_any_polygon(corners):
    shape = shapely.make_valid(shapely.Polygon([(a * 100, b * 100) for a, b in corners]))
    shape = shapely.union_all([p for p in shapely.get_parts(shape) if p.area > 0])
    if shape.area == 0:
        return
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-50, 900, 25.0), np.arange(-50, 900, 25.0)))
    found = hs.PolygonIndex([shape], levels=5).locate(x, y)
    assert ((found == 0) == shapely.intersects_xy(shape, x, y)).all()


def test_missing_coordinates_are_in_no_polygon():
    assert hs.PolygonIndex(precincts()).locate([np.nan, np.inf], [1.0, 2.0]).tolist() == [-1, -1]


def test_refusals():
    degrees = gpd.GeoSeries([shapely.box(-90.3, 38.5, -90.1, 38.8)], crs="EPSG:4326")
    with pytest.raises(InvalidInput, match=r"to_crs"):
        hs.make_grid(degrees, 250)
    with pytest.raises(InvalidInput, match="longitude and latitude"):
        hs.make_grid(degrees.iloc[0], 250)
    with pytest.raises(InvalidInput, match="longitude and latitude"):
        hs.PolygonIndex(degrees)
    with pytest.raises(InvalidInput, match="no area"):
        hs.make_grid(shapely.Polygon(), 250)
    with pytest.raises(InvalidInput, match="one unit"):
        hs.make_grid(shapely.box(0, 0, 1e7, 1e7), 250)
    with pytest.raises(InvalidInput, match="set_crs"):
        hs.planar_xy(gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)]))
    with pytest.raises(InvalidInput, match="not a coordinate system"):
        hs.require_projected("EPSG:nonsense")
    hs.require_projected("EPSG:26996")
    points = gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)], crs="EPSG:26996")
    assert [a.tolist() for a in hs.planar_xy(points)] == [[1.0], [2.0]]
