"""Counts and rates of cells."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.coordinates import positive
from beatbook.hotspots.grid import Grid


def count_by_cell(grid: Grid, x: Any, y: Any, weights: Any = None) -> npt.NDArray[np.float64]:
    """Sum incidents by cell of the grid.

    Parameters
    ----------
    grid : the department's grid.
    x, y : projected coordinates, in the grid's unit; only points whose location is usable.
    weights : one a point, for example ``count`` (+1, or -1 for a record that cancels an earlier
        one); 1 each if not given.

    Returns
    -------
    One sum a cell, in the grid's order; 0 where nothing happened. Points outside every cell are
    not in it: compare the sum with the input and print the difference.
    """
    cell = grid.locate(x, y)
    weight = np.ones(cell.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != cell.shape or not np.all(np.isfinite(weight)):
        raise InvalidInput("weights must be one finite number a point.")
    held = cell >= 0
    return np.bincount(cell[held], weights=weight[held], minlength=len(grid)).astype(np.float64)


def rates(counts: Any, base: Any, *, per: float = 1000.0, least_base: float = 0.0) -> pd.DataFrame:
    """Divide counts by a base: population, area or other incidents.

    Parameters
    ----------
    counts : incidents a cell.
    base : what they are measured against, in the same order; never negative.
    per : rate for this many of the base, 1,000 (residents) by default.
    least_base : a base at or below this has no rate; a handful of residents around a park or a
        stadium make a rate that says nothing of the place.

    Returns
    -------
    ``count``, ``base``, ``rate`` (Float64; <NA> without a rate), and ``status``: "rate", "no
    incidents, no base" or "incidents without base". Draw by ``status``, so that a cell with no
    residents reads as such and not as safe.

    Notes
    -----
    Residents are a poor base for crimes that follow visitors (larceny downtown). A rate from few
    incidents swings; see the interval beside it before ranking cells.
    """
    positive(per, "per")
    c = np.asarray(counts, dtype=np.float64)
    b = np.asarray(base, dtype=np.float64)
    if c.shape != b.shape or c.ndim != 1:
        raise InvalidInput(f"counts and base must be columns of one length; {c.shape}, {b.shape}.")
    if not (np.all(np.isfinite(c)) and np.all(np.isfinite(b))) or np.any(b < 0):
        raise InvalidInput("counts and base must be finite, and the base not negative.")
    known = b > max(least_base, 0.0)
    rate = np.full(c.shape, np.nan)
    np.divide(c * per, b, out=rate, where=known)
    status = np.select([known, c == 0], ["rate", "no incidents, no base"], "incidents without base")
    return pd.DataFrame(
        {"count": c, "base": b, "rate": pd.array(rate, dtype="Float64"), "status": status},
        index=counts.index if isinstance(counts, pd.Series) else None,
    )
