"""Place forecasts: plain inputs in, cells with scores out; chosen by back-test."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.errors import InvalidInput
from beatbook.forecasts.place_events import refuse_enforcement_driven
from beatbook.forecasts.place_history import DAY, PlaceHistory, make_history
from beatbook.forecasts.place_models import PLACE_MODELS, PLACE_NAIVE, PlaceModel
from beatbook.forecasts.place_scores import (
    Interval,
    bootstrap_double_ratio,
    bootstrap_ratio,
    cells_of_share,
    pai,
    pei_star,
    rri_levine,
    top_cells,
)  # fmt: skip
from beatbook.hotspots.grid import Grid, make_grid

FloatArray = npt.NDArray[np.float64]
Say = Callable[[str], None]


class PlaceForecast(NamedTuple):
    """``cells``: one row a cell; ``backtest``: one row an origin and model; ``choice``: why."""

    cells: pd.DataFrame
    backtest: pd.DataFrame
    choice: pd.DataFrame


def forecast_cells(grid: Grid, *, area: float | None = None, share: float | None = None,
                   cells: int | None = None) -> int:  # fmt: skip
    """Return how many cells the forecast area holds, from exactly one of three settings.

    ``area`` in the square of the grid's unit, over the area of a whole cell; ``share`` of the
    number of cells; or ``cells``. Rounded down, as an area limit asks.
    """
    given = [v is not None for v in (area, share, cells)]
    if sum(given) != 1:
        raise InvalidInput("Give the forecast area once: as area, as a share, or in cells.")
    if area is not None:
        count = int(np.floor(area / grid.full_area + 1e-9))
    elif share is not None:
        count = cells_of_share(len(grid), share)
    else:
        assert cells is not None
        count = int(cells)
    if not 1 <= count <= len(grid):
        raise InvalidInput(
            f"The forecast area comes to {count} of {len(grid)} cells; it must hold at least one "
            "and no more than there are. Check its unit, or take smaller cells."
        )
    return count


def back_test_places(
    history: PlaceHistory,
    chosen_cells: int,
    days: int,
    *,
    origins: Sequence[int] | None = None,
    models: Mapping[str, PlaceModel] = PLACE_MODELS,
    say: Say | None = None,
) -> pd.DataFrame:
    """Forecast from past cutoffs and count what the chosen cells caught.

    Parameters
    ----------
    history
        With the cutoff that nothing may look past.
    chosen_cells, days
        Forecast area in cells, and horizon.
    origins
        Cutoffs as days of the history; by default 13, a horizon (28 days at least) apart, the
        last one horizon before the history's cutoff.

    Returns
    -------
    One row an origin and model: ``cutoff, model, cells, hits, events, best`` (the most that as
    many cells could catch), ``area_share``, ``expected`` (in the chosen cells), ``hits_before,
    events_before`` (in the year before the cutoff), ``pai, pei_star``, ``rri_levine`` (against the
    training year before the cutoff), ``predicted_over_observed`` (expected over observed count in
    the chosen cells: the other RRI), ``hit_rate``.
    """
    step = max(days, 28)
    if origins is None:
        origins = [history.cutoff - days - step * i for i in range(13)][::-1]
        origins = [o for o in origins if o >= 365]
    rows = []
    for origin in origins:
        past = history.at(origin)
        outcome = history.count(origin, origin + days)
        before = past.count(origin - 365, origin)
        best = float(np.sort(outcome)[::-1][:chosen_cells].sum())
        share = chosen_cells / history.cells
        for name, model in models.items():
            expected = model(past, days)
            cells = top_cells(expected, chosen_cells)
            hits, events = float(outcome[cells].sum()), float(outcome.sum())
            rows.append({
                "cutoff": history.start + origin * DAY, "model": name, "cells": chosen_cells,
                "hits": hits, "events": events, "best": best, "area_share": share,
                "expected": float(expected[cells].sum()),
                "hits_before": float(before[cells].sum()), "events_before": float(before.sum()),
                "hit_rate": hits / events if events else np.nan,
                "pai": pai(hits, events, share), "pei_star": pei_star(hits, best),
                "rri_levine": rri_levine(before[cells].sum(), before.sum(), hits, events),
                "predicted_over_observed": expected[cells].sum() / hits if hits else np.nan,
            })  # fmt: skip
        if say is not None:
            say(f"places: {len(models)} models as of {(history.start + origin * DAY).date()}")
    return pd.DataFrame(rows)


def choose_place_model(backtest: pd.DataFrame, naive: str = PLACE_NAIVE) -> tuple[str, str]:
    """Return the model with the most hits in the back-test, and the reason in words.

    The naive one is kept unless another caught more.
    """
    if backtest.empty:
        return naive, "No back-test yet: history is too short."
    hits = backtest.groupby("model")["hits"].sum()
    best = str(hits.sort_values(ascending=False, kind="stable").index[0])
    if hits[best] <= hits[naive]:
        return naive, "No model caught more than the naive count of the same area."
    return best, f"{hits[best]:.0f} hits against {hits[naive]:.0f} of the naive count."


def summarize_places(
    backtest: pd.DataFrame, *, naive: str = PLACE_NAIVE, draws: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Score each model over all origins, with bootstrap intervals, beside the naive.

    Returns
    -------
    One row a model: ``hits, events``, and each with ``_low`` and ``_high``: ``hit_rate, pai,
    pei_star, rri_levine, predicted_over_observed, gain`` (hits over the naive's of the same area,
    minus one).
    """
    rows = []
    wide = backtest.pivot(index="cutoff", columns="model", values="hits")
    for model, part in backtest.groupby("model", sort=False):
        part = part.set_index("cutoff").reindex(wide.index)
        area = float(part["area_share"].iloc[0])

        def ratio(above: Any, below: Any) -> Interval:
            return bootstrap_ratio(above, below, draws=draws, seed=seed)

        rate = ratio(part["hits"], part["events"])
        gain = ratio(wide[model], wide[naive])
        scores = {
            "hit_rate": rate,
            "pai": Interval(*(v / area for v in rate)),
            "pei_star": ratio(part["hits"], part["best"]),
            "rri_levine": bootstrap_double_ratio(
                part[["hits", "events", "hits_before", "events_before"]], draws=draws, seed=seed
            ),
            "predicted_over_observed": ratio(part["expected"], part["hits"]),
            "gain": Interval(*(v - 1 for v in gain)),
        }
        row: dict[str, Any] = {
            "model": model, "hits": part["hits"].sum(), "events": part["events"].sum()
        }  # fmt: skip
        for name, score in scores.items():
            row |= {name: score.value, f"{name}_low": score.low, f"{name}_high": score.high}
        rows.append(row)
    return pd.DataFrame(rows)


def forecast_places(
    events: pd.DataFrame,
    outline: Any,
    *,
    cell_size: float,
    days: int,
    area: float | None = None,
    share: float | None = None,
    cells: int | None = None,
    offense: str | None = None,
    cutoff: pd.Timestamp | None = None,
    models: Mapping[str, PlaceModel] = PLACE_MODELS,
    places: FloatArray | None = None,
    allow: Mapping[str, str] | None = None,
    origin: tuple[float, float] = (0.0, 0.0),
    say: Say | None = None,
) -> PlaceForecast:
    """Forecast where the next events will be, from plain inputs.

    Parameters
    ----------
    events
        ``date, x, y`` in any one linear unit (meters, feet), and ``offense`` if there are several:
        the others serve as context. From an incidents table, take `place_events.place_events`.
    outline
        The city: a shapely polygon or a GeoDataFrame in the same unit.
    cell_size
        Side of a cell, same unit (250 for 62,500 square feet cells).
    days
        Horizon from the cutoff on: 7, 14, 28, up to about 90.
    area, share, cells
        The forecast area, one of the three (see `forecast_cells`). Square miles in feet: times
        5280 squared.
    offense
        Which one to forecast, if there are several.
    cutoff
        First day not known; later events change nothing, bit for bit.
    models
        To choose from by hits in the back-test; with one model there is no back-test.
    places
        Rows of one number a cell of ``make_grid(outline, cell_size, origin=origin)``.
    allow
        Reasons for enforcement-driven offenses, which are refused without one.

    Returns
    -------
    PlaceForecast. ``cells``: ``cell, x, y, area, expected`` (events in the horizon), ``rank``
    (1 the highest), ``chosen`` (in the forecast area), ``model``, ``cutoff``, ``days``.

    Raises
    ------
    InvalidInput
        For bad events, a refused offense, an area that holds no cell, or no events before the
        cutoff.
    """
    if days < 1:
        raise InvalidInput(f"The horizon is at least one day; got {days!r}.")
    if "offense" in events:
        refuse_enforcement_driven(sorted(events["offense"].astype(str).unique()), allow)
    if PLACE_NAIVE not in models and len(models) != 1:
        raise InvalidInput(f'The models must include "{PLACE_NAIVE}", to be scored against.')
    if cutoff is not None and "date" in events:
        # Dropped here and not only ignored later: a date that does not exist yet is no event.
        events = events[pd.to_datetime(events["date"]) < pd.Timestamp(cutoff)]
    grid = make_grid(outline, cell_size, origin=origin)
    count = forecast_cells(grid, area=area, share=share, cells=cells)
    history = make_history(events, grid, offense=offense, cutoff=cutoff, places=places)
    if len(models) == 1:
        name, reason = next(iter(models)), "The only model asked for."
        tested = pd.DataFrame(columns=["cutoff", "model", "hits"])
    else:
        tested = back_test_places(history, count, days, models=models, say=say)
        name, reason = choose_place_model(tested)
    expected = models[name](history, days)
    order = top_cells(expected, len(grid))
    rank = np.empty(len(grid), dtype=np.int64)
    rank[order] = np.arange(1, len(grid) + 1)
    table = pd.DataFrame(
        {"cell": grid.cell_id, "x": grid.x, "y": grid.y, "area": grid.area, "expected": expected,
         "rank": rank, "chosen": rank <= count, "model": name,
         "cutoff": history.start + history.cutoff * DAY, "days": days}
    )  # fmt: skip
    return PlaceForecast(table, tested, pd.DataFrame([{"model": name, "reason": reason}]))
