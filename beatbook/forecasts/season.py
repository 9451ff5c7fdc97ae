"""The seasonal shape that the series of one group share."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.forecasts.panel import Panel

FloatArray = npt.NDArray[np.float64]

_YEAR_DAYS = 365.25
# The trend is taken out with a Gaussian of this many weeks, wide enough to leave a year's shape.
_TREND_WEEKS = 20.0


def harmonics(weeks: pd.DatetimeIndex, waves: int) -> FloatArray:
    """Return cosine and sine of the first ``waves`` yearly waves, at the middle of each week."""
    middle = weeks + pd.Timedelta(days=3)
    angle = 2 * np.pi * middle.day_of_year.to_numpy() / _YEAR_DAYS
    columns = [f(k * angle) for k in range(1, waves + 1) for f in (np.cos, np.sin)]
    return np.column_stack(columns) if columns else np.zeros((len(weeks), 0))


def pooled_season(
    panel: Panel, horizon: int, *, waves: tuple[int, ...] = (1, 2), ridge: float = 20.0
) -> FloatArray:
    """Return each group's seasonal factor for the weeks of the panel and the ones ahead.

    The group's total is a Poisson count around a smooth trend times ``exp`` of yearly waves;
    the two are fitted in turn, the waves held back by ``ridge`` (in counts: a group with few
    offenses gets nearly no season). Fits with one and with two waves are averaged in logs: on
    St. Louis 2016-2018 that did better than either, or than more waves. Under a year of weeks
    there is no season.

    Returns
    -------
    array (weeks + horizon, groups), around 1.
    """
    groups = int(panel.group.max()) + 1
    n = len(panel.weeks)
    out = np.zeros((n + horizon, groups))
    if n < 52:
        return np.ones_like(out)
    total = np.zeros((n, groups))
    np.add.at(total.T, panel.group, panel.y.T)
    total = np.maximum(total, 0)
    k = np.arange(n)
    smooth = np.exp(-0.5 * ((k[:, None] - k[None, :]) / _TREND_WEEKS) ** 2)
    every = pd.DatetimeIndex(panel.weeks.append(panel.ahead(horizon)))
    for count in waves:
        h = harmonics(every, count)
        for g in range(groups):
            out[:, g] += _fit(total[:, g], h, smooth, ridge) / len(waves)
    return np.exp(out)


def _fit(y: FloatArray, h: FloatArray, smooth: FloatArray, ridge: float) -> FloatArray:
    b, x = np.zeros(h.shape[1]), h[: y.size]
    for _ in range(6):
        shape = np.exp(x @ b)
        mean = np.maximum((smooth @ y) / (smooth @ shape), 1e-6) * shape
        slope = x.T @ (y - mean) - ridge * b
        curve = (x * mean[:, None]).T @ x + ridge * np.eye(b.size)
        b = np.clip(b + np.linalg.solve(curve, slope), -2, 2)
    return np.asarray(h @ b)
