"""Series models: each a function from a panel and a horizon to a distribution of counts.

A new model is one more function of this shape, given to `beatbook.forecasts.series` by name;
nothing else changes.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.forecasts.distribution import CountForecast, moment_size
from beatbook.forecasts.panel import Panel
from beatbook.forecasts.season import harmonics, pooled_season

FloatArray = npt.NDArray[np.float64]
Model = Callable[[Panel, int], CountForecast]

YEAR_WEEKS = 52


def seasonal_naive(panel: Panel, horizon: int) -> CountForecast:
    """The same week a year (52 weeks) ago: the naive forecast that every other must beat.

    With less than a year of history, the last week.
    """
    n = len(panel.weeks)
    lag = YEAR_WEEKS if n >= YEAR_WEEKS else 1
    rows = [n - lag + (h % lag) for h in range(horizon)]
    mean = np.maximum(panel.y[rows], 0)
    past = np.maximum(panel.y[:-lag], 0)
    return CountForecast(mean, _sizes(panel, panel.y[lag:], past))


def recent_mean(panel: Panel, horizon: int, *, weeks: int = 8) -> CountForecast:
    """The mean of the last ``weeks`` weeks, 8 by default (the CompStat book's own yardstick)."""
    y = panel.y
    sums = np.cumsum(np.vstack([np.zeros(y.shape[1]), y]), axis=0)
    w = min(weeks, len(y))
    means = np.maximum((sums[w:] - sums[:-w]) / w, 0)
    # Each mean is set against the week four ahead of it, not the next: the book looks a month out.
    ahead = min(horizon, len(y) - w)
    past, seen = (means[:-ahead], y[w - 1 + ahead :]) if ahead > 0 else (means[:0], y[:0])
    return CountForecast(np.tile(means[-1], (horizon, 1)), _sizes(panel, seen, past))


def exponential_smoothing(panel: Panel, horizon: int) -> CountForecast:
    """Simple exponential smoothing, its rate chosen for each series from past errors.

    The rate of 0.02 to 0.5 with the least squared error over the history, one and ``horizon``
    weeks ahead together; started from the mean of the first year.
    """
    rates = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5])
    y = panel.y
    n, series = y.shape
    level = np.tile(y[:YEAR_WEEKS].mean(axis=0), (rates.size, 1))
    path = np.empty((n, rates.size, series))
    for k in range(n):
        level = level + rates[:, None] * (y[k] - level)
        path[k] = level
    # The first year taught the start, so it cannot judge the rates.
    begin = min(YEAR_WEEKS, n // 2)
    loss = np.zeros((rates.size, series))
    for h in {1, horizon}:
        if n - h > begin:
            loss += ((y[begin + h :, None] - path[begin : n - h]) ** 2).mean(axis=0)
    best = loss.argmin(axis=0)
    chosen = np.maximum(path[:, best, np.arange(series)], 0)
    size = _sizes(panel, y[begin + horizon :], chosen[begin : n - horizon])
    return CountForecast(np.tile(chosen[-1], (horizon, 1)), size)


def count_regression(
    panel: Panel, horizon: int, *, waves: int = 2, rate: float = 0.01, weeks: int = 156
) -> CountForecast:
    """Poisson regression on yearly waves, one series at a time, history discounted.

    A generalized linear model (statsmodels) with ``waves`` yearly waves on the last ``weeks``
    weeks (three years), each week weighted by ``exp(-rate * age)``; the negative-binomial size
    from its residuals by offense. Below two years, or with under one offense a month, only a
    constant is fitted: waves would follow noise.
    """
    import statsmodels.api as sm

    y = np.maximum(panel.y[-weeks:], 0)
    n = len(y)
    ages = np.arange(n)[::-1]
    x = np.column_stack([np.ones(n + horizon), harmonics(
        pd.DatetimeIndex(panel.weeks[-weeks:].append(panel.ahead(horizon))), waves)])  # fmt: skip
    w = np.exp(-rate * ages)
    mean = np.empty((n + horizon, y.shape[1]))
    for j in range(y.shape[1]):
        level = max(float(np.average(y[:, j], weights=w)), 0.5 / n)
        mean[:, j] = level
        if n >= 2 * YEAR_WEEKS and level >= 12 / YEAR_WEEKS:
            fit = sm.GLM(y[:, j], x[:n], family=sm.families.Poisson(), var_weights=w).fit(
                maxiter=25
            )
            mean[:, j] = np.exp(np.clip(x @ fit.params, -10, np.log(3 * y[:, j].max() + 1)))
    return CountForecast(mean[n:], _sizes(panel, panel.y[-weeks:], mean[:n]))


def pooled_level(
    panel: Panel,
    horizon: int,
    *,
    group_change: tuple[float, ...] = (2e-5, 2e-4, 2e-3),
    share_change: tuple[float, ...] = (5e-6, 5e-5, 5e-4, 5e-3),
    waves: tuple[int, ...] = (1, 2),
) -> CountForecast:
    """A seasonal shape shared by the districts, times a discounted level of each.

    The level of a series is the level of its group (the offense over the city) times its share
    of it; both are exponentially discounted means of deseasonalized counts. How fast history is
    discounted follows from how much a count tells: for a level that wanders by a variance ``q``
    of its logarithm a week and counts of mean m, the best steady rate is about ``sqrt(q m)``
    (the gain of the local-level filter), so larceny is followed within weeks and homicide over
    years. As nobody knows q, levels for several q are averaged in logs. The values, and the wave
    counts of the season, are those with the least CRPS on St. Louis 2016-2018.

    The size of the negative binomial is fitted by group to this model's own errors over the
    history, 1 to ``horizon`` weeks ahead.
    """
    y, group = panel.y, panel.group
    n, series = y.shape
    season = pooled_season(panel, horizon, waves=waves)
    members = np.zeros((int(group.max()) + 1, series))
    members[group, np.arange(series)] = 1
    recent = np.maximum(y[-2 * YEAR_WEEKS :].mean(axis=0), 0.02)
    of_group = members @ recent
    per_member = of_group / members.sum(axis=1)
    log_level = np.zeros((n, members.shape[0]))
    for q in group_change:
        rate = np.clip(np.sqrt(q * of_group), 0.003, 0.5)
        counts = _discounted(y @ members.T, rate)
        shape = _discounted(season[:n], rate)
        log_level += np.log(np.maximum(counts / shape, 0.01)) / len(group_change)
    log_share = np.zeros((n, series))
    for q in share_change:
        rate = np.clip(np.sqrt(q * per_member), 0.003, 0.5)
        counts = np.maximum(_discounted(y, rate[group]), 0) + 0.05
        log_share += np.log(counts / (counts @ members.T)[:, group]) / len(share_change)
    level = np.exp(log_level[:, group] + log_share)
    mean = season[n:][:, group] * level[-1]
    begin = min(YEAR_WEEKS, n // 2)
    past, seen = [], []
    for h in range(1, horizon + 1):
        past.append(season[begin + h : n][:, group] * level[begin : n - h])
        seen.append(y[begin + h :])
    return CountForecast(mean, _sizes(panel, np.vstack(seen), np.vstack(past)))


def _discounted(x: FloatArray, rate: FloatArray) -> FloatArray:
    """Sum of all rows up to each, one a week older counting ``exp(-rate)`` as much."""
    out, keep, held = np.empty_like(x), np.exp(-rate), np.zeros(x.shape[1])
    for k, row in enumerate(x):
        held = held * keep + row
        out[k] = held
    return out


def _sizes(panel: Panel, seen: FloatArray, mean: FloatArray) -> FloatArray:
    """One size a group from past outcomes and forecasts, spread over its series."""
    sizes = np.empty(panel.y.shape[1])
    for g in np.unique(panel.group):
        members = panel.group == g
        sizes[members] = moment_size(seen[:, members], mean[:, members])
    return sizes


def prophet_model(panel: Panel, horizon: int) -> CountForecast:
    """Prophet, one series at a time, set for weekly counts.

    Two yearly waves instead of ten (ten follow noise at a few offenses a week), no weekly or
    daily season (the data are weekly), a stiff trend (changepoint prior 0.01; the default 0.05
    runs away over four weeks), no sampling (``uncertainty_samples=0``): the interval is the
    negative binomial of its residuals, for prophet's own is a normal one and goes below zero.
    Imported only when called; never fork after this.
    """
    import logging

    # Both libraries write a line a fit; cmdstanpy resets its level unless it finds a handler.
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
    logger = logging.getLogger("cmdstanpy")
    logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.ERROR)
    logger.propagate = False

    from prophet import Prophet

    n = len(panel.weeks)
    every = panel.weeks.append(panel.ahead(horizon))
    mean = np.empty((n + horizon, panel.y.shape[1]))
    for j in range(panel.y.shape[1]):
        model = Prophet(
            yearly_seasonality=2 if n >= 2 * YEAR_WEEKS else False,
            weekly_seasonality=False,
            daily_seasonality=False,
            changepoint_prior_scale=0.01,
            uncertainty_samples=0,
        )
        model.fit(pd.DataFrame({"ds": panel.weeks, "y": panel.y[:, j]}))
        mean[:, j] = np.maximum(model.predict(pd.DataFrame({"ds": every}))["yhat"], 0.01)
    return CountForecast(mean[n:], _sizes(panel, panel.y, mean[:n]))


def mix(*parts: CountForecast, weights: FloatArray | None = None) -> CountForecast:
    """Mix forecasts of one shape: weighted mean, and the variance of the mixture.

    The variance holds what each part says and how far they disagree; equal weights unless given
    (one a part, or one a part and series).
    """
    m = np.stack([p.mean for p in parts])
    w = np.full(len(parts), 1.0) if weights is None else np.asarray(weights, dtype=float)
    w = np.broadcast_to(w.reshape(w.shape + (1,) * (m.ndim - w.ndim)) if w.ndim == 1
                        else w[:, None, :], m.shape)  # fmt: skip
    w = w / w.sum(axis=0)
    mean = (w * m).sum(axis=0)
    excess = (w * (m**2 / np.stack([p.size for p in parts]) + (m - mean) ** 2)).sum(axis=0)
    return CountForecast(mean, np.where(excess > 0, mean**2 / np.maximum(excess, 1e-12), 1e6))


MODELS: dict[str, Model] = {
    "seasonal_naive": seasonal_naive,
    "recent_mean": recent_mean,
    "exponential_smoothing": exponential_smoothing,
    "count_regression": count_regression,
    "pooled_level": pooled_level,
}
"""What a weekly run tries; ``prophet`` is offered under `ALL_MODELS` and costs a minute."""

ALL_MODELS: dict[str, Model] = {**MODELS, "prophet": prophet_model}
NAIVE = "seasonal_naive"
