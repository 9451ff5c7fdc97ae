"""Coordinates that stand in each other's column."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def axes_swapped(x: npt.ArrayLike, y: npt.ArrayLike, held: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell points whose x and y fit the feed the other way around only.

    Parameters
    ----------
    x, y
        Coordinates as the feed holds them, in its own CRS; NaN where there is none.
    held
        Which points lie in the city. They say where x and y lie: in their middle 90 percent, and
        half its width on either side.

    Returns
    -------
    array of bool
        True for a point that is not held, whose y lies where x should and x where y should, but
        not as it stands. All False without any held point.
    """
    px, py = np.asarray(x, float), np.asarray(y, float)
    good = np.asarray(held, bool) & np.isfinite(px) & np.isfinite(py)
    if not good.any():
        return np.zeros(px.shape, bool)
    ranges = []
    for values in (px[good], py[good]):
        low, high = np.quantile(values, [0.05, 0.95])
        ranges.append((low - (high - low) / 2, high + (high - low) / 2))
    (x0, x1), (y0, y1) = ranges
    with np.errstate(invalid="ignore"):
        crosswise = (py >= x0) & (py <= x1) & (px >= y0) & (px <= y1)
        straight = (px >= x0) & (px <= x1) & (py >= y0) & (py <= y1)
    return crosswise & ~straight & ~np.asarray(held, bool)
