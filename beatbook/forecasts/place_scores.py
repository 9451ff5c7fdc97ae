"""How good place forecasts were: hit rate, PAI, PEI*, two kinds of RRI, calibration."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import chi2

from beatbook.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]


def _row(values: Any, name: str) -> FloatArray:
    out = np.asarray(values, dtype=float).ravel()
    if out.size == 0 or not np.all(np.isfinite(out)):
        raise InvalidInput(f"{name} must be finite numbers, one a cell, at least one.")
    return out


def top_cells(score: Any, cells: int) -> npt.NDArray[np.int64]:
    """Return the row numbers of the ``cells`` highest scores; ties by row number."""
    values = _row(score, "score")
    return np.lexsort((np.arange(values.size), -values))[: max(int(cells), 0)]


def cells_of_share(n: int, share: float) -> int:
    """Return how many of ``n`` cells a share of the city holds, rounded down (``HR-1``)."""
    if not 0 <= share <= 1:
        raise InvalidInput(f"The share of the city lies between 0 and 1; got {share!r}.")
    return int(np.floor(share * n + 1e-9))


def hit_rate(score: Any, observed: Any, share: float) -> float:
    """Return the share of events in the highest-scored cells that fit into ``share`` (``HR-1``).

    Cells of one size; as many whole cells as fit, so a share under one cell holds none. Missing
    when there were no events.
    """
    values, seen = _row(score, "score"), _row(observed, "observed")
    total = seen.sum()
    chosen = top_cells(values, cells_of_share(values.size, share))
    return float(seen[chosen].sum() / total) if total > 0 else float("nan")


def pai(hits: float, events: float, area_share: float) -> float:
    """Predictive accuracy index: share of events caught over share of area (Chainey et al. 2008).

    Missing when there were no events or no area.
    """
    return hits / events / area_share if events > 0 and area_share > 0 else float("nan")


def pei_star(hits: float, best: float) -> float:
    """Return hits over the most that any cells of the same area could have caught."""
    return hits / best if best > 0 else float("nan")


def rri_levine(hits_before: float, events_before: float, hits: float, events: float) -> float:
    """Recapture rate index: hits now over before, for events now over before (Levine 2008).

    1 means that the hot cells hold the same share as in the period they were drawn from. Not to
    be taken for the index of that name in `accuracy_curve`, which compares forecast and outcome.
    """
    if hits_before <= 0 or events_before <= 0 or events <= 0:
        return float("nan")
    return (hits / hits_before) / (events / events_before)


def accuracy_curve(observed: Any, predicted: Any, area: Any) -> pd.DataFrame:
    """Return PAI, PEI and predicted over observed, from the highest-scored cell down (``PAI-1``).

    Returns
    -------
    One row a number of cells, highest score an area unit first: ``cells, area_share, observed,
    predicted`` (running sums), ``pai``, ``pei`` (over the best PAI of as many cells) and
    ``rri_pred_over_obs`` (running predicted over running observed: 1 is calibrated; missing
    while none was observed).
    """
    o, p, a = _row(observed, "observed"), _row(predicted, "predicted"), _row(area, "area")
    if not o.size == p.size == a.size:
        raise InvalidInput("observed, predicted and area must have one number a cell.")
    if (a <= 0).any():
        raise InvalidInput("Every cell needs an area above 0.")
    order = np.lexsort((np.arange(p.size), -p / a))
    best = np.lexsort((np.arange(o.size), -o / a))
    share = a[order].cumsum() / a.sum()
    caught, said, most = o[order].cumsum(), p[order].cumsum(), o[best].cumsum()
    most_share = a[best].cumsum() / a.sum()
    total = o.sum() if o.sum() > 0 else np.nan
    index = caught / total / share
    best_index = most / total / most_share
    return pd.DataFrame(
        {
            "cells": np.arange(1, o.size + 1), "area_share": share, "observed": caught,
            "predicted": said, "pai": index,
            "pei": index / np.where(best_index > 0, best_index, np.nan),
            "rri_pred_over_obs": said / np.where(caught > 0, caught, np.nan),
        }
    )  # fmt: skip


def calibration(predicted: Any, observed: Any, bins: int = 10) -> pd.DataFrame:
    """Return expected and observed counts of cells in bands of equal expected count.

    ``band, cells, expected, observed, lo_95, hi_95``: the interval is the exact Poisson one of
    the observed count (Garwood 1936); a calibrated forecast's ``expected`` lies in it in about 19
    bands of 20. The highest band is the last.
    """
    p, o = _row(predicted, "predicted"), _row(observed, "observed")
    if p.size != o.size or (p < 0).any() or p.sum() <= 0:
        raise InvalidInput("Expected counts must pair with outcomes and not be negative.")
    order = np.argsort(p, kind="stable")
    reached = p[order].cumsum() / p.sum()
    band = np.minimum((reached - 1e-12) * bins, bins - 1).astype(int)
    frame = pd.DataFrame({"band": band + 1, "expected": p[order], "observed": o[order]})
    out = frame.groupby("band").agg(cells=("observed", "size"), expected=("expected", "sum"),
                                    observed=("observed", "sum")).reset_index()  # fmt: skip
    n = out["observed"].to_numpy(float)
    out["lo_95"] = np.where(n > 0, chi2.ppf(0.025, 2 * np.maximum(n, 1)) / 2, 0.0)
    out["hi_95"] = chi2.ppf(0.975, 2 * (n + 1)) / 2
    return out


class Interval(NamedTuple):
    """An estimate with the ends of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def bootstrap_ratio(above: Any, below: Any, *, draws: int = 2000, seed: int = 0) -> Interval:
    """Return sum over sum with an interval from drawing origins anew.

    Parameters
    ----------
    above, below
        One number an origin (hits and events for a hit rate; hits of two models for how they
        compare), or arrays (origins, layers) whose origins are drawn together. Origins are drawn
        with replacement: events of one period are not independent, periods nearly are. With 13
        origins the interval is rough.
    """
    a, b = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    if a.shape != b.shape or a.size == 0:
        raise InvalidInput("The two rows of numbers must pair, one an origin.")
    a, b = a.reshape(len(a), -1).sum(axis=1), b.reshape(len(b), -1).sum(axis=1)
    if b.sum() <= 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    rows = np.random.default_rng(seed).integers(0, a.size, (draws, a.size))
    bottom = b[rows].sum(axis=1)
    drawn = a[rows].sum(axis=1)[bottom > 0] / bottom[bottom > 0]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(a.sum() / b.sum()), float(low), float(high))


def bootstrap_double_ratio(columns: Any, *, draws: int = 2000, seed: int = 0) -> Interval:
    """Return (first over second) over (third over fourth) with an interval, origins drawn anew.

    ``columns``: one row an origin; hits, events and the same in the period before give the
    recapture rate index. Missing where a sum is zero.
    """
    values = np.asarray(columns, dtype=float)
    if values.ndim != 2 or values.shape[1] != 4 or len(values) == 0:
        raise InvalidInput("Give four numbers an origin, at least one origin.")
    rows = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    sums = np.vstack([values.sum(axis=0), values[rows].sum(axis=1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        found = sums[:, 0] / sums[:, 1] / (sums[:, 2] / sums[:, 3])
    fine = found[1:][np.isfinite(found[1:])]
    if not np.isfinite(found[0]) or fine.size == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(fine, [0.025, 0.975])
    return Interval(float(found[0]), float(low), float(high))
