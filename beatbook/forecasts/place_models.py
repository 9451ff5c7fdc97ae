"""Place models: each a function from a history and a horizon to an expected count a cell."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import convolve

from beatbook.forecasts.etas import Etas, background_density, fit_etas
from beatbook.forecasts.place_history import PlaceHistory

FloatArray = npt.NDArray[np.float64]
PlaceModel = Callable[[PlaceHistory, int], FloatArray]

LEAST_EVENTS = 50
"""With fewer events than this, the fitted models answer with the long-run count."""


def _to_total(score: FloatArray, history: PlaceHistory, days: int) -> FloatArray:
    total = score.sum()
    if total <= 0:
        return np.zeros(history.cells)
    return np.asarray(score * (history.expected_total(days) / total))


def long_run_count(history: PlaceHistory, days: int) -> FloatArray:
    """Count of all history: the naive forecast of places, hard to beat."""
    return _to_total(history.count(0, history.cutoff), history, days)


def recent_count(history: PlaceHistory, days: int, *, window: int = 182) -> FloatArray:
    """Count of the last ``window`` days (half a year, by convention; not tuned).

    Ties (most cells have few events) are broken by the long-run count.
    """
    long = history.count(0, history.cutoff)
    near = history.count(history.cutoff - window, history.cutoff)
    return _to_total(near + 1e-3 * long / max(long.max(), 1.0), history, days)


def kernel_density(
    history: PlaceHistory, days: int, *, bandwidth: float = 0.4, half_life: float = 365.0
) -> FloatArray:
    """Gaussian kernel density at cell centers; bandwidth in cells, half-life in days.

    0.4 cells (100 m of 250) and a year: within 1 % of the best of a small grid on St. Louis
    2016-2018 (90 m and two years).
    """
    w = history.weights([half_life], history.cutoff)
    return _to_total(history.smoothed(w, bandwidth * history.grid.cell_size)[:, 0], history, days)


def phm_weight(weeks: npt.ArrayLike, cells: npt.ArrayLike, bandwidth: int = 8) -> FloatArray:
    """Weight of an event ``weeks`` old and ``cells`` away: 1/((1+cells)(1+weeks)) (``PH-1``).

    Zero from ``bandwidth`` weeks or cells on (Bowers, Johnson and Pease 2004).
    """
    w, c = np.asarray(weeks, float), np.asarray(cells, float)
    return np.where((w < bandwidth) & (c < bandwidth), 1 / ((1 + c) * (1 + w)), 0.0)


def prospective_hotspot(history: PlaceHistory, days: int, *, bandwidth: int = 8) -> FloatArray:
    """Prospective hotspot map: near and recent events count most (`phm_weight`).

    Distance in whole cells, a diagonal step counting one; age in whole weeks.
    """
    rows = history.known() & (history.day >= history.cutoff - 7 * bandwidth)
    weeks = (history.cutoff - 1 - history.day[rows]) // 7
    aged = np.bincount(history.cell[rows], phm_weight(weeks, np.zeros(weeks.size), bandwidth),
                       history.cells)  # fmt: skip
    k = np.arange(-bandwidth, bandwidth + 1)
    away = np.maximum(np.abs(k)[:, None], np.abs(k)[None, :])
    column, row, shape = history.lattice()
    raster = np.zeros(shape)
    raster[column, row] = aged
    kernel = phm_weight(np.zeros(away.shape), away, bandwidth)
    score = convolve(raster, kernel, mode="constant")[column, row]
    return _to_total(score, history, days)


def self_exciting(history: PlaceHistory, days: int) -> FloatArray:
    """Self-exciting point process, refitted (`etas.fit_etas`), integrated over the horizon.

    Background bandwidth 0.4 cells, triggering within two cells and 120 days. Only what past
    events set off is counted, not what those set off in turn; the last three years are used.
    """
    size = history.grid.cell_size
    rows = history.known() & (history.day >= history.cutoff - 1096)
    if rows.sum() < LEAST_EVENTS:
        return long_run_count(history, days)
    # Neither the fit nor its background hangs on the horizon, so several horizons share them.
    key = ("etas", history.cutoff)
    if key not in history._kept:
        history._kept[key] = _fit_etas(history, rows)
    fit, u = history._kept[key]
    score = fit.mu * days * u * size**2
    own = history.kind == 0
    age = history.cutoff - history.day[own]
    fresh = history.known()[own] & (age <= 120)
    coming = fit.theta * (np.exp(-fit.omega * age) - np.exp(-fit.omega * (age + days)))
    w = np.where(fresh, coming, 0.0)[:, None]
    # Triggering is often much narrower than a cell: below a quarter of one, the cell itself.
    width = fit.sigma
    near = history.binned(w) if width < 0.25 * size else history.smoothed(w, round(width, 1))
    return _to_total(score + near[:, 0], history, days)


def _fit_etas(history: PlaceHistory, rows: npt.NDArray[np.bool_]) -> tuple[Etas, FloatArray]:
    """Fit the process, and lay its background on the cells."""
    grid, size = history.grid, history.grid.cell_size
    t, x, y = history.day[rows].astype(float), history.x[rows], history.y[rows]
    fit = fit_etas(t, x, y, bandwidth=0.4 * size, reach=2 * size, end=float(history.cutoff))
    own = np.maximum(fit.background, 1e-9)
    u = background_density(x, y, grid.x, grid.y, 0.4 * size, weights=own)
    return fit, u


HALF_LIVES = (45.0, 180.0, 730.0, 4000.0)
FINE = (0.25, 0.4, 0.65)
WIDE = (1.2, 3.0)


def features(history: PlaceHistory, until: int) -> FloatArray:
    """Return the maps that the count regression adds up, as known before day ``until``.

    For the offense: its counts a cell, and the same smoothed by 0.25, 0.4, 0.65, 1.2 and 3 cells
    (the spot itself, its near repeats, its neighborhood), each with half-lives of 45 days, half
    a year, two years and eleven (lagged counts). For each other offense: smoothed by 0.4 cells,
    half-life a year. Places: as given. Each map is scaled to mean 1.
    """
    # A kind that first occurs after the cutoff is no map yet.
    kinds = tuple(k for k in range(1, history.kinds) if history.known(k).any())
    key = ("features", min(until, history.cutoff), kinds)
    if key in history._kept:
        kept: FloatArray = history._kept[key]
        return kept
    size = history.grid.cell_size
    w = history.weights(HALF_LIVES, until)
    binned = history.binned(w)
    maps = [binned, *(history.smoothed(w, b * size) for b in FINE),
            *(history.spread(binned, b * size) for b in WIDE)]  # fmt: skip
    for kind in kinds:
        maps.append(history.smoothed(history.weights([365.0], until, kind), 0.4 * size, kind))
    maps.append(history.places.T)
    out = np.column_stack(maps)
    mean = out.mean(axis=0)
    out = np.where(mean > 0, out / np.where(mean > 0, mean, 1.0), 1.0)
    history._kept[key] = out
    return out


def count_regression(
    history: PlaceHistory, days: int, *, windows: int = 26, iterations: int = 150,
    prior: float = 0.0,
) -> FloatArray:  # fmt: skip
    """Regularized count regression: the Poisson rate of a cell is a sum of maps (`features`).

    Weights are not negative and are fitted by EM to past windows of the horizon (28 days at
    least), 28 days apart: how well each map known before a window foresaw it. Sum, not product:
    where a map is zero it says nothing, and the weights read as shares of the forecast. Weights
    start equal and are pulled there by ``prior`` offenses each; EM is stopped after
    ``iterations``, before it follows noise. A season common to all cells changes no rank and is
    left to the total.
    """
    length = max(days, 28)
    key = ("regression", history.cutoff, length, windows, iterations, prior)
    if key not in history._kept:
        history._kept[key] = _fit_weights(history, length, windows, iterations, prior)
    b = history._kept[key]
    if b is None:
        return long_run_count(history, days)
    return _to_total(features(history, history.cutoff) @ b, history, days)


def _fit_weights(
    history: PlaceHistory, length: int, windows: int, iterations: int, prior: float
) -> FloatArray | None:
    """Fit the maps' weights to past windows; None with too few of them or too few events."""
    windows = int(np.clip(600_000 // max(history.cells, 1), 4, windows))
    starts = [history.cutoff - length - 28 * i for i in range(windows)]
    starts = [s for s in starts if s >= 180]
    counts = [history.count(s, s + length) for s in starts]
    if len(starts) < 2 or sum(c.sum() for c in counts) < LEAST_EVENTS:
        return None
    total = np.zeros(features(history, starts[0]).shape[1])
    hit, seen = [], []
    for start, count in zip(starts, counts, strict=True):
        f = features(history, start)
        total += f.sum(axis=0)
        # Cells without an event enter the likelihood through the sums only.
        busy = count > 0
        hit.append(f[busy])
        seen.append(count[busy])
    x, y = np.concatenate(hit), np.concatenate(seen)
    b = y.sum() / total / total.size
    pull = prior / np.maximum(b, 1e-12)
    for _ in range(iterations):
        rate = np.maximum(x @ b, 1e-12)
        b = (b * (x.T @ (y / rate)) + prior) / (total + pull)
    return np.asarray(b)


PLACE_MODELS: dict[str, PlaceModel] = {
    "long_run_count": long_run_count,
    "recent_count": recent_count,
    "kernel_density": kernel_density,
    "prospective_hotspot": prospective_hotspot,
    "self_exciting": self_exciting,
    "count_regression": count_regression,
}
PLACE_NAIVE = "long_run_count"
