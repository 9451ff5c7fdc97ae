"""Where: one week's place forecasts on the department's grid, chosen by back-test as known."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from beatbook.areas import load_outlines
from beatbook.compstat.coverage import coverage, known_by
from beatbook.department import Department
from beatbook.errors import SettingsError
from beatbook.forecasts.book_days import DAY, BookDays, book_days
from beatbook.forecasts.place_events import USABLE, refuse_enforcement_driven, usable_events
from beatbook.forecasts.place_history import PlaceHistory, density_of_places, make_history
from beatbook.forecasts.place_models import PLACE_MODELS, PLACE_NAIVE, PlaceModel
from beatbook.forecasts.place_scores import calibration, top_cells
from beatbook.forecasts.places import back_test_places, choose_place_model, forecast_cells
from beatbook.forecasts.weekly_series import JUDGED_WEEKS, ORIGINS
from beatbook.hotspots.grid import Grid, make_grid
from beatbook.tables import PLACE_CALIBRATION, PLACE_FORECASTS

FloatArray = npt.NDArray[np.float64]
Say = Callable[[str], None]

HORIZONS = (1, 2, 4)
"""Weeks ahead, for the next shift plan, the next meeting and the next month."""

CONTEXT = ("Robbery", "Aggravated Assault", "Burglary", "Larceny", "Motor Vehicle Theft")
"""Citizen-reported offenses with points: each helps to foresee the others."""

HISTORY_DAYS = 2192
"""Six years: counts from further back describe another city."""

_STEP = 28
_GAP_DAYS = 182


class WeeklyPlaces(NamedTuple):
    """``table`` and ``calibration``: the tables of that name. ``backtest``: a row an offense,
    horizon, cutoff and model. ``areas``: a row an offense, horizon and model (the chosen and the
    naive one): what the ledger keeps. ``chosen``: the model by offense."""

    table: pd.DataFrame
    calibration: pd.DataFrame
    backtest: pd.DataFrame
    areas: pd.DataFrame
    chosen: dict[str, str]


def place_grid(department: Department) -> Grid:
    """The department's fixed grid; squares of the same size where the settings ask for hexagons."""
    settings = department.grid
    outlines = load_outlines(department, "city")
    return make_grid(outlines, settings.size_m, shape="square", origin=settings.origin)


def grid_name(department: Department) -> str:
    """Name the grid of `place_grid`, so that cells of one are never taken for another's."""
    east, north = department.grid.origin
    return f"square {department.grid.size_m:g} m from {east:g}, {north:g}"


def place_layers(department: Department, grid: Grid) -> FloatArray:
    """Read the settings' layers of places: one row of densities a layer and bandwidth.

    Raises
    ------
    SettingsError
        If a file is missing, cannot be read, or does not say its CRS.
    """
    import geopandas as gpd

    rows = []
    for layer in department.forecasts.places:
        where = f"{department.slug}: forecasts.places: {layer.file}"
        path = department.folder / layer.file
        if not path.is_file():
            raise SettingsError(f"{where} is not there.")
        try:
            found = gpd.read_file(path)
        except (RuntimeError, ValueError, OSError) as error:
            raise SettingsError(f"{where} cannot be read as a map: {error}") from None
        if found.crs is None:
            raise SettingsError(f"{where} does not say its CRS.")
        points = found.geometry[found.geometry.notna() & ~found.geometry.is_empty]
        points = points.to_crs(department.crs).representative_point()
        if points.empty:
            raise SettingsError(f"{where} holds no place.")
        x, y = points.x.to_numpy(), points.y.to_numpy()
        rows += [density_of_places(grid, x, y, b) for b in layer.bandwidths_m]
    return np.array(rows) if rows else np.zeros((0, len(grid)))


def weekly_places(
    incidents: pd.DataFrame,
    department: Department,
    week_ending: dt.date,
    as_of: dt.date,
    *,
    published: pd.DataFrame | None = None,
    models: Mapping[str, PlaceModel] = PLACE_MODELS,
    say: Say = lambda _message: None,
) -> WeeklyPlaces:
    """Forecast where the settings' offenses will be in the next 1, 2 and 4 weeks.

    Parameters
    ----------
    incidents
        ``offense, count, occurred_from, known_on, x, y, location_quality, origin``.
    department
        Grid, forecast area, offenses, layers of places, reasons.
    week_ending, as_of
        Of the book. Events after the week, or known after the day, change nothing.
    published
        Judgments of published place forecasts (`ledger.judged_places`), where there are eight
        weeks of them; other layers are judged by the back-test.
    models
        To choose from; the long-run count must be among them.

    Returns
    -------
    WeeklyPlaces
        One model for all offenses, the one whose cells caught most over 13 windows of four weeks,
        each forecast with what the book of its cutoff held: a choice for each offense on so few
        windows follows luck. The horizons share it too, since their maps are the same but for the
        self-exciting model's. A layer that has not caught more than
        its naive over the last eight settled weeks is withdrawn. Places are counted by
        occurrence, also where a department's weeks go by report. An offense without a usable
        point, or fewer than two of them before the cutoff, has no rows; this is said.

    Raises
    ------
    InvalidInput
        For an enforcement-driven offense without a reason, or an area that holds no cell.
    SettingsError
        For a layer that cannot be read.
    """
    settings = department.forecasts
    allowed = refuse_enforcement_driven(settings.place_offenses, settings.allow)
    grid = place_grid(department)
    if len(grid) == 0:
        say("places: the city has no outline, so no place is forecast")
        return _nothing()
    count = forecast_cells(grid, share=settings.place_share, cells=settings.place_cells)
    known = known_by(incidents, as_of)
    end = pd.Timestamp(week_ending)
    start = max(end - HISTORY_DAYS * DAY, _unbroken_since(known, department, week_ending))
    recent = known[(known["occurred_from"] >= start) & (known["occurred_from"] < end + DAY)]
    offenses = list(dict.fromkeys([*settings.place_offenses, *CONTEXT]))
    events = usable_events(recent, offenses)
    days = book_days(department, week_ending, as_of)
    layers = place_layers(department, grid)
    tested: dict[str, tuple[PlaceHistory, list[int], dict[int, pd.DataFrame]]] = {}
    for offense in settings.place_offenses:
        if (events["offense"] == offense).sum() < 2:
            say(f"places: {offense} has no usable points, so its places are not forecast")
            continue
        history = make_history(
            events,
            grid,
            offense=offense,
            cutoff=end + DAY,
            places=layers,
            as_known=lambda cutoff: days.of_week(cutoff - DAY) if cutoff <= end else days.as_of,
        )
        origins = origins_of(history, days, 7 * max(HORIZONS))
        tests = {
            weeks: back_test_places(history, count, 7 * weeks, origins=origins, models=models)
            for weeks in sorted(HORIZONS, reverse=True)
        }
        tested[offense] = history, origins, tests
        say(f"places: {len(models)} models tested on {offense}, {len(origins)} cutoffs")
    if not tested:
        return _nothing()
    longest = [tests[max(HORIZONS)] for _, _, tests in tested.values()]
    chosen, why = choose_place_model(_joined(longest, []))
    if len(tested) > 1:
        why = f"{why.removesuffix('.')} over {', '.join(tested)}."
    say(f"places: forecast by {chosen}. {why}")
    made = []
    for offense, (history, origins, tests) in tested.items():
        one = _offense(history, offense, count, origins, tests, models, (chosen, why), published)
        reason = f" Allowed by the settings: {allowed[offense]}" if offense in allowed else ""
        left_out = _left_out(recent, offense, end)
        one.table["reason"] += reason
        made.append(one._replace(table=one.table.assign(share_left_out=left_out)))
    tables = [m.table.assign(cutoff=end - 6 * DAY, as_of=days.as_of) for m in made]
    areas = pd.concat([m.areas for m in made], ignore_index=True)
    return WeeklyPlaces(
        pd.concat(tables, ignore_index=True)[PLACE_FORECASTS.column_names],
        _joined([m.calibration for m in made], PLACE_CALIBRATION.column_names),
        _joined([m.backtest for m in made], []),
        areas.assign(grid=grid_name(department)),
        {k: v for m in made for k, v in m.chosen.items()},
    )


def _joined(frames: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    full = [frame for frame in frames if len(frame)]
    return pd.concat(full, ignore_index=True) if full else pd.DataFrame(columns=columns)


def _nothing() -> WeeklyPlaces:
    return WeeklyPlaces(
        pd.DataFrame(columns=PLACE_FORECASTS.column_names),
        pd.DataFrame(columns=PLACE_CALIBRATION.column_names),
        pd.DataFrame(),
        pd.DataFrame(),
        {},
    )


def _unbroken_since(
    known: pd.DataFrame, department: Department, week_ending: dt.date
) -> pd.Timestamp:
    """First day of what the feed covers without a gap of half a year."""
    spans = [s for s in coverage(known["known_on"], department) if s.start <= week_ending]
    start = spans[-1].start if spans else week_ending
    for before, after in zip(spans[-2::-1], spans[:0:-1], strict=True):
        if (after.start - before.end).days > _GAP_DAYS:
            break
        start = before.start
    return pd.Timestamp(start)


def _left_out(recent: pd.DataFrame, offense: str, end: pd.Timestamp) -> float:
    rows = recent[
        (recent["offense"] == offense)
        & (recent["count"] == 1)
        & (recent["occurred_from"] >= end - 363 * DAY)
    ]
    placed = rows["location_quality"].isin(USABLE) & rows["x"].notna()
    return float((~placed).mean()) if len(rows) else 0.0


def origins_of(history: PlaceHistory, days: BookDays, horizon_days: int = 28) -> list[int]:
    """Return 13 cutoffs, 28 days apart, whose longest horizon has settled by the present book.

    The last is whole steps before the history's own cutoff, so that past windows of one cutoff
    are those of the next. A cutoff within a year of the first event is left out.
    """
    last = history.cutoff - horizon_days

    def end(origin: int) -> pd.Timestamp:
        return history.start + (origin + horizon_days - 1) * DAY

    while last > 0 and not days.is_settled(end(last)):
        last -= _STEP
    origins = [last - _STEP * i for i in range(ORIGINS)][::-1]
    return [origin for origin in origins if origin >= 365]


def _offense(
    history: PlaceHistory,
    offense: str,
    count: int,
    origins: list[int],
    tests: Mapping[int, pd.DataFrame],
    models: Mapping[str, PlaceModel],
    choice: tuple[str, str],
    published: pd.DataFrame | None,
) -> WeeklyPlaces:
    chosen, why = choice
    verdict = judge_places(tests[max(HORIZONS)], offense, chosen, published)
    gone = bool(verdict["withdrawn"])
    reason = str(verdict["reason"]) if gone else why
    grid = history.grid
    tables, areas, bands = [], [], []
    for weeks in HORIZONS:
        naive = models[PLACE_NAIVE](history, 7 * weeks)
        own = models[chosen](history, 7 * weeks)
        shown = naive if gone else own
        rank, naive_rank = _rank(shown), _rank(naive)
        tables.append(
            pd.DataFrame(
                {
                    "offense": offense,
                    "weeks": weeks,
                    "cell": grid.cell_id,
                    "x": grid.x,
                    "y": grid.y,
                    "area_m2": grid.area,
                    "expected": shown,
                    "rank": rank,
                    "chosen": rank <= count,
                    "model": PLACE_NAIVE if gone else chosen,
                    "naive_rank": naive_rank,
                    "naive_chosen": naive_rank <= count,
                    "withdrawn": gone,
                    "reason": reason,
                    "cells_chosen": count,
                }
            )
        )
        for model, expected in {PLACE_NAIVE: naive, chosen: own}.items():
            cells = top_cells(expected, count)
            areas.append(
                {
                    "offense": offense,
                    "weeks": weeks,
                    "model": model,
                    "published": (model == PLACE_NAIVE) == (gone or chosen == PLACE_NAIVE),
                    "withdrawn": gone,
                    "y_hat": float(expected[cells].sum()),
                    "cells": " ".join(np.asarray(grid.cell_id)[np.sort(cells)].astype(str)),
                }
            )
        bands.append(_bands(history, models[chosen], origins, weeks, offense, chosen))
    full = [t.assign(offense=offense, weeks=w) for w, t in tests.items() if len(t)]
    return WeeklyPlaces(
        pd.concat(tables, ignore_index=True),
        _joined(bands, PLACE_CALIBRATION.column_names),
        _joined(full, []),
        pd.DataFrame(areas),
        {offense: chosen},
    )


def _rank(expected: FloatArray) -> npt.NDArray[np.int64]:
    rank = np.empty(expected.size, dtype=np.int64)
    rank[top_cells(expected, expected.size)] = np.arange(1, expected.size + 1)
    return rank


def _bands(
    history: PlaceHistory,
    model: PlaceModel,
    origins: Sequence[int],
    weeks: int,
    offense: str,
    chosen: str,
) -> pd.DataFrame:
    """Calibration of the chosen model over the back-test's cutoffs, all cells together."""
    none = pd.DataFrame(columns=PLACE_CALIBRATION.column_names)
    if not origins:
        return none
    predicted = np.concatenate([model(history.at(o), 7 * weeks) for o in origins])
    observed = np.concatenate([history.count(o, o + 7 * weeks) for o in origins])
    if predicted.sum() <= 0:
        return none
    return calibration(predicted, observed).assign(offense=offense, weeks=weeks, model=chosen)


def judge_places(
    tested: pd.DataFrame, offense: str, chosen: str, published: pd.DataFrame | None
) -> dict[str, Any]:
    """Say whether a layer caught more than its naive over the last eight weeks with outcomes.

    Judged on the longest horizon for all of them, as the map is one. Published forecasts decide
    where there are eight weeks of them; else the last windows of the back-test that hold eight
    weeks together.
    """
    fine = {"withdrawn": False, "reason": ""}
    if chosen == PLACE_NAIVE:
        return fine
    if published is not None and offense in published.index:
        hits, naive = float(published["hits"][offense]), float(published["naive_hits"][offense])
        basis = "published forecasts"
    else:
        windows = -(-JUDGED_WEEKS // max(HORIZONS))
        last = sorted(tested["cutoff"].unique())[-windows:] if len(tested) else []
        if len(last) < windows:
            return fine
        sums = tested[tested["cutoff"].isin(last)].groupby("model")["hits"].sum()
        hits, naive, basis = float(sums[chosen]), float(sums[PLACE_NAIVE]), "the back-test as known"
    reason = (
        f"Withdrawn: over the last {JUDGED_WEEKS} weeks of {basis} {chosen} caught {hits:.0f}, "
        f"the naive count {naive:.0f}; the naive is published."
    )
    return {"withdrawn": hits <= naive, "reason": reason}
