"""Totals that add up: the mean of a total is the sum of its parts' means."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.forecasts.distribution import CountForecast, moment_size

BOTTOM_UP = "bottom_up"


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
    names = set(table["unique_id"])
    for total, parts in totals.items():
        lacking = [p for p in parts if p not in names]
        if lacking or not parts or len(set(parts)) != len(parts):
            what = f"has no forecast for {lacking[0]}" if lacking else "has no parts or one twice"
            raise InvalidInput(f"The total {total} {what}.")
    tables, tests = [table], [backtest]
    for total, parts in totals.items():
        # A sum of many parts in a fixed order, so that the same parts give the same bits.
        inside = table[table["unique_id"].isin(set(parts))]
        summed = _add(inside, ["ds", "cutoff"])
        model_name = inside["model"].mode().iloc[0]
        tested = backtest[backtest["unique_id"].isin(set(parts))]
        sizes: dict[str, float] = {}
        if len(tested):
            added = _add(tested, ["model", "ds", "cutoff"])
            full = tested.groupby(["model", "ds", "cutoff"])["unique_id"].count() == len(parts)
            added = added[full.reindex(added.index).to_numpy()].reset_index()
            for model, rows in added.groupby("model"):
                sizes[str(model)] = moment_size(rows["y"].to_numpy(float), rows["y_hat"].to_numpy())
            size = np.minimum(added["model"].map(sizes).to_numpy(float), added["size"].to_numpy())
            tests.append(_write(added, total, added["model"].to_numpy(), size))
        rows = summed.reset_index()
        size = np.minimum(sizes.get(str(model_name), np.inf), rows["size"].to_numpy(float))
        tables.append(_write(rows, total, BOTTOM_UP, size))
    return (
        pd.concat(tables, ignore_index=True)[list(table.columns)],
        pd.concat(tests, ignore_index=True)[list(backtest.columns)],
    )


def _add(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Sum means (and outcomes), and the size that independent parts would give the sum."""
    excess = rows["y_hat"] ** 2 / rows["size"]
    grouped = rows.assign(excess=excess).groupby(by, sort=True)
    out = grouped[["y_hat", "excess"]].sum()
    out["size"] = out["y_hat"] ** 2 / out["excess"].clip(lower=1e-12)
    if "y" in rows:
        out["y"] = grouped["y"].sum(min_count=1).where(grouped["y"].count() == grouped.size())
    return out


def _write(
    rows: pd.DataFrame, total: str, model: str | npt.NDArray[np.object_],
    size: npt.NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    forecast = CountForecast(rows["y_hat"].to_numpy(float), size)
    lo80, hi80 = forecast.interval(0.80)
    lo95, hi95 = forecast.interval(0.95)
    return rows.assign(
        unique_id=total, model=model, size=forecast.size, median=forecast.quantile(0.5),
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
