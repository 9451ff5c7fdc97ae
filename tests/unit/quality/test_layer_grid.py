"""Cells against the department's grid: hexagons for layers, squares for place forecasts."""

import numpy as np
import pandas as pd

from beatbook.forecasts.weekly_places import place_grid
from beatbook.hotspots.weekly import department_grid
from beatbook.quality.layers import grid_cells


def layer(grid) -> pd.DataFrame:
    return pd.DataFrame({"cell": grid.cell_id, "x": grid.x, "y": grid.y, "area_m2": grid.area})


def test_a_hexagonal_departments_layers_and_forecasts_lie_on_their_own_cells(small_department):
    department = small_department.set(grid={"size_m": 200, "shape": "hexagonal"}).load()
    hexagons, squares = layer(department_grid(department)), layer(place_grid(department))
    assert grid_cells(hexagons, department)["off_grid_m"].max() < 0.01
    assert grid_cells(squares, department, shape="square")["off_grid_m"].max() < 0.01
    # Taken for the other shape, they are off it.
    assert grid_cells(squares, department)["off_grid_m"].max() > 1


def test_a_cell_that_was_moved_or_has_no_name_is_off_the_grid(small_department):
    department = small_department.load()
    cells = layer(department_grid(department)).head(3)
    cells.loc[0, "x"] += 5
    cells.loc[1, "cell"] = "somewhere"
    off = grid_cells(cells, department)["off_grid_m"].to_list()
    assert off[0] == 5 and np.isinf(off[1]) and off[2] == 0
