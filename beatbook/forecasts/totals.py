"""Totals that add up: the mean of a total is the sum of its parts' means."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.forecasts.distribution import CountForecast, moment_size

BOTTOM_UP = "bottom_up"
Sizes = dict[tuple[str, str], float]


def add_totals(
    table: pd.DataFrame, backtest: pd.DataFrame, totals: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add bottom-up totals to forecasts and to their back-test.

    Parameters
    ----------
    table, backtest
        Long tables as `beatbook.forecasts.series` makes them. The naive model and every other
        one in the back-test is added up with itself, so that a total can be scored too.
    totals
        Name of each total and the names of its parts (parts, not other totals).

    Returns
    -------
    Both tables with the totals below. A total's ``model`` is ``"bottom_up"``; in the back-test it
    keeps the model's own name. Its distribution is a negative binomial around the sum, with a
    size from the total's own errors in the back-test (so what the parts share, a hot summer,
    is in the interval), never narrower than independent parts would make it.

    Raises
    ------
    InvalidInput
        For a total that names no part, a part twice, or a part that has no forecast.
    """
    tested, sizes = total_back_test(backtest, totals)
    made = total_forecasts(table, totals, sizes)
    return (
        pd.concat([table, made], ignore_index=True),
        pd.concat([backtest, tested], ignore_index=True) if len(tested) else backtest,
    )


def total_back_test(
    backtest: pd.DataFrame, totals: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame, Sizes]:
    """Add a back-test up to totals, model by model, and read the totals' sizes from it.

    Returns
    -------
    The totals' rows, and by total and model the size that their errors ask for.
    """
    if backtest.empty or not totals:
        return backtest.iloc[:0], {}
    added = _add(backtest, totals, ["model", "ds", "cutoff"])
    parts = added["total"].map({total: len(names) for total, names in totals.items()})
    added = added[added["parts"] == parts].reset_index(drop=True)
    sizes: Sizes = {}
    own = np.full(len(added), np.inf)
    for (total, model), rows in added.groupby(["total", "model"]):
        size = moment_size(rows["y"].to_numpy(float), rows["y_hat"].to_numpy())
        sizes[str(total), str(model)] = size
        own[rows.index] = size
    size = np.minimum(own, added["size"].to_numpy(float))
    return _write(added, size)[list(backtest.columns)], sizes


def total_forecasts(
    table: pd.DataFrame, totals: Mapping[str, Sequence[str]], sizes: Sizes
) -> pd.DataFrame:
    """Add forecasts up to totals, with the sizes of the model that most parts have.

    Raises
    ------
    InvalidInput
        As `add_totals`.
    """
    model = table.drop_duplicates("unique_id").set_index("unique_id")["model"]
    own = {}
    for total, parts in totals.items():
        lacking = [p for p in parts if p not in model.index]
        if lacking or not parts or len(set(parts)) != len(parts):
            what = f"has no forecast for {lacking[0]}" if lacking else "has no parts or one twice"
            raise InvalidInput(f"The total {total} {what}.")
        most = pd.Series([model[p] for p in parts]).mode().iloc[0]
        own[total] = sizes.get((total, str(most)), np.inf)
    if not totals:
        return table.iloc[:0]
    added = _add(table, totals, ["ds", "cutoff"]).assign(model=BOTTOM_UP)
    size = np.minimum(added["total"].map(own).to_numpy(float), added["size"].to_numpy(float))
    return _write(added, size)[list(table.columns)]


def _add(rows: pd.DataFrame, totals: Mapping[str, Sequence[str]], by: list[str]) -> pd.DataFrame:
    """Sum means (and outcomes) by total, and the size that independent parts would give the sum.

    Parts are summed in the order of the rows, so that the same rows give the same bits.
    """
    pairs = [(part, total) for total, parts in totals.items() for part in parts]
    place = pd.DataFrame(pairs, columns=["unique_id", "total"])
    held = rows.assign(excess=rows["y_hat"] ** 2 / rows["size"])
    joined = held.merge(place, on="unique_id", how="inner")
    grouped = joined.groupby(["total", *by], sort=True)
    out = grouped[["y_hat", "excess"]].sum()
    out["size"] = out["y_hat"] ** 2 / out["excess"].clip(lower=1e-12)
    out["parts"] = grouped.size()
    if "y" in rows:
        out["y"] = grouped["y"].sum(min_count=1).where(grouped["y"].count() == out["parts"])
    order = {total: i for i, total in enumerate(totals)}
    out = out.reset_index()
    return out.sort_values("total", key=lambda t: t.map(order), kind="stable").reset_index(
        drop=True
    )


def _write(rows: pd.DataFrame, size: npt.NDArray[np.float64]) -> pd.DataFrame:
    forecast = CountForecast(rows["y_hat"].to_numpy(float), size)
    lo80, hi80 = forecast.interval(0.80)
    lo95, hi95 = forecast.interval(0.95)
    return rows.assign(
        unique_id=rows["total"], size=forecast.size, median=forecast.quantile(0.5),
        lo_80=lo80, hi_80=hi80, lo_95=lo95, hi_95=hi95,
    )  # fmt: skip


def with_total_series(series: pd.DataFrame, totals: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Add the totals' own counts to ``unique_id, ds, y``, so that totals can be scored.

    A week counts for a total only where every part has a count.
    """
    out = [series]
    for total, parts in totals.items():
        inside = series[series["unique_id"].isin(set(parts))]
        grouped = inside.groupby("ds")["y"]
        whole = grouped.sum()[grouped.count() == len(parts)]
        out.append(whole.rename("y").reset_index().assign(unique_id=total))
    return pd.concat(out, ignore_index=True)[["unique_id", "ds", "y"]]
