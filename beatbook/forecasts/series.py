"""Forecast many series at once: fallbacks, rolling-origin back-test, choice and totals.

One long table in (``unique_id, ds, y``), one long table out (`COLUMNS`).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.forecasts.distribution import CountForecast
from beatbook.forecasts.models import MODELS, NAIVE, Model, mix, recent_mean
from beatbook.forecasts.panel import WEEK, Panel, Shock, make_panel
from beatbook.forecasts.totals import add_totals

FloatArray = npt.NDArray[np.float64]
AsKnown = Callable[[pd.Timestamp], pd.DataFrame]
Say = Callable[[str], None]

COLUMNS = (
    "unique_id", "ds", "model", "y_hat", "lo_80", "hi_80", "lo_95", "hi_95", "cutoff",
    "median", "size",
)  # fmt: skip
MIX = "mix"
_UNTESTED = "No back-test yet: history is too short."
_ODD = "The series itself; see the notes."


class Forecasts(NamedTuple):
    """What a run of `forecast_series` returns.

    ``table``: the published forecasts (`COLUMNS`). ``backtest``: the same columns and ``y`` for
    every model and origin. ``choice``: ``unique_id, model, reason``. ``notes``: ``unique_id,
    note``, every repair, fallback and failure.
    """

    table: pd.DataFrame
    backtest: pd.DataFrame
    choice: pd.DataFrame
    notes: pd.DataFrame


def run_model(model: Model, panel: Panel, horizon: int) -> tuple[CountForecast, dict[str, str]]:
    """Run one model on a panel; series that it cannot answer for get a stated fallback.

    Returns
    -------
    The forecast of every series of the panel, and what happened to which: short, stale and
    all-zero series never reach the model. If the model fails on the panel, it is run on one
    series at a time, and the failing ones get the mean of their last eight weeks.
    """
    mean = np.zeros((horizon, len(panel.ids)))
    size = np.ones_like(mean)
    said: dict[str, str] = {}
    fine = [j for j, state in enumerate(panel.state) if state == "ok"]
    for j in set(range(len(panel.ids))) - set(fine):
        forecast = _plain(panel, j, horizon)
        mean[:, j], size[:, j] = forecast.mean[:, 0], forecast.size[:, 0]
    if fine:
        part = panel.take(fine)
        try:
            forecast = _checked(model(part, horizon), part, horizon)
            mean[:, fine], size[:, fine] = forecast.mean, forecast.size
        # A model is a plug-in of libraries: whatever one series does to it must stay with that
        # series, so every error is caught here, at this one place, and reported in the notes.
        except Exception:
            for j in fine:
                one = panel.take([j])
                try:
                    forecast = _checked(model(one, horizon), one, horizon)
                except Exception as error:
                    forecast = recent_mean(one, horizon)
                    said[panel.ids[j]] = (
                        f"The model failed ({type(error).__name__}: {error}): "
                        "the mean of the last eight weeks instead."
                    )
                mean[:, j], size[:, j] = forecast.mean[:, 0], forecast.size[:, 0]
    return CountForecast(mean, size), said


def _checked(forecast: CountForecast, panel: Panel, horizon: int) -> CountForecast:
    if forecast.mean.shape != (horizon, len(panel.ids)):
        raise InvalidInput(f"The model returned {forecast.mean.shape} numbers.")
    return forecast


def _plain(panel: Panel, j: int, horizon: int) -> CountForecast:
    """The fallback: the mean of the last year's given weeks, as a broad negative binomial."""
    given = panel.y[panel.seen[:, j], j][-52:]
    # Half an offense over all weeks, so that a series of zeros is not a certainty of zero.
    level = max((max(float(given.sum()), 0.0) + 0.5) / max(given.size, 1), 1e-3)
    # A mean from k offenses is uncertain by about 1/sqrt(k): the size of a gamma of that shape.
    size = max(float(given.sum()), 0.0) + 0.5
    return CountForecast(np.full((horizon, 1), level), np.full((horizon, 1), size))


def to_table(
    forecast: CountForecast, ids: Sequence[str], weeks: pd.DatetimeIndex, model: str,
    cutoff: pd.Timestamp,
) -> pd.DataFrame:  # fmt: skip
    """Write a forecast as the long table: one row a series and week, intervals whole numbers."""
    lo80, hi80 = forecast.interval(0.80)
    lo95, hi95 = forecast.interval(0.95)
    h, n = forecast.mean.shape
    values = {"y_hat": forecast.mean, "lo_80": lo80, "hi_80": hi80, "lo_95": lo95, "hi_95": hi95,
              "median": forecast.quantile(0.5), "size": forecast.size}  # fmt: skip
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.asarray(ids, dtype=object), h),
            "ds": np.tile(weeks.to_numpy(), n),
            "model": model,
            "cutoff": cutoff,
            **{name: value.T.ravel() for name, value in values.items()},
        }
    )
    return frame.loc[:, list(COLUMNS)]


def from_table(table: pd.DataFrame) -> CountForecast:
    """Return the distributions that a long table holds, one a row."""
    return CountForecast(table["y_hat"].to_numpy(float), table["size"].to_numpy(float))


def back_test(
    series: pd.DataFrame,
    *,
    models: Mapping[str, Model] = MODELS,
    origins: int = 13,
    every: int = 4,
    horizon: int = 4,
    last: pd.Timestamp | None = None,
    as_known: AsKnown | None = None,
    shocks: Sequence[Shock] = (),
    say: Say | None = None,
) -> pd.DataFrame:
    """Forecast from past cutoffs, each model refitted with nothing from after the cutoff.

    Parameters
    ----------
    series
        ``unique_id, ds, y``; the outcomes that forecasts are set against.
    origins, every, horizon
        How many cutoffs, how many weeks apart, how many weeks ahead: 13 every 4 weeks cover a
        year, each week once.
    last
        The last cutoff (first day of its week); by default ``horizon`` weeks before the end.
    as_known
        What the books held then: called with a cutoff's first day, it returns
        the series as they stood when that week ended (late records missing, or nowcast). Without
        it, today's series cut at the week, which knows late records too early: say so where the
        scores are printed.
    say
        Called with a line of progress.

    Returns
    -------
    DataFrame with `COLUMNS` and ``y``, for every model, cutoff, series and week ahead; ``y`` is
    missing where the outcome is not there yet. A cutoff with under a year of history is left out.
    """
    outcome = series.set_index(["unique_id", "ds"])["y"]
    end = pd.Timestamp(series["ds"].max())
    final = end - horizon * WEEK if last is None else pd.Timestamp(last)
    cutoffs = [final - WEEK * every * i for i in range(origins)][::-1]
    start = pd.Timestamp(series["ds"].min())
    tables = []
    for cutoff in [c for c in cutoffs if c - start >= 52 * WEEK]:
        known = series if as_known is None else as_known(cutoff)
        panel = make_panel(known, until=cutoff, shocks=shocks)
        for name, model in models.items():
            forecast, _ = run_model(model, panel, horizon)
            tables.append(to_table(forecast, panel.ids, panel.ahead(horizon), name, cutoff))
        if say is not None:
            say(f"back-test: {len(models)} models as of the week of {cutoff.date()}")
    if not tables:
        return pd.DataFrame(columns=[*COLUMNS, "y"])
    out = pd.concat(tables, ignore_index=True)
    key = pd.MultiIndex.from_frame(out[["unique_id", "ds"]])
    out["y"] = outcome.reindex(key).to_numpy(dtype=float)
    return out


def choose(
    backtest: pd.DataFrame, *, pool_by: Callable[[str], str] | None = None, naive: str = NAIVE
) -> pd.DataFrame:
    """Choose a model by its CRPS in a back-test.

    Parameters
    ----------
    backtest
        From `back_test`.
    pool_by
        Names the group of a series in which one model is chosen; by default one model for all.
        A choice for each single series on 13 origins follows luck: pooled did better on St. Louis.
    naive
        The model to beat. One that does not beat it over the group is not chosen.

    Returns
    -------
    ``unique_id, model, reason``. Scores are divided by the naive's in each series before they are
    averaged, so that larceny does not outvote homicide.
    """
    names = pd.Index(backtest["unique_id"].unique())
    scored = backtest[backtest["y"].notna()]
    if scored.empty or naive not in set(scored["model"]):
        reason = _UNTESTED
        return pd.DataFrame({"unique_id": names, "model": naive, "reason": reason})
    crps = from_table(scored).crps(scored["y"].to_numpy())
    mean = scored.assign(crps=crps).groupby(["unique_id", "model"])["crps"].mean().unstack()
    ratio = mean.div(mean[naive].clip(lower=1e-9), axis=0)
    group = names.map(pool_by if pool_by is not None else (lambda _: "all series"))
    rows = []
    for label in pd.unique(group):
        inside = names[group == label]
        average = ratio.reindex(inside).mean().dropna()
        best = str(average.sort_values(kind="stable").index[0]) if len(average) else naive
        if best == naive or average[best] >= 1:
            best, reason = naive, f"No model beat the naive forecast over {label}."
        else:
            reason = f"CRPS {average[best]:.2f} of the naive's over {label}, the least of all."
        rows.append(pd.DataFrame({"unique_id": inside, "model": best, "reason": reason}))
    return pd.concat(rows, ignore_index=True)


def with_mix(backtest: pd.DataFrame, members: Sequence[str]) -> pd.DataFrame:
    """Add the equal mix of some models to a back-test, as model ``"mix"``."""
    parts = [
        backtest[backtest["model"] == m].sort_values(["cutoff", "unique_id", "ds"]) for m in members
    ]
    if len(parts) < 2 or any(p.empty for p in parts):
        return backtest
    mixed = mix(*[from_table(p) for p in parts])
    base = parts[0].reset_index(drop=True)
    lo80, hi80 = mixed.interval(0.80)
    lo95, hi95 = mixed.interval(0.95)
    new = base.assign(model=MIX, y_hat=mixed.mean, size=mixed.size, lo_80=lo80, hi_80=hi80,
                      lo_95=lo95, hi_95=hi95, median=mixed.quantile(0.5))  # fmt: skip
    return pd.concat([backtest, new], ignore_index=True)


def forecast_series(
    series: pd.DataFrame,
    *,
    horizon: int = 4,
    models: Mapping[str, Model] = MODELS,
    mix_of: Sequence[str] = ("pooled_level", "exponential_smoothing"),
    totals: Mapping[str, Sequence[str]] | None = None,
    cutoff: pd.Timestamp | None = None,
    origins: int = 13,
    as_known: AsKnown | None = None,
    outcomes: pd.DataFrame | None = None,
    last: pd.Timestamp | None = None,
    shocks: Sequence[Shock] = (),
    pool_by: Callable[[str], str] | None = None,
    say: Say | None = None,
) -> Forecasts:
    """Forecast weekly counts with the model that did best in a back-test before the cutoff.

    Parameters
    ----------
    series
        The parts (precinct by offense): ``unique_id`` like ``"3/Robbery"``, ``ds``, ``y``.
    totals
        Name of each total and the series it adds up. Totals are bottom-up: their mean is the sum
        of their parts' means, exactly; their interval is a negative binomial whose size comes
        from the total's own errors in the back-test (`totals.add_totals`).
    cutoff
        The last week used; rows after it change nothing. By default the last week given.
    outcomes
        ``unique_id, ds, y`` that the back-test is set against; by default ``series``. Give the
        settled counts where the last weeks of ``series`` are estimates.
    last
        Last cutoff of the back-test; by default the latest with all its weeks in ``outcomes``.
    models, mix_of, origins, as_known, shocks, pool_by, say
        As in `back_test` and `choose`; the equal mix of ``mix_of`` competes as ``"mix"``. Naive
        forecasts (``"seasonal_naive"``) must be among the models.

    Returns
    -------
    `Forecasts`. A series that is short, stale or all zeros, or on which the model fails, has
    model ``"fallback"`` and a note.
    """
    if NAIVE not in models:
        raise InvalidInput(f'The models must include "{NAIVE}": every forecast is scored by it.')
    if horizon < 1:
        raise InvalidInput(f"The horizon is at least one week; got {horizon!r}.")
    panel = make_panel(series, until=cutoff, shocks=shocks)
    until = panel.cutoff
    held = series if outcomes is None else outcomes
    known = held[pd.to_datetime(held["ds"]) <= until]
    # Four weeks at least, so that 13 cutoffs cover a year and the last two, eight weeks.
    ahead = max(horizon, 4)
    tested = back_test(
        known.assign(ds=pd.to_datetime(known["ds"])), models=models, origins=origins, last=last,
        every=ahead, horizon=ahead, as_known=as_known, shocks=shocks, say=say,
    )  # fmt: skip
    members = [m for m in mix_of if m in models]
    tested = with_mix(tested, members)
    ok = [i for i, state in zip(panel.ids, panel.state, strict=True) if state == "ok"]
    choice = choose(tested[tested["unique_id"].isin(ok)], pool_by=pool_by)
    chosen = dict(zip(choice["unique_id"], choice["model"], strict=True))
    tables, notes = [], [
        {"unique_id": i, "note": n} for i, n in zip(panel.ids, panel.notes, strict=True) if n
    ]  # fmt: skip
    ran: dict[str, CountForecast] = {}
    failed: dict[str, dict[str, str]] = {}
    used = {chosen.get(i, NAIVE) for i in panel.ids}
    for name in sorted((used - {MIX}) | (set(members) if MIX in used else set())):
        ran[name], failed[name] = run_model(models[name], panel, horizon)
    if MIX in used:
        ran[MIX] = mix(*[ran[m] for m in members])
        failed[MIX] = {k: v for m in members for k, v in failed[m].items()}
    for j, name in enumerate(panel.ids):
        model = chosen.get(name, NAIVE)
        forecast = ran[model]
        one = CountForecast(forecast.mean[:, [j]], forecast.size[:, [j]])
        if name in failed[model]:
            notes.append({"unique_id": name, "note": failed[model][name]})
        fell = panel.state[j] != "ok" or name in failed[model]
        label = "fallback" if fell else model
        tables.append(to_table(one, [name], panel.ahead(horizon), label, until))
    table = pd.concat(tables, ignore_index=True)
    extra = pd.DataFrame(
        [(i, NAIVE, _UNTESTED) if state == "ok" else (i, "fallback", _ODD)
         for i, state in zip(panel.ids, panel.state, strict=True) if i not in chosen],
        columns=["unique_id", "model", "reason"],
    )  # fmt: skip
    choice = pd.concat([choice, extra], ignore_index=True)
    if totals:
        table, tested = add_totals(table, tested, totals)
    return Forecasts(table, tested, choice, pd.DataFrame(notes, columns=["unique_id", "note"]))
