"""What the tables of a week must agree with: the department's grid, its limits, each other."""

from typing import Literal

import numpy as np
import pandas as pd

from beatbook.department import Department

_NEARLY = 1e-6


def grid_cells(
    layer: pd.DataFrame, department: Department, shape: Literal["square", "hexagonal"] | None = None
) -> pd.DataFrame:
    """Cells of a layer against the department's fixed grid.

    Parameters
    ----------
    layer
        Columns ``cell`` (column and row from the origin, as ``1084:1197``), ``x, y``, ``area_m2``.
    department
        Its ``grid``.
    shape
        Of the cells, where it is not the grid's: places are forecast on squares everywhere.

    Returns
    -------
    DataFrame
        One row a cell: ``record_key`` (the cell), ``field, observed, expected, off_grid_m``: how
        far its center lies from where its name puts it; infinite for a name that is none and for
        an area larger than a cell's.
    """
    # Only here: the grid's module loads geopandas.
    from beatbook.hotspots.grid import centers

    cells = layer[["cell", "x", "y", "area_m2"]].drop_duplicates().reset_index(drop=True)
    steps = cells["cell"].astype("str").str.extract(r"^(-?\d+):(-?\d+)$").astype("float64")
    named = steps.notna().all(axis=1).to_numpy()
    column, row = (steps[i].fillna(0).to_numpy().astype(np.int64) for i in (0, 1))
    grid = department.grid
    shape = shape or grid.shape
    x, y = centers(shape, grid.size_m, grid.origin, column, row)
    off = np.hypot(cells["x"].to_numpy(float) - x, cells["y"].to_numpy(float) - y)
    whole = grid.size_m**2 * (1 if shape == "square" else np.sqrt(3) / 2)
    off[~named | (cells["area_m2"].to_numpy(float) > whole * (1 + _NEARLY))] = np.inf
    return pd.DataFrame(
        {
            "record_key": cells["cell"],
            "field": "cell",
            "observed": [f"{meters:,.1f} m off the grid" for meters in off],
            "expected": f"a cell of the {grid.size_m:g} m grid",
            "off_grid_m": off,
        }
    )


def hot_cells(hotspots: pd.DataFrame, department: Department) -> pd.DataFrame:
    """Cells called hot, with whether fewer crimes lie around them than an even spread puts there.

    Returns
    -------
    DataFrame
        One row a hot cell and layer: ``record_key, field, observed, expected,
        hot_below_expected`` and ``none`` (always 0).
    """
    hot = hotspots[hotspots["class"] == "hot"]
    return pd.DataFrame(
        {
            "record_key": hot["period"] + "|" + hot["offense"] + "|" + hot["cell"],
            "field": "class",
            "observed": [f"{n:g} around it" for n in hot["around"]],
            "expected": [f"more than {n:.3g}" for n in hot["expected_around"]],
            "hot_below_expected": (hot["around"] <= hot["expected_around"]).astype("int64"),
            "none": 0,
        }
    ).reset_index(drop=True)


def zone_centers(zones: pd.DataFrame, department: Department) -> pd.DataFrame:
    """Centers of near-repeat zones, with whether they are rounded to 100 m.

    Returns
    -------
    DataFrame
        One row a zone: ``record_key, field, observed, expected, rounded``. No coordinate.
    """
    rounded = ((zones[["x", "y"]] % 100) == 0).all(axis=1)
    return pd.DataFrame(
        {
            "record_key": [f"zone {n}" for n in range(1, len(zones) + 1)],
            "field": "center",
            "observed": np.where(rounded, "rounded", "not rounded"),
            "expected": "a center to 100 m",
            "rounded": rounded.astype("bool"),
        }
    ).reset_index(drop=True)


def small_cells(places: pd.DataFrame, department: Department) -> pd.DataFrame:
    """Listed blocks against the department's small-cell limit.

    Returns
    -------
    DataFrame
        One row a block and offense: ``record_key, field, observed, expected, above_limit``
        (``incidents`` less the limit). The block is named by its rank.
    """
    return pd.DataFrame(
        {
            "record_key": places["offense"] + "|rank " + places["rank"].astype("str"),
            "field": "incidents",
            "observed": places["incidents"].astype("str"),
            "expected": f"at least {department.small_cell_limit}",
            "above_limit": places["incidents"] - department.small_cell_limit,
        }
    ).reset_index(drop=True)


def published_forecasts(forecasts: pd.DataFrame, department: Department) -> pd.DataFrame:
    """How many forecasts of each series and week a page would show.

    Returns
    -------
    DataFrame
        One row a series and week: ``record_key, field, observed, expected, published, one``.
    """
    counted = forecasts.groupby(["unique_id", "ds"])["published"].sum().astype("int64")
    keys = [f"{name}|{day.date()}" for name, day in counted.index]
    return pd.DataFrame(
        {
            "record_key": keys,
            "field": "published",
            "observed": [f"{n} published" for n in counted],
            "expected": "one published",
            "published": counted.to_numpy(),
            "one": 1,
        }
    )


def forecast_areas(places: pd.DataFrame, department: Department) -> pd.DataFrame:
    """Cells chosen for each forecast area, and for its naive rival, against the number said.

    Returns
    -------
    DataFrame
        Two rows an offense and horizon: ``record_key, field, observed, expected, chosen,
        cells_chosen``.
    """
    rows = []
    for (offense, weeks), group in places.groupby(["offense", "weeks"]):
        said = int(group["cells_chosen"].iloc[0])
        for column in ("chosen", "naive_chosen"):
            chosen = int(group[column].sum())
            rows.append(
                {
                    "record_key": f"{offense}|{weeks}|{column}",
                    "field": column,
                    "observed": f"{chosen} cells",
                    "expected": f"{said} cells",
                    "chosen": chosen,
                    "cells_chosen": said,
                }
            )
    columns = ["record_key", "field", "observed", "expected", "chosen", "cells_chosen"]
    return pd.DataFrame(rows, columns=columns)
