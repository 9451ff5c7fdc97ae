"""Emerging hot spots: how each cell's Gi* has run over time, in words."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.hotspots.significance import adjust, normal_p
from beatbook.hotspots.weights import clean_neighbors, neighbor_counts

FloatArray = npt.NDArray[np.float64]


class Trend(NamedTuple):
    """Mann-Kendall result: S, its normal score and two-sided p."""

    s: npt.NDArray[np.int64]
    z: FloatArray
    p: FloatArray


def mann_kendall(series: Any) -> Trend:
    """Test each row of a table for a monotone trend.

    Parameters
    ----------
    series : one row a series, columns in time order (one series as a single row or a plain list).

    Returns
    -------
    Trend with S (concordant less discordant pairs), z (continuity-corrected, variance corrected
    for ties) and p. Fewer than three values, or all equal, give z = 0 and p = 1.

    Source: Mann (1945), Econometrica 13; Kendall (1975), Rank correlation methods.
    """
    y = np.atleast_2d(np.asarray(series, dtype=np.float64))
    if not np.all(np.isfinite(y)):
        raise InvalidInput("A series has missing or infinite values.")
    rows, n = y.shape
    s = np.zeros(rows, dtype=np.int64)
    for k in range(1, n):
        s += np.sign(y[:, k:] - y[:, :-k]).sum(axis=1).astype(np.int64)
    # sum over tie groups of t (t-1) (2t+5) = sum over members of (t-1) (2t+5)
    ties = np.zeros(rows)
    for k in range(n):
        t = (y == y[:, [k]]).sum(axis=1)
        ties += (t - 1) * (2 * t + 5)
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    z = np.zeros(rows)
    if n >= 3:
        np.divide(s - np.sign(s), np.sqrt(np.maximum(variance, 0)), out=z, where=variance > 0)
    return Trend(s, z, normal_p(z))


def space_time_z(counts: Any, neighbors: Any, *, time_lag: int = 1) -> FloatArray:
    """Gi* of every cell and slice against the whole cube.

    ``counts`` is cells by slices. The neighborhood is the cell and its neighbors in the same slice
    and the ``time_lag`` slices before it. A cube that is the same everywhere gives zeros.
    """
    y = _cube(counts)
    matrix = clean_neighbors(neighbors, y.shape[0])
    if not 0 <= time_lag < max(y.shape[1], 1):
        raise InvalidInput(f"time_lag must lie between 0 and {y.shape[1] - 1}; got {time_lag}.")
    space = np.asarray(matrix @ y) + y
    local = space.copy()
    slices = np.ones(y.shape[1])
    for lag in range(1, time_lag + 1):
        local[:, lag:] += space[:, :-lag]
        slices[lag:] += 1
    w = (neighbor_counts(matrix) + 1)[:, None] * slices
    n = y.size
    z = np.zeros(y.shape)
    if n < 3 or np.ptp(y) == 0:
        return z
    spread = np.sqrt(y.var() * np.maximum(n * w - w**2, 0) / (n - 1))
    np.divide(local - w * y.mean(), spread, out=z, where=spread > 0)
    return z


def emerging_hotspots(
    counts: Any,
    neighbors: Any,
    *,
    time_lag: int = 1,
    false_discovery_rate: float = 0.05,
    trend_level: float = 0.05,
) -> pd.DataFrame:
    """Class every cell by the run of its Gi* over time.

    Parameters
    ----------
    counts : cells by time slices, equal slices in time order, at least three. Twelve slices of 28
        days are a good year: slices so short that most cells are empty show nothing.
    neighbors : which cells neighbor which.
    time_lag : slices before each that count as its neighbors too (1, as in the common tools).
    false_discovery_rate : over all cells and slices at once; a slice is hot or cold below it.
    trend_level : p of the Mann-Kendall trend of a cell's Gi* series.

    Returns
    -------
    A row a cell: ``class``, ``z_last``, ``hot_slices``, ``cold_slices``, ``trend_z``, ``trend_p``.
    Classes, each with " hot" or " cold" after it, by the first rule that fits:

    - new: hot in the last slice and never before.
    - consecutive: one unbroken run of two or more hot slices up to the last, never hot before it,
      hot in less than 90 % of slices.
    - intensifying, diminishing, persistent: hot in at least 90 % of slices, the last among them,
      the Gi* series rising, falling, or neither.
    - oscillating: hot in the last slice, cold in an earlier one, hot in less than 90 %.
    - sporadic: hot in the last slice, on and off before, never cold, hot in less than 90 %.
    - historical: hot in at least 90 % of slices, but not in the last.
    - no pattern: none of these.

    For cold, falling z means intensifying. ``attrs`` holds the number of tests.

    Notes
    -----
    Slices overlap through ``time_lag`` and neighborhoods through space, so z values of one cell
    depend on each other and the trend's p is too small; read it as a ranking.

    Source: Gi* of Ord and Getis (1995) with Mann-Kendall; classes after the published definitions
    of emerging hot spot analysis in ArcGIS (space-time pattern mining).
    """
    y = _cube(counts)
    if y.shape[1] < 3:
        raise InvalidInput(f"Emerging classes need three or more time slices; got {y.shape[1]}.")
    z = space_time_z(y, neighbors, time_lag=time_lag)
    q = adjust(normal_p(z).ravel()).reshape(z.shape)
    hot = (q <= false_discovery_rate) & (z > 0)
    cold = (q <= false_discovery_rate) & (z < 0)
    trend = mann_kendall(z)
    up = (trend.p <= trend_level) & (trend.z > 0)
    down = (trend.p <= trend_level) & (trend.z < 0)
    name_hot = classify_run(hot, cold, up, down)
    name_cold = classify_run(cold, hot, down, up)
    labels = np.where(
        name_hot != "",
        np.char.add(name_hot, " hot"),
        np.where(name_cold != "", np.char.add(name_cold, " cold"), "no pattern"),
    )
    out = pd.DataFrame(
        {
            "class": labels,
            "z_last": z[:, -1],
            "hot_slices": hot.sum(axis=1),
            "cold_slices": cold.sum(axis=1),
            "trend_z": trend.z,
            "trend_p": trend.p,
        },
        index=counts.index if isinstance(counts, pd.DataFrame) else None,
    )
    out.attrs.update(tests=int(z.size), false_discovery_rate=false_discovery_rate)
    return out


def classify_run(
    hot: npt.NDArray[np.bool_],
    cold: npt.NDArray[np.bool_],
    rising: npt.NDArray[np.bool_],
    falling: npt.NDArray[np.bool_],
) -> npt.NDArray[np.str_]:
    """Name each row of a cells-by-slices table of hot slices; "" where no class fits.

    ``cold`` is the table of the opposite sign, ``rising`` and ``falling`` say which cells' series
    trend toward hot and away from it. Rules as in `emerging_hotspots`.
    """
    slices = hot.shape[1]
    last = hot[:, -1]
    times = hot.sum(axis=1)
    mostly = times >= 0.9 * slices
    run = np.cumprod(hot[:, ::-1], axis=1).sum(axis=1)
    return np.select(
        [
            last & (times == 1),
            last & (run == times) & (run >= 2) & ~mostly,
            last & mostly & rising,
            last & mostly & falling,
            mostly & last,
            last & ~mostly & cold[:, :-1].any(axis=1),
            last & ~mostly,
            mostly & ~last,
        ],
        [
            "new", "consecutive", "intensifying", "diminishing", "persistent", "oscillating",
            "sporadic", "historical",
        ],
        "",
    )  # fmt: skip


def _cube(counts: Any) -> FloatArray:
    y = np.asarray(counts, dtype=np.float64)
    if y.ndim != 2 or not np.all(np.isfinite(y)):
        raise InvalidInput("counts must be a table of cells by time slices with none missing.")
    return y
