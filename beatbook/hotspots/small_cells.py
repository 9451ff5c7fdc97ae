"""Small counts in a layer that leaves the department: what is shown instead, and what follows."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.density import kernel_density
from beatbook.hotspots.getis_ord import getis_ord
from beatbook.hotspots.grid import Grid

LAYER = ["period", "offense"]
LEVELS = (0.001, 0.01, 0.05, 0.1, 1.0)
"""A p or q is given as the smallest of these that it does not exceed; 0.05 decides hot and cold."""

NEEDED = ("period", "offense", "cell", "incidents", "around", "expected_around", "z", "p", "q",
          "density_per_km2")  # fmt: skip


def hide_small_cells(
    hotspots: pd.DataFrame, grid: Grid, small_cell_limit: int, bandwidth: float
) -> pd.DataFrame:
    """Show no count below the limit, and no other figure that would give one away.

    Parameters
    ----------
    hotspots
        The ``hotspots`` table of a week; needs ``period, offense, cell, incidents, around,
        expected_around, z, p, q, density_per_km2``, and each layer (period and offense) all cells
        of the grid.
    grid
        The grid that it was made on; meters.
    small_cell_limit
        Counts from 1 to one below it are hidden (net counts below 0 too: more was canceled than
        is known). Zeros are shown. 1 hides nothing and changes nothing.
    bandwidth
        Of the density, meters.

    Returns
    -------
    DataFrame
        The rows in their order, with ``incidents`` (Int64) missing where hidden and
        ``incidents_shown`` beside it ("fewer than 3"). A neighborhood's exact sum less the counts
        shown in it would be the hidden count, and z, its p and a density peak tell the sum as
        well. So ``around``, ``expected_around``, ``z`` and ``density_per_km2`` are worked out
        anew from the counts as shown, a hidden one standing as half the limit (the middle of what
        it may be), and ``density_per_km2`` smooths them from the cells' centers; nothing of them
        says more than the counts do. ``around`` is missing where it lies between 0 and the limit.
        ``p`` and ``q`` become ``p_at_most`` and ``q_at_most``, one of `LEVELS`. Class and pattern
        stay as they are on the map.

    Raises
    ------
    InvalidInput
        If a column is lacking, the limit is below 1, or a layer does not hold the grid's cells.

    Notes
    -----
    It does not guard against sums published elsewhere: where the city's count of an offense leaves
    each hidden cell no choice but to hold one, anyone can see that it does.
    """
    lacking = [name for name in NEEDED if name not in hotspots.columns]
    if lacking:
        raise InvalidInput(f"The hotspots table lacks {', '.join(lacking)}.")
    if small_cell_limit < 1:
        raise InvalidInput(f"small_cell_limit must be at least 1; got {small_cell_limit}.")
    out = hotspots.reset_index(drop=True)
    counts = out["incidents"].to_numpy(dtype=np.int64)
    # With a limit of 1 nothing is small, not even a net count below 0.
    hidden = (counts != 0) & (counts < small_cell_limit) & (small_cell_limit > 1)
    shown = pd.Series(counts.astype(str), index=out.index, dtype="str")
    shown[hidden] = f"fewer than {small_cell_limit}"
    out["incidents"] = pd.Series(counts, dtype="Int64").mask(hidden)
    out.insert(list(out.columns).index("incidents") + 1, "incidents_shown", shown)
    if small_cell_limit > 1:
        stand_in = np.where(hidden, small_cell_limit / 2, counts)
        for rows in out.groupby(LAYER, sort=False).indices.values():
            in_grid = _in_grid_order(out, np.asarray(rows), grid)
            _work_out_anew(out, in_grid, stand_in[in_grid], grid, bandwidth)
        few = (out["around"] > 0) & (out["around"] < small_cell_limit)
        out["around"] = out["around"].mask(few)
    for name in ("p", "q"):
        out[name] = _at_most(out[name].to_numpy(dtype=np.float64))
    return out.rename(columns={"p": "p_at_most", "q": "q_at_most"})


def _work_out_anew(
    out: pd.DataFrame,
    rows: npt.NDArray[np.intp],
    counts: npt.NDArray[np.float64],
    grid: Grid,
    bandwidth: float,
) -> None:
    scores = getis_ord(counts, grid.neighbors())
    some = counts != 0
    density = kernel_density(
        grid.x[some], grid.y[some], grid.x, grid.y, bandwidth, weights=counts[some]
    )
    for name, values in (
        ("around", scores["local"]),
        ("expected_around", scores["expected"]),
        ("z", scores["z"]),
        ("density_per_km2", density * 1e6),
    ):
        out.loc[rows, name] = np.asarray(values, dtype=np.float64)


def _in_grid_order(
    out: pd.DataFrame, rows: npt.NDArray[np.intp], grid: Grid
) -> npt.NDArray[np.intp]:
    """The rows of one layer in the order of the grid's cells."""
    row_of = pd.Series(rows, index=out["cell"].to_numpy(dtype=object)[rows])
    if len(row_of) != len(grid) or not row_of.index.is_unique:
        raise InvalidInput("A layer does not hold each cell of the grid once.")
    placed = row_of.reindex(grid.cell_id.astype(object))
    if placed.isna().any():
        raise InvalidInput("A layer holds cells of another grid.")
    return placed.to_numpy(dtype=np.intp)


def _at_most(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(LEVELS)[np.searchsorted(LEVELS, values)]
