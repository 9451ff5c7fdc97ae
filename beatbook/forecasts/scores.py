"""How good series forecasts were: MASE, CRPS, bias and coverage, beside the naive."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.forecasts.models import NAIVE
from beatbook.forecasts.panel import WEEK
from beatbook.forecasts.series import from_table

FloatArray = npt.NDArray[np.float64]


def one_step_scale(y: FloatArray) -> float:
    """Return the mean absolute change from one week to the next (Hyndman and Koehler 2006).

    Missing where a series never changes: nothing can be scaled by nothing.
    """
    change = np.abs(np.diff(np.asarray(y, dtype=float)))
    change = change[np.isfinite(change)]
    return float(change.mean()) if change.size and change.sum() > 0 else float("nan")


def score(backtest: pd.DataFrame, series: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Score every forecast of a back-test.

    Parameters
    ----------
    backtest
        From `beatbook.forecasts.series.back_test`, or published forecasts with ``y`` added.
    series
        ``unique_id, ds, y``: the history, for the scale. Only weeks up to a forecast's cutoff
        are used for it.
    seed
        For the randomized PIT.

    Returns
    -------
    The rows with an outcome, and ``scale`` (mean absolute one-step change up to the cutoff),
    ``error`` (y_hat - y), ``scaled_error`` (absolute, of the mean), ``scaled_median_error``,
    ``crps``, ``scaled_crps``, ``pit``. Scaled values are missing where the scale is.
    """
    rows = backtest[backtest["y"].notna()].copy()
    if rows.empty:
        raise InvalidInput("No forecast has its outcome yet, so there is nothing to score.")
    history = series.sort_values("ds")
    scale: dict[tuple[str, pd.Timestamp], float] = {}
    cutoffs = rows[["unique_id", "cutoff"]].drop_duplicates()
    by_name = {str(k): (g["ds"].to_numpy(), g["y"].to_numpy(float))
               for k, g in history.groupby("unique_id")}  # fmt: skip
    for name, cutoff in cutoffs.itertuples(index=False):
        weeks, y = by_name.get(str(name), (np.array([], "datetime64[us]"), np.array([])))
        scale[str(name), cutoff] = one_step_scale(y[weeks <= np.datetime64(cutoff)])
    keys = zip(rows["unique_id"].astype(str), rows["cutoff"], strict=True)
    rows["scale"] = [scale[k] for k in keys]
    forecast, y = from_table(rows), rows["y"].to_numpy(float)
    rows["error"] = rows["y_hat"] - y
    rows["scaled_error"] = rows["error"].abs() / rows["scale"]
    rows["scaled_median_error"] = (rows["median"] - y).abs() / rows["scale"]
    rows["crps"] = forecast.crps(y)
    rows["scaled_crps"] = rows["crps"] / rows["scale"]
    rows["pit"] = forecast.randomized_pit(y, np.random.default_rng(seed))
    return rows


def summarize(scored: pd.DataFrame, *, by: tuple[str, ...] = ("model",)) -> pd.DataFrame:
    """Average the scores, series weighing alike, beside the seasonal naive.

    Returns
    -------
    One row a group: ``scaled_error`` (MASE by the one-step naive, of the mean),
    ``scaled_median_error``, ``scaled_crps``, ``mase_seasonal`` (mean absolute error as a share of
    the seasonal naive's over the same weeks), ``bias`` (sum of errors as a share of the outcomes),
    ``coverage_80``, ``coverage_95`` (share of randomized PIT within), ``forecasts``.
    """
    rows = scored.assign(
        absolute=scored["error"].abs(),
        in_80=scored["pit"].between(0.1, 0.9),
        in_95=scored["pit"].between(0.025, 0.975),
    )
    keys = list(by)
    inner = [*keys, "unique_id"] if "unique_id" not in keys else keys
    scaled = ["scaled_error", "scaled_median_error", "scaled_crps"]
    out = rows.groupby(inner)[scaled].mean().groupby(keys).mean()
    grouped = rows.groupby(keys)
    same = ["unique_id", "ds", "cutoff"]
    naive = rows.loc[rows["model"] == NAIVE, [*same, "absolute"]]
    paired = rows.merge(naive, on=same, how="left", suffixes=("", "_naive"))
    sums = paired.groupby(keys)[["absolute", "absolute_naive"]].sum(min_count=1)
    out["mase_seasonal"] = sums["absolute"] / sums["absolute_naive"].replace(0, np.nan)
    out["bias"] = grouped["error"].sum() / grouped["y"].sum().replace(0, np.nan)
    out["coverage_80"], out["coverage_95"] = grouped["in_80"].mean(), grouped["in_95"].mean()
    out["forecasts"] = grouped.size()
    return out.reset_index()


def withdrawn(scored: pd.DataFrame, model: str, *, weeks: int = 8) -> pd.DataFrame:
    """Say which series have not beaten their naive over the last ``weeks`` weeks with outcomes.

    Parameters
    ----------
    scored
        From `score`, with the model's and the seasonal naive's rows for the same weeks; where a
        week was forecast several times, its latest cutoff counts.
    model
        The published model.

    Returns
    -------
    ``unique_id, crps, naive_crps, weeks, withdrawn``. A series is withdrawn if its CRPS, averaged
    over those weeks, is not less than the naive's; with fewer weeks, it is not yet judged.
    """
    last = scored.sort_values("cutoff").drop_duplicates(["unique_id", "model", "ds"], keep="last")
    end = last["ds"].max()
    recent = last[last["ds"] > end - weeks * WEEK]
    wide = recent[recent["model"].isin([model, NAIVE])].pivot(
        index=["unique_id", "ds"], columns="model", values="crps"
    )
    wide = wide.reindex(columns=[model, NAIVE]).dropna()
    out = wide.groupby("unique_id").mean().rename(columns={model: "crps", NAIVE: "naive_crps"})
    out["weeks"] = wide.groupby("unique_id").size()
    out["withdrawn"] = (out["weeks"] >= weeks) & (out["crps"] >= out["naive_crps"])
    return out.reset_index()
