"""How many: one week's forecasts of every series, chosen and, where they fail, withdrawn."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from beatbook.department import Department
from beatbook.forecasts.book_days import DAY
from beatbook.forecasts.models import ALL_MODELS, NAIVE, Model, seasonal_naive
from beatbook.forecasts.panel import WEEK, Shock, make_panel
from beatbook.forecasts.scores import one_step_scale, score, withdrawn
from beatbook.forecasts.series import COLUMNS, forecast_series, run_model, to_table
from beatbook.forecasts.totals import total_back_test, total_forecasts, with_total_series
from beatbook.forecasts.week_history import WeekHistory, offenses_of, series_places

Say = Callable[[str], None]

ORIGINS = 13
FALLBACK = "fallback"
JUDGED_WEEKS = 8
"""So many weeks with outcomes decide whether a series keeps its model or is withdrawn."""

_NAIVE_REASON = "The naive forecast, beside which every other is scored."


class WeeklySeries(NamedTuple):
    """``table``: the ``forecasts`` table. ``scored``: the back-test's rows with their scores.
    ``scale``: mean absolute one-step change by series. ``chosen``: the model chosen for all."""

    table: pd.DataFrame
    scored: pd.DataFrame
    scale: pd.Series
    chosen: str
    origins: int


def department_shocks(department: Department) -> list[Shock]:
    """Turn the settings' known breaks into shocks, one an offense, or one for all."""
    return [
        Shock(
            series=offense,
            start=pd.Timestamp(known.first_day),
            end=None if known.last_day is None else pd.Timestamp(known.last_day),
            reason=known.reason.rstrip("."),
            kind=known.kind,
        )
        for known in department.forecasts.shocks
        for offense in (known.offenses or ["*"])
    ]


def department_models(department: Department) -> dict[str, Model]:
    """Return the models that the settings name, the seasonal naive always first."""
    return {NAIVE: seasonal_naive} | {m: ALL_MODELS[m] for m in department.forecasts.models}


def last_origin(history: WeekHistory, horizon: int) -> pd.Timestamp:
    """Return the latest cutoff whose ``horizon`` weeks have all settled by the present book."""
    cutoff = history.cutoff - horizon * WEEK
    while not history.days.is_settled(cutoff + horizon * WEEK + 6 * DAY):
        cutoff -= WEEK
    return cutoff


def weekly_series(
    history: WeekHistory,
    department: Department,
    *,
    published: pd.DataFrame | None = None,
    models: Mapping[str, Model] | None = None,
    say: Say = lambda _message: None,
) -> WeeklySeries:
    """Forecast every precinct-by-offense series, and the totals that they add up to.

    Parameters
    ----------
    history
        From `week_history.week_history`.
    department
        Horizon, models and known breaks from its settings.
    published
        Judgments of published forecasts (`ledger.judged_series`), where there are eight weeks of
        them; other series are judged by the back-test.
    models
        Instead of those of the settings; for a model of one's own.

    Returns
    -------
    WeeklySeries
        One model is chosen for all parts, by CRPS in a back-test as known at 13 cutoffs, each
        started from that book's nowcast, against settled counts. A part that has not beaten its
        naive over the last eight settled weeks is withdrawn: its naive is published. A total's
        mean is the sum of what is published of its parts, exactly; only where the total itself is
        withdrawn does it not add up, and its reason says so.
    """
    horizon = department.forecasts.horizon_weeks
    offered = models or department_models(department)
    shocks = department_shocks(department)
    strange = {s.series for s in shocks} - {"*", *offenses_of(department)}
    if strange:
        say(f"forecasts.shocks names {', '.join(sorted(strange))}, which no series counts")
    series = history.as_known(history.cutoff)
    outcomes = history.outcomes()
    made = forecast_series(
        series,
        horizon=horizon,
        models=offered,
        cutoff=history.cutoff,
        origins=ORIGINS,
        as_known=history.as_known,
        outcomes=outcomes,
        last=last_origin(history, max(horizon, 4)),
        shocks=shocks,
        say=say,
    )
    panel = make_panel(series, until=history.cutoff, shocks=shocks)
    plain, _ = run_model(seasonal_naive, panel, horizon)
    naive = to_table(plain, panel.ids, panel.ahead(horizon), NAIVE, panel.cutoff)
    real = [m for m in made.choice["model"].unique() if m != FALLBACK]
    chosen = str(real[0]) if real else NAIVE
    summed, sizes = total_back_test(made.backtest, history.totals)
    tested = pd.concat([made.backtest, summed], ignore_index=True) if len(summed) else summed
    whole = with_total_series(outcomes, history.totals)
    scored = score(tested, whole) if tested["y"].notna().any() else _unscored(tested)
    judged = judge(scored, chosen, published, history)
    parts = _publish(made.table, naive, judged)
    shown = parts.loc[parts["published"], list(COLUMNS)]
    sums = _publish(
        total_forecasts(shown, history.totals, sizes),
        total_forecasts(naive, history.totals, sizes).assign(model=NAIVE),
        judged,
    )
    table = pd.concat([parts, sums], ignore_index=True)
    table["reason"] = _reasons(table, made.choice, made.notes, judged, set(history.totals))
    place = series_places(history, department)
    order = {name: i for i, name in enumerate(place.index)}
    table = table.join(place, on="unique_id")
    table["weeks_ahead"] = ((table["ds"] - history.cutoff) // WEEK).astype("int64")
    table["as_of"] = history.days.as_of
    table = (
        table.assign(order=table["unique_id"].map(order))
        .sort_values(["order", "ds", "published"], ascending=[True, True, False], kind="stable")
        .drop(columns="order")
        .reset_index(drop=True)
    )
    level = with_total_series(series, history.totals)
    scale = level.groupby("unique_id", sort=False)["y"].agg(one_step_scale)
    return WeeklySeries(table, scored, scale, chosen, int(tested["cutoff"].nunique()))


def judge(
    scored: pd.DataFrame, chosen: str, published: pd.DataFrame | None, history: WeekHistory
) -> pd.DataFrame:
    """Say of each series whether its model beat its naive over the last eight settled weeks.

    Published forecasts decide where there are eight weeks of them, else the back-test as known.

    Returns
    -------
    By ``unique_id``: ``crps, naive_crps, withdrawn, basis``.
    """
    columns = ["crps", "naive_crps", "withdrawn", "basis"]
    empty = pd.DataFrame(columns=columns, index=pd.Index([], name="unique_id"))
    tested = empty
    if chosen != NAIVE and len(scored):
        found = withdrawn(scored, chosen, weeks=JUDGED_WEEKS).set_index("unique_id")
        tested = found[found["weeks"] >= JUDGED_WEEKS].assign(basis="the back-test as known")
    if published is None or published.empty:
        return tested[columns] if len(tested) else empty
    kept = tested[~tested.index.isin(published.index)]
    return pd.concat([published[columns], *([kept[columns]] if len(kept) else [])])


def _unscored(tested: pd.DataFrame) -> pd.DataFrame:
    columns = ["scale", "error", "scaled_error", "scaled_median_error", "crps", "scaled_crps",
               "pit"]  # fmt: skip
    return tested.iloc[:0].assign(**dict.fromkeys(columns, np.nan))


def _publish(chosen: pd.DataFrame, naive: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """Put chosen and naive rows together and mark the one of each series that pages show."""
    out = set(judged.index[judged["withdrawn"].astype(bool)])
    same = chosen["model"] == NAIVE
    gone = chosen["unique_id"].isin(out) & (chosen["model"] != FALLBACK) & ~same
    rows = chosen.assign(published=~gone, withdrawn=gone)
    beside = naive[~naive["unique_id"].isin(set(chosen.loc[same, "unique_id"]))]
    hidden = set(rows.loc[gone, "unique_id"])
    shown = beside["unique_id"].isin(hidden)
    return pd.concat([rows, beside.assign(published=shown, withdrawn=shown)], ignore_index=True)


def _reasons(
    table: pd.DataFrame,
    choice: pd.DataFrame,
    notes: pd.DataFrame,
    judged: pd.DataFrame,
    totals: set[str],
) -> list[str]:
    why = dict(zip(choice["unique_id"], choice["reason"], strict=True))
    said = notes.groupby("unique_id")["note"].agg(" ".join).to_dict()
    out = []
    rows = zip(table["unique_id"], table["model"], table["withdrawn"], strict=True)
    for name, model, gone in rows:
        if gone:
            row = judged.loc[name]
            text = (
                f"Withdrawn: over the last {JUDGED_WEEKS} weeks of {row['basis']} its CRPS was "
                f"{row['crps']:.2f}, the naive's {row['naive_crps']:.2f}; the naive is published."
            )
            if name in totals:
                text += " It does not add up from its parts."
        elif name in totals:
            text = "The sum of what is published of its parts."
            text = text if model != NAIVE else _NAIVE_REASON
        elif model == FALLBACK:
            text = ""
        elif model == NAIVE and name in why and not why[name].startswith("No "):
            text = _NAIVE_REASON
        else:
            text = why.get(name, "")
        note = said.get(name, "")
        out.append(f"{text} {note}".strip() or "The mean of what there is.")
    return out


def say_withdrawn(table: pd.DataFrame) -> Sequence[str]:
    """Return the names of the series whose naive forecast is published instead of the model's."""
    return list(dict.fromkeys(table.loc[table["withdrawn"], "unique_id"]))
